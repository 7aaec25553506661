/** What a step asks of a person, has labelled, or runs: the fields that only steps of a kind have. */
import type { RJSFSchema, UiSchema } from '@rjsf/utils';
import React from 'react';
import { setArgument, setStep } from '../model/edits';
import { withField } from '../model/items';
import { handedOn, withPersonField } from '../model/kinds';
import { complainName } from '../model/names';
import { complainDuration } from '../model/policy';
import type { Step } from '../model/types';
import { isObject, textsOf } from '../model/types';
import type { Editor } from './editor';
import { TextAreaWidget, TextField } from './fields';
import { DocumentForm } from './form';
import { CheckWidget, LinesWidget } from './moreFields';
import {
  AnswerWidget,
  AskWidget,
  ItemsWidget,
  TargetWidget
} from './kindWidgets';
import type { ISourceGroup } from './argumentField';

export interface IKindFormProps {
  editor: Editor;
  name: string;
  step: Step;
  /** What the step can take values from. */
  groups: readonly ISourceGroup[];
}

/** The fields of a step that is no notebook. */
export function KindForm(props: IKindFormProps): JSX.Element | null {
  const { step } = props;
  if (step.person) {
    return <PersonForm {...props} />;
  }
  if (step.label) {
    return <LabelForm {...props} />;
  }
  return step.workflow ? <TargetForm {...props} /> : null;
}

const PERSON_WIDGETS = {
  area: TextAreaWidget,
  ask: AskWidget,
  answer: AnswerWidget
};

function PersonForm({ editor, name, step }: IKindFormProps): JSX.Element {
  const { trans } = editor;
  const person = step.person!;
  const schema: RJSFSchema = {
    type: 'object',
    properties: {
      message: text(trans.__('Message'), trans.__('Markdown')),
      role: text(trans.__('Who may answer'), trans.__('a role')),
      form: text(trans.__('Asks')),
      deadline: text(trans.__('Deadline'), trans.__('for the answer')),
      ...((person.deadline || person.default != null) && {
        default: text(trans.__('After the deadline'))
      })
    }
  };
  const uiSchema: UiSchema = {
    message: message(trans.__('Every question needs a message.')),
    role: role(trans.__('everybody')),
    form: { 'ui:widget': 'ask' },
    deadline: {
      'ui:placeholder': trans.__('none: it waits for ever'),
      'ui:options': { complain: complainDuration }
    },
    default: {
      'ui:widget': 'answer',
      'ui:options': { form: isObject(person.form) ? person.form : null }
    }
  };
  return (
    <>
      <DocumentForm
        editor={editor}
        place={`steps.${name}.person`}
        schema={schema}
        uiSchema={uiSchema}
        widgets={PERSON_WIDGETS}
        data={{
          ...person,
          role: person.role ?? '',
          form: isObject(person.form) ? person.form : undefined,
          deadline: person.deadline ?? '',
          default: person.default ?? undefined
        }}
        onField={(field, value) =>
          editor.edit(old =>
            setStep(old, name, {
              person: withPersonField(person, field, value)
            })
          )
        }
      />
      <HandedOn editor={editor} step={step} />
    </>
  );
}

const LABEL_WIDGETS = {
  area: TextAreaWidget,
  items: ItemsWidget,
  lines: LinesWidget,
  check: CheckWidget
};

function LabelForm(props: IKindFormProps): JSX.Element {
  const { editor, name, step, groups } = props;
  const { trans } = editor;
  const label = step.label!;
  const schema: RJSFSchema = {
    type: 'object',
    properties: {
      items: text(
        trans.__('Items'),
        trans.__('a list of texts or rows, or a folder of images or texts')
      ),
      classes: text(trans.__('Classes'), trans.__('one a line')),
      many: text(trans.__('Labels of an item')),
      message: text(trans.__('Message'), trans.__('Markdown')),
      role: text(trans.__('Who may label'), trans.__('a role'))
    }
  };
  const uiSchema: UiSchema = {
    items: { 'ui:widget': 'items', 'ui:options': { groups } },
    classes: { 'ui:widget': 'lines' },
    many: {
      'ui:widget': 'check',
      'ui:options': { text: trans.__('may be several classes') }
    },
    message: {
      'ui:widget': 'area',
      'ui:placeholder': trans.__('how to label')
    },
    role: role(trans.__('everybody'))
  };
  return (
    <>
      <DocumentForm
        editor={editor}
        place={`steps.${name}.label`}
        schema={schema}
        uiSchema={uiSchema}
        widgets={LABEL_WIDGETS}
        data={{
          items: label.items,
          classes: textsOf(label.classes),
          many: label.many ?? false,
          message: label.message ?? '',
          role: label.role ?? ''
        }}
        onField={(field, value) =>
          editor.edit(old =>
            setStep(old, name, {
              label: withField(label, field, value || undefined)
            })
          )
        }
      />
      <HandedOn editor={editor} step={step} />
    </>
  );
}

const TARGET_WIDGETS = { target: TargetWidget };

function TargetForm({ editor, name, step }: IKindFormProps): JSX.Element {
  const { trans } = editor;
  const schema: RJSFSchema = {
    type: 'object',
    properties: {
      workflow: text(
        trans.__('Workflow'),
        trans.__('a document, or NAME@VERSION of a release')
      )
    }
  };
  return (
    <DocumentForm
      editor={editor}
      place={`steps.${name}`}
      schema={schema}
      uiSchema={{
        workflow: { 'ui:widget': 'target', 'ui:options': { step: name } }
      }}
      widgets={TARGET_WIDGETS}
      data={{ workflow: step.workflow }}
      onField={(_, value) =>
        editor.edit(old => setStep(old, name, { workflow: value as string }))
      }
    />
  );
}

/** What other steps can take of the answer. */
function HandedOn(props: { editor: Editor; step: Step }): JSX.Element {
  const { outputs, artifacts } = handedOn(props.step)!;
  return (
    <>
      <h3 className="mlwf-Inspector-heading">
        {props.editor.trans.__('Outputs')}
      </h3>
      <p className="mlwf-Chips mlwf-Outputs">
        {[...outputs, ...artifacts].map(output => (
          <span className="mlwf-Chip" key={output}>
            {output}
          </span>
        ))}
      </p>
    </>
  );
}

/** A field that adds a value for a person to look at. */
export function ShownValues(props: {
  editor: Editor;
  name: string;
  step: Step;
}): JSX.Element {
  const { editor, name, step } = props;
  const { trans } = editor;
  const taken = Object.keys(step.parameters ?? {});
  return (
    <div className="rjsf mlwf-Labelled">
      <TextField
        key={taken.length}
        label={trans.__('Show another value')}
        text=""
        placeholder={trans.__('name of another value to show')}
        complain={text =>
          text === '' || (IDENTIFIER.test(text) && !taken.includes(text))
            ? null
            : trans.__(
                'Use up to 128 letters, digits and _, no digit first, and none that is there.'
              )
        }
        onCommit={input =>
          editor.edit(old => setArgument(old, name, input, ''))
        }
      />
    </div>
  );
}

// As `IDENTIFIER_PATTERN` in `core/workflow.py`.
const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;

function text(title: string, description?: string) {
  return { type: 'string' as const, title, description };
}

function message(complaint: string): UiSchema {
  return {
    'ui:widget': 'area',
    'ui:options': {
      complain: (written: string) => (written.trim() ? null : complaint)
    }
  };
}

function role(placeholder: string): UiSchema {
  return {
    'ui:placeholder': placeholder,
    'ui:options': {
      complain: (written: string) =>
        written === '' ? null : complainName(written, [])
    }
  };
}
