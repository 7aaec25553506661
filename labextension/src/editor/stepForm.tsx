import type { RJSFSchema, UiSchema } from '@rjsf/utils';
import React from 'react';
import { setArgument, setStep } from '../model/edits';
import type { IInputPort } from '../model/ports';
import { portsOf, takenOutputs } from '../model/ports';
import type { Argument, Workflow } from '../model/types';
import { stepKind, stepPath } from '../model/types';
import type { Editor } from './editor';
import { FlowForm } from './flowForm';
import { DocumentForm } from './form';
import { KindForm, ShownValues } from './kindForm';
import { PolicyForm } from './policyForm';
import { ProblemList } from './problems';
import { scopeOfStep } from './stepScope';
import type { IKernelChoice } from './stepWidgets';
import { ArgumentWidget, NotebookWidget } from './stepWidgets';

const FIELD_WIDGETS = { notebook: NotebookWidget };
const ARGUMENT_WIDGETS = { argument: ArgumentWidget };

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
  const scope = scopeOfStep(editor, workflow, name);

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
      { 'ui:widget': 'argument', 'ui:options': { port, scope, step: name } }
    ])
  );
  const place = `steps.${name}`;
  const problems = editor.inspection.problems.filter(
    problem => problem.place === place
  );
  return (
    <>
      {problems.length > 0 && <ProblemList problems={problems} trans={trans} />}
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
      <KindForm editor={editor} name={name} step={step} groups={scope.groups} />
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
      <FlowForm
        key={`flow ${name}`}
        editor={editor}
        workflow={workflow}
        name={name}
        scope={scope}
        kernels={kernels}
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
