import { expect, it } from 'vitest';
import { matches } from './regex';

// As the server answers them: Rust's `regex`.
it.each<[string, string, boolean | null]>([
  ['churn', 'ur', true],
  ['churn', '^ur', false],
  ['CHURN', '(?i)^ch', true],
  ['é', '^\\w$', true],
  ['中-文', '^[\\w-]+$', true],
  ['a(b', '^a[(]b$', true],
  ['a-b', 'a\\-b', true],
  ['a_b', '[\\-_]', true],
  ['٣', '^\\d$', true],
  ['😀', '^.$', true],
  ['a', '(?P<first>a)', true],
  ['aa', '(a)\\1', null],
  ['ab', 'a(?=b)', null],
  ['ab', 'a(?!c)', null],
  ['a', '[', null]
])('matches %s with %s', (text, pattern, expected) => {
  expect(matches(text, pattern)).toBe(expected);
});
