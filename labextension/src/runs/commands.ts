import type { ILayoutRestorer, JupyterFrontEnd } from '@jupyterlab/application';
import type { IWidgetTracker } from '@jupyterlab/apputils';
import type { IDocumentManager } from '@jupyterlab/docmanager';
import type { IDocumentWidget } from '@jupyterlab/docregistry';
import type { TranslationBundle } from '@jupyterlab/translation';
import { runIcon, stopIcon } from '@jupyterlab/ui-components';
import type { MLWFClient } from '../api/client';
import type { EventStream } from '../api/events';
import type { RunRecord, Workflow } from '../api/types';
import { ExecutedDrive } from './drive';
import { ExecutedNotebooks, OPEN_EXECUTED } from './executed';
import { showFailure, showProblems } from './failure';
import { hasEnded } from './fold';
import type { Values } from './parameterform';

export const RunCommandIDs = {
  run: 'mlwf:run',
  stop: 'mlwf:stop',
  openExecuted: OPEN_EXECUTED
};

export interface IRunCommandsOptions {
  app: JupyterFrontEnd;
  /** Tells which workflow document is in front. */
  tracker: IWidgetTracker<IDocumentWidget>;
  client: MLWFClient;
  events: EventStream;
  docManager: IDocumentManager;
  /** Opens executed notebooks again after the page was loaded anew. */
  restorer?: ILayoutRestorer | null;
  trans: TranslationBundle;
}

/** Commands that start and stop runs and open what they left. */
export function registerRunCommands(options: IRunCommandsOptions): void {
  const { app, tracker, client, trans } = options;
  const { commands, serviceManager } = app;
  const isEnabled = () =>
    tracker.currentWidget !== null &&
    tracker.currentWidget === app.shell.currentWidget;
  const noArguments = { args: { type: 'object', properties: {} } };

  serviceManager.contents.addDrive(new ExecutedDrive(client));

  commands.addCommand(RunCommandIDs.run, {
    label: trans.__('Run Workflow'),
    caption: trans.__('Save the workflow and run it'),
    icon: runIcon,
    describedBy: noArguments,
    isEnabled,
    execute: async () => {
      const widget = tracker.currentWidget;
      if (!widget) {
        return;
      }
      const title = trans.__('Nothing was run');
      try {
        const path = await saveDocument(app, widget);
        const { problems } = await client.inspect({ path });
        if (problems.length) {
          await showProblems(title, problems, trans);
          return;
        }
        const workflow = JSON.parse(widget.context.model.toString());
        await startRun({ client, workflow, target: { path }, trans });
      } catch (reason) {
        await showFailure(title, reason, trans);
      }
    }
  });

  commands.addCommand(RunCommandIDs.stop, {
    label: trans.__('Stop Run'),
    caption: trans.__('Stop the newest run of the workflow'),
    icon: stopIcon,
    describedBy: {
      args: { type: 'object', properties: { run: { type: 'string' } } }
    },
    isEnabled: args => args.run !== undefined || isEnabled(),
    execute: async args => {
      try {
        const run = args.run
          ? (args.run as string)
          : await newestLiveRun(app, options);
        if (run) {
          await client.stopRun(run);
        }
      } catch (reason) {
        await showFailure(trans.__('Nothing was stopped'), reason, trans);
      }
    }
  });

  const executed = new ExecutedNotebooks(options);
  commands.addCommand(RunCommandIDs.openExecuted, {
    label: trans.__('Open Executed Notebook'),
    describedBy: {
      args: {
        type: 'object',
        required: ['run', 'step'],
        properties: {
          run: { type: 'string' },
          step: { type: 'string' },
          attempt: { type: 'integer' }
        }
      }
    },
    execute: async args => {
      try {
        return await executed.open({
          run: args.run as string,
          step: args.step as string,
          attempt: args.attempt as number | undefined
        });
      } catch (reason) {
        await showFailure(trans.__('Nothing was opened'), reason, trans);
      }
    }
  });
}

/**
 * Save a document if it has changed.
 *
 * @returns Its path, relative to the workspace.
 */
export async function saveDocument(
  app: JupyterFrontEnd,
  { context }: IDocumentWidget
): Promise<string> {
  await context.ready;
  if (context.model.dirty) {
    await context.save();
  }
  return app.serviceManager.contents.localPath(context.path);
}

/**
 * Start a run; asks for the parameters first, if the workflow has some.
 *
 * @returns The run; null if the person gave up.
 * @throws ApiError: it cannot be run.
 */
export async function startRun(options: {
  client: MLWFClient;
  workflow: Workflow;
  target: { path: string } | { release: string };
  trans: TranslationBundle;
}): Promise<RunRecord | null> {
  const { client, workflow, target, trans } = options;
  const { name, parameters = {} } = workflow;
  const start = (values: Values) =>
    client.startRun({ ...target, parameters: values });
  if (!Object.keys(parameters).length) {
    return start({});
  }
  const { askParameters } = await import('./rundialog');
  const what = 'release' in target ? target.release : workflow.title || name;
  return askParameters({
    title: trans.__('Run %1', what),
    parameters,
    last: async () => {
      const { runs } = await client.listRuns({ workflow: name, limit: 1 });
      return runs.length ? (await client.getRun(runs[0].id)).parameters : null;
    },
    start,
    trans
  });
}

async function newestLiveRun(
  app: JupyterFrontEnd,
  { tracker, client }: IRunCommandsOptions
): Promise<string | undefined> {
  const widget = tracker.currentWidget;
  if (!widget) {
    return undefined;
  }
  const path = app.serviceManager.contents.localPath(widget.context.path);
  const { runs } = await client.listRuns({ path });
  return runs.find(run => !hasEnded(run))?.id;
}
