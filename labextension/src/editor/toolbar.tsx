import type { IToolbarWidgetRegistry } from '@jupyterlab/apputils';
import {
  CommandToolbarButtonComponent,
  ReactWidget,
  UseSignal,
  addCommandToolbarButtonClass
} from '@jupyterlab/apputils';
import type { CommandRegistry } from '@lumino/commands';
import type { Widget } from '@lumino/widgets';
import React from 'react';
import { RunStateChip } from '../runs/state';
import { formatSeconds, secondsSoFar } from '../runs/format';
import { useRuns } from '../runs/hooks';
import { addStepButton } from './addCommands';
import type { Editor } from './editor';
import type { WorkflowPanel } from './panel';
import { useSignal } from './useSignal';
import type { WorkflowWidget } from './widget';

/** Name of the toolbar in the settings. */
export const TOOLBAR = 'Workflow';

/** Register those items of the toolbar that are more than a command. */
export function registerToolbarItems(
  toolbars: IToolbarWidgetRegistry,
  commands: CommandRegistry
): void {
  toolbars.addFactory<WorkflowWidget>(TOOLBAR, 'save', ({ context }) =>
    addCommandToolbarButtonClass(
      ReactWidget.create(
        <UseSignal signal={context.fileChanged}>
          {() => (
            <CommandToolbarButtonComponent
              commands={commands}
              id="docmanager:save"
              label=""
              args={{ toolbar: true }}
            />
          )}
        </UseSignal>
      )
    )
  );
  toolbars.addFactory<WorkflowWidget>(TOOLBAR, 'addStep', ({ content }) =>
    addStepButton(commands, content.editor.trans)
  );
  toolbars.addFactory<WorkflowWidget>(TOOLBAR, 'problems', ({ content }) =>
    item(<ProblemsChip panel={content} />)
  );
  toolbars.addFactory<WorkflowWidget>(TOOLBAR, 'runStatus', ({ content }) =>
    item(<RunChip panel={content} />)
  );
}

function item(element: JSX.Element): Widget {
  const widget = ReactWidget.create(element);
  widget.addClass('mlwf-ToolbarItem');
  return widget;
}

/** How many problems there are; a click lists them. */
function ProblemsChip({ panel }: { panel: WorkflowPanel }): JSX.Element | null {
  const { editor } = panel;
  const { trans, inspection } = editor;
  useSignal(editor.changed);
  const { length } = inspection.problems;
  if (!length || !editor.workflow) {
    return null;
  }
  return (
    <button
      type="button"
      className="mlwf-ToolbarChip mlwf-mod-problems"
      title={trans.__('Show the problems')}
      onClick={() => panel.inspect('problems')}
    >
      <span aria-hidden="true">⚠</span>{' '}
      {trans._n('%1 problem', '%1 problems', length)}
    </button>
  );
}

/** The run that the canvas shows; a click opens or closes the list of runs. */
function RunChip({ panel }: { panel: WorkflowPanel }): JSX.Element {
  const { editor } = panel;
  const { trans, runs } = editor;
  useRuns(runs);
  const run = runs.current;
  return (
    <button
      type="button"
      className="mlwf-ToolbarChip"
      title={trans.__('Show or hide the runs of this workflow')}
      onClick={() => (panel.isDrawerOpen = !panel.isDrawerOpen)}
    >
      {run ? (
        <>
          {trans.__('Run %1', run.number)}
          <RunStateChip state={run.state} trans={trans} />
          <RunTime editor={editor} />
        </>
      ) : (
        trans.__('Runs')
      )}
    </button>
  );
}

function RunTime({ editor }: { editor: Editor }): JSX.Element | null {
  const { current, live, client } = editor.runs;
  const seconds =
    current?.seconds ??
    (live && current?.started
      ? secondsSoFar(current.started, client.now())
      : null);
  return seconds === null ? null : <>{formatSeconds(seconds)}</>;
}
