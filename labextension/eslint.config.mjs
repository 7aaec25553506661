import js from '@eslint/js';
import jupyter from '@jupyter/eslint-plugin';
import { defineConfig } from 'eslint/config';
import prettier from 'eslint-plugin-prettier/recommended';
import globals from 'globals';
import tseslint from 'typescript-eslint';

const SERVER = {
  name: '@jupyterlab/services',
  importNames: ['ServerConnection'],
  allowTypeImports: true,
  message: 'Only src/api talks to the server.'
};

export default defineConfig([
  {
    ignores: ['node_modules', 'lib', 'style', '**/*.js', 'src/**/*.gen.ts']
  },
  js.configs.recommended,
  tseslint.configs.recommended,
  { plugins: { jupyter } },
  jupyter.configs.recommended,
  {
    files: ['**/*.ts', '**/*.tsx', '**/*.mts'],
    languageOptions: {
      globals: globals.browser,
      parserOptions: {
        projectService: {
          allowDefaultProject: ['*.mts', 'src/*/*.spec.ts', 'src/*/*.spec.tsx'],
          maximumDefaultProjectFileMatchCount_THIS_WILL_SLOW_DOWN_LINTING: 30
        },
        tsconfigRootDir: import.meta.dirname
      }
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': [
        'error',
        { fixStyle: 'inline-type-imports', disallowTypeAnnotations: false }
      ],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { ignoreRestSiblings: true, varsIgnorePattern: '^_' }
      ],
      // A token and the type of what it stands for have the same name.
      '@typescript-eslint/no-redeclare': 'off'
    }
  },
  {
    files: ['src/**/*.ts', 'src/**/*.tsx'],
    ignores: ['src/api/**'],
    rules: {
      '@typescript-eslint/no-restricted-imports': ['error', { paths: [SERVER] }]
    }
  },
  {
    // The model is pure: it knows neither Lab nor React, and nothing that loads with them.
    files: ['src/model/**/*.ts'],
    ignores: ['**/*.spec.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: '^(?!\\./|\\.\\./api/schema\\.gen$)',
              message:
                'src/model imports nothing but itself and the types of the contract.'
            }
          ]
        }
      ]
    }
  },
  {
    files: ['**/*.spec.ts'],
    rules: { 'jupyter/no-untranslated-string': 'off' }
  },
  {
    // What the plugin needs to register itself is small; canvas and forms load when the first document opens.
    files: ['src/index.ts'],
    rules: { 'jupyter/prefer-lazy-imports': 'off' }
  },
  prettier
]);
