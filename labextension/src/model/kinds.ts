/** What a step of each kind begins as, and what those give that no file describes. */
import { formFields } from './formSchema';
import type { JSONObject, Person, Step, StepKind } from './types';

/** What steps without a file hand on, by `core/check.py`. */
export interface IHandedOn {
  outputs: string[];
  artifacts: string[];
}

const DECISION = ['decision', 'comment', 'by'];
const LABELS: IHandedOn = {
  outputs: ['count', 'counts'],
  artifacts: ['labels.json']
};

/** What a person's answer becomes; null for a step whose file says it. */
export function handedOn(step: Step): IHandedOn | null {
  if (step.person) {
    const fields = formFields(step.person.form).map(({ name }) => name);
    return { outputs: [...fields, ...DECISION], artifacts: [] };
  }
  return step.label ? LABELS : null;
}

/** The form that a person step begins with. */
export const FIRST_FORM: JSONObject = {
  type: 'object',
  properties: { value: { type: 'string' } },
  required: ['value']
};

export interface INewStep {
  step: Step;
  /** What it would be called. */
  wish: string;
}

/** A step for a file of the workspace or a release, by the path or the target that the document gives. */
export function executingStep(kind: StepKind, path: string): INewStep {
  const file = path.slice(path.lastIndexOf('/') + 1);
  const wish = file.replace(/\.(ipynb|mlwf)$/i, '').replace(/@.*$/, '');
  return { step: { [kind]: path }, wish };
}

/** A step for a notebook or another workflow, by the path that the document gives. */
export function fileStep(path: string): INewStep {
  return executingStep(/\.mlwf$/i.test(path) ? 'workflow' : 'notebook', path);
}

/** A person step with one thing changed; what depends on it follows. */
export function withPersonField(
  person: Person,
  field: string,
  value: unknown
): Person {
  const changed: { [key: string]: unknown } = { ...person, [field]: value };
  if (field === 'deadline' && !value) {
    changed.default = undefined; // it would never be taken
  }
  if (field === 'form' && !value && isObjectLike(person.default)) {
    changed.default = undefined; // they are values of the form
  }
  return Object.fromEntries(
    Object.entries(changed).filter(
      ([key, each]) => key === 'message' || (each !== undefined && each !== '')
    )
  ) as Person;
}

function isObjectLike(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}
