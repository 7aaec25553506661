import { addIcon, deleteIcon } from '@jupyterlab/ui-components';
import type { RJSFSchema, UiSchema, WidgetProps } from '@rjsf/utils';
import React from 'react';
import { complainName } from '../model/names';
import {
  addScene,
  removeScene,
  renameScene,
  setInScene
} from '../model/scenes';
import type { Workflow } from '../model/types';
import type { Editor } from './editor';
import { TextField, editorOf } from './fields';
import { DocumentForm } from './form';
import { Check, IconButton } from './moreFields';

const WIDGETS = { scene: SceneWidget };

/** Parts of the workflow that can be run alone: each a name, and the steps that are ticked. */
export function ScenesForm(props: {
  editor: Editor;
  workflow: Workflow;
}): JSX.Element {
  const { editor, workflow } = props;
  const { trans } = editor;
  const scenes = workflow.scenes ?? {};
  const schema: RJSFSchema = {
    type: 'object',
    properties: Object.fromEntries(
      Object.keys(scenes).map(name => [name, { type: 'string', title: name }])
    )
  };
  const uiSchema: UiSchema = Object.fromEntries(
    Object.keys(scenes).map(name => [
      name,
      { 'ui:widget': 'scene', 'ui:options': { scene: name } }
    ])
  );
  return (
    <>
      <h3 className="mlwf-Inspector-heading">
        {trans.__('Scenes')} <small>{trans.__('parts that run alone')}</small>
      </h3>
      <DocumentForm
        editor={editor}
        place="scenes"
        schema={schema}
        uiSchema={uiSchema}
        widgets={WIDGETS}
        data={scenes}
        // Each tick is an edit of its own.
        onField={() => undefined}
      />
      <button
        type="button"
        className="mlwf-AddButton"
        onClick={() =>
          editor.edit(old => addScene(old, editor.selection.steps).document)
        }
      >
        <addIcon.react tag="span" width="16px" height="16px" />
        {editor.selection.steps.length
          ? trans.__('Scene of the selection')
          : trans.__('Scene')}
      </button>
    </>
  );
}

function SceneWidget(props: WidgetProps): JSX.Element {
  const editor = editorOf(props);
  const { trans, workflow } = editor;
  const { scene } = props.options as unknown as { scene: string };
  const ticked = props.value as string[];
  const steps = Object.keys(workflow?.steps ?? {});
  const others = Object.keys(workflow?.scenes ?? {}).filter(
    name => name !== scene
  );
  const strange = ticked.filter(name => !steps.includes(name));
  return (
    <div className="mlwf-Card mlwf-mod-titled" data-scene={scene}>
      <div className="mlwf-FieldRow">
        <div>
          <TextField
            id={props.id}
            label={trans.__('Name of the scene %1', scene)}
            text={scene}
            complain={to => complainName(to, others)}
            onCommit={to => editor.edit(old => renameScene(old, scene, to))}
          />
        </div>
        <IconButton
          icon={deleteIcon}
          label={trans.__('Remove %1', scene)}
          onClick={() => editor.edit(old => removeScene(old, scene))}
        />
      </div>
      <div className="mlwf-Scene-steps" role="group" aria-label={scene}>
        {[...steps, ...strange].map(step => (
          <Check
            key={step}
            label={workflow?.steps?.[step]?.title || step}
            checked={ticked.includes(step)}
            onChange={isIn =>
              editor.edit(old => setInScene(old, scene, step, isIn))
            }
          />
        ))}
      </div>
    </div>
  );
}
