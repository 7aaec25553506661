import { addIcon } from '@jupyterlab/ui-components';
import type { RJSFSchema, UiSchema } from '@rjsf/utils';
import React from 'react';
import { addParameter, setWorkflow } from '../model/edits';
import { complainName } from '../model/names';
import type { Workflow } from '../model/types';
import type { Editor } from './editor';
import { DocumentForm } from './form';
import { OutputsForm } from './outputsForm';
import { ParameterCard } from './parameterCard';
import { ScenesForm } from './scenesForm';

/** The fields of the workflow as a whole: its parameters, scenes and outputs. */
export function WorkflowForm(props: {
  editor: Editor;
  workflow: Workflow;
}): JSX.Element {
  const { editor, workflow } = props;
  const { trans } = editor;
  const schema: RJSFSchema = {
    type: 'object',
    properties: {
      name: { type: 'string', title: trans.__('Name') },
      title: { type: 'string', title: trans.__('Title') },
      max_parallel: {
        type: 'string',
        title: trans.__('Steps at once'),
        description: trans.__('at most, if the machine allows more')
      }
    }
  };
  const uiSchema: UiSchema = {
    name: {
      'ui:options': { complain: (text: string) => complainName(text, []) }
    },
    title: { 'ui:placeholder': workflow.name },
    max_parallel: {
      'ui:widget': 'value',
      'ui:placeholder': trans.__('as many as fit'),
      'ui:options': { type: 'int' }
    }
  };
  return (
    <>
      <DocumentForm
        editor={editor}
        place=""
        schema={schema}
        uiSchema={uiSchema}
        data={{
          name: workflow.name,
          title: workflow.title ?? '',
          max_parallel: workflow.max_parallel ?? undefined
        }}
        onField={(field, value) =>
          editor.edit(old => setWorkflow(old, { [field]: value }))
        }
      />
      <h3 className="mlwf-Inspector-heading">
        {trans.__('Parameters')} <small>{trans.__('asked for each run')}</small>
      </h3>
      {Object.entries(workflow.parameters ?? {}).map(([name, parameter]) => (
        <ParameterCard
          key={name}
          editor={editor}
          workflow={workflow}
          name={name}
          parameter={parameter}
        />
      ))}
      <button
        type="button"
        className="mlwf-AddButton"
        onClick={() =>
          editor.edit(old => addParameter(old, { type: 'str' }).document)
        }
      >
        <addIcon.react tag="span" width="16px" height="16px" />
        {trans.__('Parameter')}
      </button>
      <ScenesForm editor={editor} workflow={workflow} />
      <OutputsForm editor={editor} workflow={workflow} />
    </>
  );
}
