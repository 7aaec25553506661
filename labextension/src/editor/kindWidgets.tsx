/** Widgets of the fields that only steps of a kind have. */
import { fileIcon, launchIcon, lockIcon } from '@jupyterlab/ui-components';
import type { WidgetProps } from '@rjsf/utils';
import React from 'react';
import { FIRST_FORM } from '../model/kinds';
import type { IFormField } from '../model/formSchema';
import { formFields } from '../model/formSchema';
import { withField } from '../model/items';
import type { Argument, JSONObject, JSONValue } from '../model/types';
import { isObject } from '../model/types';
import type { FieldType } from '../model/values';
import { AddCommandIDs } from './addIds';
import { Choice, TextField, ValueField, editorOf } from './fields';
import { FormBuilder } from './formBuilder';
import { ArgumentField, IconButton } from './moreFields';
import type { ISourceGroup } from './argumentField';

/** Approval, or the fields of a form. */
export function AskWidget(props: WidgetProps): JSX.Element {
  const { trans } = editorOf(props);
  const form = props.value as JSONObject | undefined;
  return (
    <>
      <Choice
        id={props.id}
        label={props.label}
        value={form ? 'form' : 'approve'}
        choices={[
          ['approve', trans.__('to approve or reject')],
          ['form', trans.__('to fill in a form')]
        ]}
        onChoose={value =>
          props.onChange(value === 'form' ? FIRST_FORM : undefined)
        }
      />
      {form && (
        <FormBuilder form={form} trans={trans} onChange={props.onChange} />
      )}
    </>
  );
}

/** What is taken for an answer after the deadline. */
export function AnswerWidget(props: WidgetProps): JSX.Element {
  const editor = editorOf(props);
  const { trans } = editor;
  const { form } = props.options as unknown as { form: JSONObject | null };
  const answer = props.value as string | JSONObject | undefined;
  const values = isObject(answer) ? answer : null;
  return (
    <>
      <Choice
        id={props.id}
        label={props.label}
        value={values ? 'values' : ((answer as string | undefined) ?? '')}
        choices={[
          ['', trans.__('the step fails')],
          ['approve', trans.__('it is approved')],
          ['reject', trans.__('it is rejected')],
          ...(form || values
            ? [['values', trans.__('these values are taken')] as const]
            : [])
        ]}
        onChoose={value =>
          props.onChange(value === 'values' ? {} : value || undefined)
        }
      />
      {values &&
        formFields(form).map(field => (
          <div className="mlwf-Labelled" key={field.name}>
            <span className="mlwf-Labelled-text">
              {field.title || field.name}
            </span>
            <ValueField
              label={trans.__('%1 after the deadline', field.name)}
              value={values[field.name]}
              type={fieldType(field)}
              trans={trans}
              onCommit={value =>
                props.onChange(withValue(values, field.name, value))
              }
            />
          </div>
        ))}
    </>
  );
}

function withValue(
  values: JSONObject,
  name: string,
  value: JSONValue | undefined
): JSONObject {
  return value === '' || Array.isArray(value)
    ? { ...values, [name]: value }
    : withField(values, name, value);
}

function fieldType({ type }: IFormField): FieldType {
  switch (type) {
    case 'text':
    case 'choice':
      return 'str';
    case 'whole':
      return 'int';
    case 'number':
      return 'float';
    case 'yesno':
      return 'bool';
    case 'list':
      return 'list';
    case null:
      return 'json';
  }
}

/** What is to be labelled. */
export function ItemsWidget(props: WidgetProps): JSX.Element {
  const { groups } = props.options as unknown as { groups: ISourceGroup[] };
  const editor = editorOf(props);
  const argument = props.value as Argument | undefined;
  const isEmpty = Array.isArray(argument) && argument.length === 0;
  return (
    <ArgumentField
      id={props.id}
      editor={editor}
      label={props.label}
      argument={isEmpty ? undefined : argument}
      type={null}
      placeholder={editor.trans.__('a folder, or a list such as ["a", "b"]')}
      groups={groups}
      onChange={changed => props.onChange(changed ?? [])}
    />
  );
}

/** The workflow that a step runs, with buttons that choose another and open it. */
export function TargetWidget(props: WidgetProps): JSX.Element {
  const editor = editorOf(props);
  const { trans } = editor;
  const { step } = props.options as unknown as { step: string };
  return (
    <div className="mlwf-FieldRow">
      <TextField
        id={props.id}
        label={props.label}
        text={props.value as string}
        complain={text =>
          text.trim() ? null : trans.__('Name a document or a release.')
        }
        onCommit={text => props.onChange(text.trim())}
      />
      <IconButton
        icon={fileIcon}
        label={trans.__('Choose a document…')}
        onClick={() => editor.execute(AddCommandIDs.addWorkflow, { step })}
      />
      <IconButton
        icon={lockIcon}
        label={trans.__('Choose a release…')}
        onClick={() => editor.execute(AddCommandIDs.addRelease, { step })}
      />
      <IconButton
        icon={launchIcon}
        label={trans.__('Open the workflow')}
        onClick={() => editor.execute(AddCommandIDs.openWorkflow, { step })}
      />
    </div>
  );
}
