import type { RJSFSchema, UiSchema, WidgetProps } from '@rjsf/utils';
import React, { useState } from 'react';
import { setStep } from '../model/edits';
import {
  complainDuration,
  complainSize,
  hasPolicy,
  withResources,
  withRetries
} from '../model/policy';
import type { JSONValue, Step } from '../model/types';
import type { Editor } from './editor';
import { SourceChip, TextField } from './fields';
import { DocumentForm } from './form';

const WIDGETS = { cache: CacheWidget, files: FilesWidget };

/** How a step is run: retries, limits, resources, results that serve again. */
export function PolicyForm(props: {
  editor: Editor;
  name: string;
  step: Step;
}): JSX.Element {
  const { editor, name, step } = props;
  const { trans } = editor;
  const place = `steps.${name}`;
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
        backoff: text(trans.__('Backoff'), trans.__('factor by which it grows'))
      })
    }
  };
  const retryUi: UiSchema = {
    count: number('int', '0'),
    delay: duration('0s'),
    backoff: number('float', '1')
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
  const ownSchema: RJSFSchema = {
    type: 'object',
    properties: {
      timeout: text(trans.__('Timeout'), trans.__('of an attempt')),
      cache: text(trans.__('Use earlier results')),
      files: text(
        trans.__('Files'),
        trans.__('it depends on, beside those in code and parameters')
      )
    }
  };
  const ownUi: UiSchema = {
    timeout: duration(trans.__('no limit')),
    cache: { 'ui:widget': 'cache' },
    files: { 'ui:widget': 'files' }
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
      <DocumentForm
        editor={editor}
        place={`${place}.retries`}
        schema={retrySchema}
        uiSchema={retryUi}
        data={step.retries ?? {}}
        onField={(field, value) =>
          set({
            retries: withRetries(step.retries, field, value as JSONValue)
          })
        }
      />
      <DocumentForm
        editor={editor}
        place={place}
        schema={ownSchema}
        uiSchema={ownUi}
        widgets={WIDGETS}
        data={{
          timeout: step.timeout ?? '',
          cache: step.cache ?? true,
          files: step.files ?? []
        }}
        onField={(field, value) =>
          set({ [field]: isDefault(value) ? undefined : value })
        }
      />
      <DocumentForm
        editor={editor}
        place={`${place}.resources`}
        schema={resourceSchema}
        uiSchema={resourceUi}
        data={{ ...step.resources, memory: step.resources?.memory ?? '' }}
        onField={(field, value) =>
          set({
            resources: withResources(step.resources, field, value as JSONValue)
          })
        }
      />
    </details>
  );
}

/** Whether a value says no more than a field that is left out: a `cache` that is on, no `files`. */
function isDefault(value: unknown): boolean {
  return value === true || (Array.isArray(value) && value.length === 0);
}

const AGE = '1d';

/** Whether results of earlier runs serve, and how old they may be. */
function CacheWidget(props: WidgetProps): JSX.Element {
  const { trans } = (props.formContext as { editor: Editor }).editor;
  const cache = props.value as boolean | string;
  const hasAge = typeof cache === 'string';
  return (
    <>
      <div className="jp-select-wrapper mlwf-Field">
        <select
          id={props.id}
          className="jp-mod-styled"
          aria-label={props.label}
          value={hasAge ? 'age' : String(cache)}
          onChange={({ target }) =>
            props.onChange(
              target.value === 'age' ? AGE : target.value === 'true'
            )
          }
        >
          <option value="true">{trans.__('if nothing has changed')}</option>
          <option value="age">
            {trans.__('if also not older than a given age')}
          </option>
          <option value="false">{trans.__('never')}</option>
        </select>
      </div>
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
  const { trans } = (props.formContext as { editor: Editor }).editor;
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
