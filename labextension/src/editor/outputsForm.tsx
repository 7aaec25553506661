import { deleteIcon } from '@jupyterlab/ui-components';
import type { RJSFSchema, UiSchema, WidgetProps } from '@rjsf/utils';
import React from 'react';
import { parseReference } from '../model/graph';
import { complainName, toName } from '../model/names';
import {
  addOutput,
  removeOutput,
  renameOutput,
  setOutput
} from '../model/outputs';
import type { Argument, Workflow } from '../model/types';
import { isReference } from '../model/types';
import type { Editor } from './editor';
import { TextField, editorOf } from './fields';
import { DocumentForm } from './form';
import { ArgumentField, IconButton, SourceMenu } from './moreFields';
import { allSources } from './stepScope';
import type { ISourceGroup } from './argumentField';

const WIDGETS = { output: OutputWidget };

/** What a run as a whole results in: values of steps, under names of the workflow's own. */
export function OutputsForm(props: {
  editor: Editor;
  workflow: Workflow;
}): JSX.Element {
  const { editor, workflow } = props;
  const { trans } = editor;
  const outputs = workflow.outputs ?? {};
  const groups = allSources(editor, workflow);
  const schema: RJSFSchema = {
    type: 'object',
    properties: Object.fromEntries(
      Object.keys(outputs).map(name => [name, { type: 'string', title: name }])
    )
  };
  const uiSchema: UiSchema = Object.fromEntries(
    Object.keys(outputs).map(name => [
      name,
      { 'ui:widget': 'output', 'ui:options': { output: name, groups } }
    ])
  );
  return (
    <>
      <h3 className="mlwf-Inspector-heading">
        {trans.__('Outputs')} <small>{trans.__('what a run results in')}</small>
      </h3>
      <DocumentForm
        editor={editor}
        place="outputs"
        schema={schema}
        uiSchema={uiSchema}
        widgets={WIDGETS}
        data={outputs}
        onField={(name, value) =>
          editor.edit(old => setOutput(old, name, value as Argument))
        }
      />
      <div className="rjsf">
        <SourceMenu
          label={trans.__('Add an output from…')}
          text={trans.__('Add an output…')}
          groups={groups}
          onChoose={argument =>
            editor.edit(
              old => addOutput(old, argument, wishFor(argument)).document
            )
          }
        />
      </div>
    </>
  );
}

function wishFor(argument: Argument): string {
  const source = isReference(argument) ? parseReference(argument.from) : null;
  const name = source && source.kind !== 'item' ? source.name : '';
  return toName(name.replace(/\.[a-z0-9]+$/i, ''), 'output');
}

function OutputWidget(props: WidgetProps): JSX.Element {
  const editor = editorOf(props);
  const { trans, workflow } = editor;
  const { output, groups } = props.options as unknown as {
    output: string;
    groups: ISourceGroup[];
  };
  const others = Object.keys(workflow?.outputs ?? {}).filter(
    name => name !== output
  );
  return (
    <div className="mlwf-Card mlwf-mod-titled" data-output={output}>
      <div className="mlwf-FieldRow">
        <div>
          <TextField
            id={props.id}
            label={trans.__('Name of the output %1', output)}
            text={output}
            complain={to => complainName(to, others)}
            onCommit={to => editor.edit(old => renameOutput(old, output, to))}
          />
        </div>
        <IconButton
          icon={deleteIcon}
          label={trans.__('Remove %1', output)}
          onClick={() => editor.edit(old => removeOutput(old, output))}
        />
      </div>
      <ArgumentField
        editor={editor}
        label={trans.__('Value of the output %1', output)}
        argument={props.value as Argument}
        type={null}
        groups={groups}
        onChange={argument => props.onChange(argument ?? '')}
      />
    </div>
  );
}
