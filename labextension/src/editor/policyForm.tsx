import type { RJSFSchema, UiSchema, WidgetProps } from '@rjsf/utils';
import React, { useState } from 'react';
import { setStep } from '../model/edits';
import {
  RETRY_REASONS,
  complainDuration,
  complainSize,
  hasField,
  hasPolicy,
  reasonsOf,
  withReason,
  withResources,
  withRetries,
  withoutDefault
} from '../model/policy';
import type { JSONValue, Retries, Step } from '../model/types';
import { isObject, stepKind } from '../model/types';
import type { Editor } from './editor';
import { EnvironmentWidget } from './environmentWidget';
import { Choice, SourceChip, TextField, editorOf } from './fields';
import { DocumentForm } from './form';
import { Check, CheckWidget } from './moreFields';

const WIDGETS = {
  cache: CacheWidget,
  files: FilesWidget,
  check: CheckWidget,
  environment: EnvironmentWidget
};
const RETRY_WIDGETS = { reasons: ReasonsWidget };

/** How a step is run: retries, limits, resources, results that serve again. */
export function PolicyForm(props: {
  editor: Editor;
  name: string;
  step: Step;
}): JSX.Element {
  const { editor, name, step } = props;
  const { trans } = editor;
  const place = `steps.${name}`;
  const kind = stepKind(step) ?? 'notebook';
  const [isOpen, setOpen] = useState(hasPolicy(step));
  const text = (title: string, description?: string) => ({
    type: 'string' as const,
    title,
    description
  });
  const number = (type: 'int' | 'float', placeholder: string) => ({
    'ui:widget': 'value',
    'ui:placeholder': placeholder,
    'ui:options': { type }
  });
  const duration = (placeholder: string) => ({
    'ui:placeholder': placeholder,
    'ui:options': { complain: complainDuration }
  });

  const retrySchema: RJSFSchema = {
    type: 'object',
    properties: {
      count: text(trans.__('Retries'), trans.__('after the first attempt')),
      ...(step.retries && {
        delay: text(trans.__('Delay'), trans.__('before the first of them')),
        backoff: text(
          trans.__('Backoff'),
          trans.__('factor by which it grows')
        ),
        on: text(trans.__('After'), trans.__('these reasons of a failure'))
      })
    }
  };
  const retryUi: UiSchema = {
    count: number('int', '0'),
    delay: duration('0s'),
    backoff: number('float', '1'),
    on: { 'ui:widget': 'reasons' }
  };
  const resourceSchema: RJSFSchema = {
    type: 'object',
    properties: {
      cpus: text(trans.__('CPUs')),
      memory: text(trans.__('Memory'), trans.__('also its limit')),
      gpus: text(trans.__('GPUs'))
    }
  };
  const resourceUi: UiSchema = {
    cpus: number('float', '1'),
    memory: {
      'ui:placeholder': trans.__('no limit'),
      'ui:options': { complain: complainSize }
    },
    gpus: number('int', '0')
  };
  const own: NonNullable<RJSFSchema['properties']> = {
    allow_failure: text(trans.__('If it fails')),
    timeout: text(trans.__('Timeout'), trans.__('of an attempt')),
    cache: text(trans.__('Use earlier results')),
    files: text(
      trans.__('Files'),
      trans.__('it depends on, beside those in code and parameters')
    ),
    environment: text(
      trans.__('Environment'),
      trans.__('variables of its processes; no secrets')
    )
  };
  const ownSchema: RJSFSchema = {
    type: 'object',
    properties: Object.fromEntries(
      Object.entries(own).filter(([field]) => hasField(kind, field))
    )
  };
  const ownUi: UiSchema = {
    allow_failure: {
      'ui:widget': 'check',
      'ui:options': { text: trans.__('the run goes on, and may succeed') }
    },
    timeout: duration(trans.__('no limit')),
    cache: { 'ui:widget': 'cache' },
    files: { 'ui:widget': 'files' },
    environment: { 'ui:widget': 'environment' }
  };
  const set = (fields: Partial<Step>) =>
    editor.edit(old => setStep(old, name, fields));
  return (
    <details
      className="mlwf-Policy"
      open={isOpen}
      onToggle={({ currentTarget }) => setOpen(currentTarget.open)}
    >
      <summary className="mlwf-Inspector-heading">{trans.__('Policy')}</summary>
      {hasField(kind, 'retries') && (
        <DocumentForm
          editor={editor}
          place={`${place}.retries`}
          schema={retrySchema}
          uiSchema={retryUi}
          widgets={RETRY_WIDGETS}
          data={{ ...step.retries, on: step.retries }}
          onField={(field, value) =>
            set({
              retries:
                field === 'on'
                  ? (value as Retries)
                  : withRetries(step.retries, field, value as JSONValue)
            })
          }
        />
      )}
      <DocumentForm
        editor={editor}
        place={place}
        schema={ownSchema}
        uiSchema={ownUi}
        widgets={WIDGETS}
        data={{
          allow_failure: step.allow_failure ?? false,
          timeout: step.timeout ?? '',
          cache: step.cache ?? true,
          files: step.files ?? [],
          environment: isObject(step.environment) ? step.environment : {}
        }}
        onField={(field, value) =>
          set({ [field]: withoutDefault(field, value) })
        }
      />
      {hasField(kind, 'resources') && (
        <DocumentForm
          editor={editor}
          place={`${place}.resources`}
          schema={resourceSchema}
          uiSchema={resourceUi}
          data={{ ...step.resources, memory: step.resources?.memory ?? '' }}
          onField={(field, value) =>
            set({
              resources: withResources(
                step.resources,
                field,
                value as JSONValue
              )
            })
          }
        />
      )}
    </details>
  );
}

/** After which failures a step is started again. */
function ReasonsWidget(props: WidgetProps): JSX.Element {
  const { trans } = editorOf(props);
  const retries = props.value as Retries;
  const words = {
    error: trans.__('an error'),
    timeout: trans.__('too long'),
    memory: trans.__('too much memory'),
    'kernel-died': trans.__('the kernel died'),
    check: trans.__('a check')
  };
  const on = reasonsOf(retries);
  return (
    <div role="group" aria-label={props.label}>
      {RETRY_REASONS.map(reason => (
        <Check
          key={reason}
          label={words[reason]}
          checked={on.includes(reason)}
          // At least one has to be left.
          disabled={on.length === 1 && on[0] === reason}
          onChange={isOn => props.onChange(withReason(retries, reason, isOn))}
        />
      ))}
    </div>
  );
}

const AGE = '1d';

/** Whether results of earlier runs serve, and how old they may be. */
function CacheWidget(props: WidgetProps): JSX.Element {
  const { trans } = editorOf(props);
  const cache = props.value as boolean | string;
  const hasAge = typeof cache === 'string';
  return (
    <>
      <Choice
        id={props.id}
        label={props.label}
        value={hasAge ? 'age' : String(cache)}
        choices={[
          ['true', trans.__('if nothing has changed')],
          ['age', trans.__('if also not older than a given age')],
          ['false', trans.__('never')]
        ]}
        onChoose={word =>
          props.onChange(word === 'age' ? AGE : word === 'true')
        }
      />
      {hasAge && (
        <TextField
          label={trans.__('Age')}
          text={cache}
          complain={text =>
            text
              ? complainDuration(text)
              : trans.__('Give a duration, such as 7d.')
          }
          onCommit={props.onChange}
        />
      )}
    </>
  );
}

/** Files and folders, with a field to add one. */
function FilesWidget(props: WidgetProps): JSX.Element {
  const { trans } = editorOf(props);
  const files = props.value as string[];
  return (
    <div className="mlwf-Chips">
      {files.map(file => (
        <SourceChip
          key={file}
          text={file}
          hint={file}
          removeLabel={trans.__('Remove %1', file)}
          onRemove={() => props.onChange(files.filter(other => other !== file))}
        />
      ))}
      <TextField
        key={files.length}
        id={props.id}
        label={props.label}
        text=""
        placeholder={trans.__('a path, such as data/raw.csv')}
        complain={text =>
          files.includes(text.trim())
            ? trans.__('It is in the list already.')
            : null
        }
        onCommit={text => {
          if (text.trim()) {
            props.onChange([...files, text.trim()]);
          }
        }}
      />
    </div>
  );
}
