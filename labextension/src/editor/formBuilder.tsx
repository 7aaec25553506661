import {
  addIcon,
  moveDownIcon,
  moveUpIcon,
  deleteIcon
} from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import type { FormFieldType, IFormField } from '../model/formSchema';
import {
  addFormField,
  formFields,
  moveFormField,
  removeFormField,
  renameFormField,
  setFormField
} from '../model/formSchema';
import { complainName } from '../model/names';
import { readChoices, showChoices } from '../model/parameters';
import type { JSONObject } from '../model/types';
import { Choice, TextField } from './fields';
import { Check, IconButton } from './moreFields';

type Form = { [key: string]: unknown };

/** The fields of a form that a person fills in. */
export function FormBuilder(props: {
  form: Form;
  trans: TranslationBundle;
  onChange: (form: JSONObject) => void;
}): JSX.Element {
  const { form, trans, onChange } = props;
  const fields = formFields(form);
  return (
    <div className="mlwf-FormBuilder" role="list">
      {fields.map((field, index) => (
        <FieldCard
          key={field.name}
          {...props}
          field={field}
          names={fields.map(({ name }) => name)}
          index={index}
        />
      ))}
      <button
        type="button"
        className="mlwf-AddButton"
        onClick={() => onChange(addFormField(form))}
      >
        <addIcon.react tag="span" width="16px" height="16px" />
        {trans.__('Field')}
      </button>
    </div>
  );
}

function FieldCard(props: {
  form: Form;
  trans: TranslationBundle;
  field: IFormField;
  names: string[];
  index: number;
  onChange: (form: JSONObject) => void;
}): JSX.Element {
  const { form, trans, field, names, index, onChange } = props;
  const { name } = field;
  const set = (changed: Partial<Omit<IFormField, 'name'>>) =>
    onChange(setFormField(form, name, changed));
  return (
    <div className="mlwf-Card" role="listitem" data-field={name}>
      <div className="mlwf-Card-actions">
        <IconButton
          icon={moveUpIcon}
          label={trans.__('Move %1 up', name)}
          disabled={index === 0}
          onClick={() => onChange(moveFormField(form, name, -1))}
        />
        <IconButton
          icon={moveDownIcon}
          label={trans.__('Move %1 down', name)}
          disabled={index === names.length - 1}
          onClick={() => onChange(moveFormField(form, name, 1))}
        />
        <IconButton
          icon={deleteIcon}
          label={trans.__('Remove %1', name)}
          onClick={() => onChange(removeFormField(form, name))}
        />
      </div>
      <Labelled text={trans.__('Name')}>
        <TextField
          label={trans.__('Name of the field %1', name)}
          text={name}
          complain={to =>
            complainName(
              to,
              names.filter(other => other !== name)
            )
          }
          onCommit={to => onChange(renameFormField(form, name, to))}
        />
      </Labelled>
      <Labelled text={trans.__('Type')}>
        <Choice
          label={trans.__('Type of %1', name)}
          value={field.type ?? ''}
          choices={[
            ...(field.type
              ? []
              : [['', trans.__('as the document says')] as const]),
            ...typeWords(trans)
          ]}
          onChoose={type => type && set({ type: type as FormFieldType })}
        />
      </Labelled>
      {field.type === 'choice' && (
        <Labelled
          text={trans.__('Choices')}
          hint={trans.__('with commas between them')}
        >
          <TextField
            label={trans.__('Choices of %1', name)}
            text={showChoices(field.choices, 'str')}
            complain={text => {
              const { choices, complaint } = readChoices(text, 'str');
              return choices?.length
                ? complaint
                : trans.__('Write at least one.');
            }}
            onCommit={text =>
              set({ choices: readChoices(text, 'str').choices!.map(String) })
            }
          />
        </Labelled>
      )}
      <Labelled text={trans.__('Title')}>
        <TextField
          label={trans.__('Title of %1', name)}
          text={field.title}
          placeholder={name}
          onCommit={title => set({ title })}
        />
      </Labelled>
      <Check
        label={trans.__('required')}
        checked={field.required}
        onChange={required => set({ required })}
      />
    </div>
  );
}

function typeWords(trans: TranslationBundle): [FormFieldType, string][] {
  return [
    ['text', trans.__('text')],
    ['whole', trans.__('whole number')],
    ['number', trans.__('number')],
    ['yesno', trans.__('yes or no')],
    ['choice', trans.__('one of some choices')],
    ['list', trans.__('list of texts')]
  ];
}

/** A field with what it is above it; the field itself has a name of its own for who does not see where it stands. */
function Labelled(props: {
  text: string;
  hint?: string;
  children: React.ReactNode;
}): JSX.Element {
  return (
    <div className="mlwf-Labelled">
      <span className="mlwf-Labelled-text">{props.text}</span>{' '}
      {props.hint && <small>{props.hint}</small>}
      {props.children}
    </div>
  );
}
