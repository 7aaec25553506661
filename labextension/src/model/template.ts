/** The notebook that a new step begins with. */
import type { JSONObject } from './types';
import type { ValueType } from './wiring';

const EMPTY: { [type in ValueType]: string } = {
  str: '""',
  int: '0',
  float: '0.0',
  bool: 'False',
  list: '[]',
  dict: '{}',
  secret: '""'
};

const KEYWORDS = new Set(
  (
    'False None True and as assert async await break class continue def del elif else except finally for from ' +
    'global if import in is lambda nonlocal not or pass raise return try while with yield'
  ).split(' ')
);

export interface ITemplate {
  /** The input that it takes; without one its parameters cell is empty. */
  input?: { name: string; type: ValueType | null };
  /** What it records. */
  output: string;
  kernel: { name: string; title: string };
}

/** A Python identifier that resembles the name of an output, such as that of a file. */
export function toIdentifier(text: string): string {
  const name = text
    .replace(/\.[^.]*$/, '')
    .replace(/[^A-Za-z0-9_]+/g, '_')
    .replace(/^[^A-Za-z]+/, '');
  return KEYWORDS.has(name) ? `${name}_` : name || 'value';
}

/** A Python notebook with its parameters cell and the calls that record what it gives. */
export function newNotebook({ input, output, kernel }: ITemplate): JSONObject {
  const parameter = input
    ? input.type
      ? `${input.name}: ${input.type} = ${EMPTY[input.type]}`
      : `${input.name} = None`
    : '# What is assigned here is an input of the step, such as: rate = 0.1';
  const value = input?.name ?? 'None';
  return {
    metadata: {
      kernelspec: {
        name: kernel.name,
        display_name: kernel.title,
        language: 'python'
      },
      language_info: { name: 'python' }
    },
    nbformat: 4,
    nbformat_minor: 5,
    cells: [
      cell('parameters', parameter, ['parameters']),
      cell(
        'record',
        `import jupyter_mlwf as mlwf\n\nmlwf.output(${JSON.stringify(output)}, ${value})`,
        []
      )
    ]
  };
}

function cell(id: string, source: string, tags: string[]): JSONObject {
  return {
    cell_type: 'code',
    id,
    source,
    metadata: tags.length ? { tags } : {},
    execution_count: null,
    outputs: []
  };
}
