import type { RJSFSchema, UiSchema } from '@rjsf/utils';
import React from 'react';
import { setAfter, setArgument, setStep } from '../model/edits';
import { descendants } from '../model/graph';
import type { IInputPort } from '../model/ports';
import { portsOf, takenOutputs } from '../model/ports';
import type { Argument, Workflow } from '../model/types';
import { stepKind, stepPath } from '../model/types';
import type { Editor } from './editor';
import { DocumentForm } from './form';
import { KindForm, ShownValues } from './kindForm';
import { PolicyForm } from './policyForm';
import type { IKernelChoice, ISourceGroup } from './stepWidgets';
import {
  AfterWidget,
  ArgumentWidget,
  KernelWidget,
  NotebookWidget
} from './stepWidgets';

const FIELD_WIDGETS = { notebook: NotebookWidget };
const ARGUMENT_WIDGETS = { argument: ArgumentWidget };
const END_WIDGETS = { after: AfterWidget, kernel: KernelWidget };

/** The fields of one step. */
export function StepForm(props: {
  editor: Editor;
  workflow: Workflow;
  name: string;
  kernels: readonly IKernelChoice[];
  onOpenNotebook: (step: string) => void;
}): JSX.Element {
  const { editor, workflow, name, kernels } = props;
  const { trans } = editor;
  const step = workflow.steps![name];
  const isNotebook = stepKind(step) === 'notebook';
  const read = editor.inspection.notebook(stepPath(step));
  const taken = takenOutputs(workflow).get(name) ?? [];
  const { inputs } = portsOf(workflow, name, read, taken);
  const waiting = descendants(workflow, name);
  const groups = sourceGroups(editor, workflow, waiting);
  const candidates = Object.keys(workflow.steps ?? {}).filter(
    other => !waiting.has(other) && !step.after?.includes(other)
  );

  const schema: RJSFSchema = {
    type: 'object',
    properties: {
      name: { type: 'string', title: trans.__('Name') },
      title: { type: 'string', title: trans.__('Title') },
      ...(isNotebook && {
        notebook: { type: 'string', title: trans.__('Notebook') }
      })
    }
  };
  const uiSchema: UiSchema = {
    name: {
      'ui:options': {
        complain: (text: string) => editor.complainRename(name, text)
      }
    },
    title: { 'ui:placeholder': name },
    notebook: {
      'ui:widget': 'notebook',
      'ui:options': { onOpen: () => props.onOpenNotebook(name) }
    }
  };
  const inputSchema: RJSFSchema = {
    type: 'object',
    properties: Object.fromEntries(
      inputs.map(port => [
        port.name,
        {
          type: 'string',
          title: port.name,
          description: describe(port, editor)
        }
      ])
    )
  };
  const inputUi: UiSchema = Object.fromEntries(
    inputs.map(port => [
      port.name,
      { 'ui:widget': 'argument', 'ui:options': { port, groups, step: name } }
    ])
  );
  const endSchema: RJSFSchema = {
    type: 'object',
    properties: {
      after: {
        type: 'string',
        title: trans.__('After'),
        description: trans.__('steps to wait for')
      },
      ...(isNotebook && {
        kernel: { type: 'string', title: trans.__('Kernel') }
      })
    }
  };
  const endUi: UiSchema = {
    after: {
      'ui:widget': 'after',
      'ui:options': { step: name, candidates }
    },
    kernel: {
      'ui:widget': 'kernel',
      'ui:options': { kernels, own: read?.kernel ?? null }
    }
  };
  const place = `steps.${name}`;
  return (
    <>
      <DocumentForm
        key={`fields ${name}`}
        editor={editor}
        place={place}
        schema={schema}
        uiSchema={uiSchema}
        widgets={FIELD_WIDGETS}
        data={{
          name,
          title: step.title ?? '',
          ...(isNotebook && { notebook: step.notebook })
        }}
        onField={(field, value) => {
          if (field === 'name') {
            editor.rename(name, value as string);
          } else {
            editor.edit(old => setStep(old, name, { [field]: value }));
          }
        }}
      />
      <KindForm editor={editor} name={name} step={step} groups={groups} />
      {(!step.label || inputs.length > 0) && (
        <h3 className="mlwf-Inspector-heading">
          {step.person ? trans.__('Shows') : trans.__('Inputs')}{' '}
          {isNotebook && (
            <small>
              {read
                ? trans.__('read from the notebook')
                : trans.__('the notebook cannot be read')}
            </small>
          )}
        </h3>
      )}
      {inputs.length > 0 ? (
        <DocumentForm
          key={`inputs ${name}`}
          editor={editor}
          place={`${place}.parameters`}
          schema={inputSchema}
          uiSchema={inputUi}
          widgets={ARGUMENT_WIDGETS}
          data={step.parameters ?? {}}
          onField={(input, value) =>
            editor.edit(old =>
              setArgument(old, name, input, value as Argument | undefined)
            )
          }
        />
      ) : (
        <p className="mlwf-Inspector-hint">
          {isNotebook && read
            ? trans.__('Tag a cell ‘parameters’ and assign names in it.')
            : ''}
        </p>
      )}
      {step.person && <ShownValues editor={editor} name={name} step={step} />}
      <DocumentForm
        key={`end ${name}`}
        editor={editor}
        place={place}
        schema={endSchema}
        uiSchema={endUi}
        widgets={END_WIDGETS}
        data={{ after: step.after, kernel: step.kernel ?? '' }}
        onField={(field, value) =>
          editor.edit(old =>
            field === 'after'
              ? setAfter(old, name, (value as string[] | undefined) ?? [])
              : setStep(old, name, { [field]: value })
          )
        }
      />
      <PolicyForm
        key={`policy ${name}`}
        editor={editor}
        name={name}
        step={step}
      />
    </>
  );
}

function describe(port: IInputPort, editor: Editor): string {
  const { trans } = editor;
  if (port.isDangling) {
    return trans.__('not in the notebook');
  }
  const { declared } = port;
  const needed = declared?.required ? trans.__('required') : null;
  return [declared?.type, needed, declared?.help].filter(Boolean).join(' · ');
}

/** What an input can take its value from: all but what waits for its step. */
export function sourceGroups(
  editor: Editor,
  workflow: Workflow,
  waiting: ReadonlySet<string>
): ISourceGroup[] {
  const taken = takenOutputs(workflow);
  const steps = Object.entries(workflow.steps ?? {})
    .filter(([name]) => !waiting.has(name))
    .map(([name, step]): ISourceGroup => {
      const read = editor.inspection.notebook(stepPath(step));
      const { outputs } = portsOf(workflow, name, read, taken.get(name) ?? []);
      return {
        label: step.title || name,
        sources: outputs.map(output => ({
          label: output.name,
          source: { kind: output.kind, step: name, name: output.name }
        }))
      };
    });
  const parameters: ISourceGroup = {
    label: editor.trans.__('Parameters of the workflow'),
    sources: Object.keys(workflow.parameters ?? {}).map(name => ({
      label: `params.${name}`,
      source: { kind: 'params', name }
    }))
  };
  return [parameters, ...steps].filter(group => group.sources.length > 0);
}
