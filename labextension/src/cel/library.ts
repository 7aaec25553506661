/** The library that parses and evaluates CEL, with functions of ours where its own answer unlike those of the server. */
import type { ASTNode } from '@marcbachmann/cel-js';
import { Environment, EvaluationError } from '@marcbachmann/cel-js';
import { matches } from './regex';
import { wordsOfParser } from './words';

/** Functions that are ours; in an expression that is evaluated their names begin with `mine_`. */
export const MINE = ['has', 'int', 'string', 'matches', 'timestamp'];

export const environment = new Environment({
  unlistedVariablesAreDyn: true,
  homogeneousAggregateLiterals: false,
  limits: { maxListElements: 10_000, maxMapEntries: 10_000 }
});

/** The tree of an expression. Throws `BadExpression` if it is none. */
export function parse(text: string): ASTNode {
  try {
    return environment.parse(text).ast;
  } catch (error) {
    throw wordsOfParser(error, text);
  }
}

function fail(message: string): never {
  throw new EvaluationError({ code: 'bad_value', message });
}

function toInt(value: bigint | number | string): bigint {
  if (typeof value === 'string' && !/^[+-]?\d+$/.test(value)) {
    fail(
      "Function 'int' error: string parse error: invalid digit found in string"
    );
  }
  if (typeof value === 'number' && !Number.isFinite(value)) {
    fail("Function 'int' error: integer overflow");
  }
  const whole = BigInt(typeof value === 'number' ? Math.trunc(value) : value);
  return BigInt.asIntN(64, whole) === whole
    ? whole
    : fail("Function 'int' error: integer overflow");
}

/** A number in digits alone: 1e-7 is 0.0000001. */
function digits(value: number): string {
  const [, sign, whole, fraction = '', power] =
    /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(String(value)) ?? [];
  if (power === undefined) {
    return String(value);
  }
  const all = whole + fraction;
  const point = 1 + Number(power);
  return (
    sign +
    (point <= 0
      ? `0.${'0'.repeat(-point)}${all}`
      : all.padEnd(point, '0').slice(0, point) +
        (all.length > point ? `.${all.slice(point)}` : ''))
  );
}

for (const type of ['int', 'double', 'string']) {
  environment.registerFunction(`mine_int(${type}): int`, toInt);
}
environment.registerFunction('mine_string(string): string', (v: string) => v);
environment.registerFunction('mine_string(int): string', String);
environment.registerFunction('mine_string(double): string', digits);
environment.registerFunction(
  'string.mine_matches(string): bool',
  (text: string, pattern: string) =>
    matches(text, pattern) ??
    fail(`Function 'matches' error: '${pattern}' not a valid regex`)
);
environment.registerFunction(
  'mine_timestamp(string): google.protobuf.Timestamp',
  (text: string) => {
    const date = new Date(text);
    return /^\d{4}-\d\d-\d\dT.*(Z|[+-]\d\d:\d\d)$/i.test(text) &&
      !Number.isNaN(date.getTime())
      ? date
      : fail(`Function 'timestamp' error: '${text}' is not a time of RFC 3339`);
  }
);

/** What a macro of the library is given. */
interface IMacro {
  args: ASTNode[];
}
interface IChecker {
  check(node: ASTNode, context: unknown): unknown;
  getType(name: string): unknown;
}
interface IEvaluator {
  run(node: ASTNode, context: unknown): unknown;
}

environment.registerFunction('mine_has(ast): bool', (({ args }: IMacro) => {
  // `check` lets nothing else pass.
  const [owner, name] = args[0].args as [ASTNode, string];
  return {
    typeCheck: (checker: IChecker, _: unknown, context: unknown) => {
      checker.check(owner, context);
      return checker.getType('bool');
    },
    evaluate: (evaluator: IEvaluator, _: unknown, context: unknown) => {
      const value = evaluator.run(owner, context);
      return (
        typeof value === 'object' &&
        value !== null &&
        Object.hasOwn(value, name)
      );
    }
  };
}) as never);
