import { FormComponent } from '@jupyterlab/ui-components';
import type { ReadonlyJSONObject } from '@lumino/coreutils';
import type { ErrorSchema, RJSFSchema, UiSchema, Widget } from '@rjsf/utils';
// This module is itself loaded only when the first form is shown.
// eslint-disable-next-line jupyter/prefer-lazy-imports
import { customizeValidator } from '@rjsf/validator-ajv8';
import React from 'react';
import type { Problem } from '../model/types';
import type { Editor } from './editor';
import { isAt } from './editor';
import { TextWidget, ValueWidget } from './fields';

const validator = customizeValidator<ReadonlyJSONObject>();

const WIDGETS = { TextWidget, value: ValueWidget };

/** A form for a part of the document: Lab's own, with the problems of the part beside the fields they belong to. */
export function DocumentForm(props: {
  editor: Editor;
  /** Where the part is in the document, for its problems. */
  place: string;
  schema: RJSFSchema;
  uiSchema: UiSchema;
  widgets?: { [name: string]: Widget };
  data: object;
  /** Called once for each field that has changed. */
  onField: (field: string, value: unknown) => void;
}): JSX.Element {
  const { editor, data, onField } = props;
  return (
    <FormComponent
      compact
      showModifiedFromDefault={false}
      schema={props.schema}
      uiSchema={props.uiSchema as never}
      widgets={{ ...WIDGETS, ...props.widgets } as never}
      validator={validator}
      // The server judges the document; the schema here only arranges the fields.
      noValidate
      showErrorList={false}
      extraErrors={toErrors(editor.inspection.problems, props.place) as never}
      formContext={{ editor, trans: editor.trans, defaultFormData: {} }}
      formData={data as ReadonlyJSONObject}
      tagName="div"
      onChange={({ formData }) => {
        const before = data as { [field: string]: unknown };
        for (const [field, value] of Object.entries(formData ?? {})) {
          if (!isSame(value, before[field])) {
            onField(field, value);
          }
        }
      }}
    />
  );
}

/** The order of keys counts: the fields of a form are moved by it. */
function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function toErrors(problems: readonly Problem[], place: string): ErrorSchema {
  const errors: { [field: string]: { __errors: string[] } } = {};
  for (const problem of problems) {
    if (problem.place === place || !isAt(problem.place, place)) {
      continue;
    }
    const field = problem.place.slice(place ? place.length + 1 : 0);
    const name = field.split('.')[0];
    (errors[name] ??= { __errors: [] }).__errors.push(
      `${problem.message} ${problem.mend}`
    );
  }
  return errors as ErrorSchema;
}
