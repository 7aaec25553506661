import type { ILayoutRestorer, JupyterFrontEnd } from '@jupyterlab/application';
import type { IWidgetTracker } from '@jupyterlab/apputils';
import type { IDocumentManager } from '@jupyterlab/docmanager';
import type { IDocumentWidget } from '@jupyterlab/docregistry';
import type { TranslationBundle } from '@jupyterlab/translation';
import { runIcon } from '@jupyterlab/ui-components';
import type { MLWFClient } from '../api/client';
import type { EventStream } from '../api/events';
import type { RunRecord, Workflow } from '../api/types';
import type { IWorkflowTracker } from '../tokens';
import { front } from '../front';
import { registerControlCommands } from './controlcommands';
import { ExecutedDrive } from './drive';
import { ExecutedNotebooks } from './executed';
import { showFailure, showProblems } from './failure';
import { RunCommandIDs } from './ids';

export interface IRunCommandsOptions {
  app: JupyterFrontEnd;
  /** Tells which workflow document is in front. */
  tracker: IWorkflowTracker;
  client: MLWFClient;
  events: EventStream;
  docManager: IDocumentManager;
  /** Opens executed notebooks again after the page was loaded anew. */
  restorer?: ILayoutRestorer | null;
  trans: TranslationBundle;
}

/** Commands that start and control runs and open what they left. */
export function registerRunCommands(options: IRunCommandsOptions): void {
  const { app, tracker, client, trans } = options;
  const { commands, serviceManager } = app;
  const isEnabled = () => front(app, tracker) !== null;

  serviceManager.contents.addDrive(new ExecutedDrive(client));

  commands.addCommand(RunCommandIDs.run, {
    label: args =>
      args.cache === false
        ? trans.__('Run Without Earlier Results')
        : trans.__('Run Workflow'),
    caption: args =>
      args.cache === false
        ? trans.__('Save the workflow and execute each step of it')
        : trans.__('Save the workflow and run it'),
    icon: runIcon,
    describedBy: {
      args: {
        type: 'object',
        properties: {
          cache: {
            type: 'boolean',
            description: trans.__('Whether results of earlier runs may serve')
          }
        }
      }
    },
    isEnabled,
    execute: args => {
      const title = trans.__('Nothing was run');
      return withSaved(options, title, async (path, { context }) => {
        const { problems } = await client.inspect({ path });
        if (problems.length) {
          await showProblems(title, problems, trans);
          return;
        }
        const workflow = JSON.parse(context.model.toString());
        const cache = args.cache !== false;
        await startRun({ client, workflow, target: { path }, cache, trans });
      });
    }
  });

  registerControlCommands(options);

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
 * Save the workflow that is in front, if it has changed, and do something with it; what goes wrong is shown.
 *
 * @param title - what is said when it goes wrong.
 * @param act - is given the path of the document, relative to the workspace.
 */
export async function withSaved<W extends IDocumentWidget>(
  options: {
    app: JupyterFrontEnd;
    tracker: IWidgetTracker<W>;
    trans: TranslationBundle;
  },
  title: string,
  act: (path: string, widget: W) => Promise<unknown>
): Promise<void> {
  const { app, tracker, trans } = options;
  const widget = tracker.currentWidget;
  if (!widget) {
    return;
  }
  const { context } = widget;
  try {
    await context.ready;
    if (context.model.dirty) {
      await context.save();
    }
    const path = app.serviceManager.contents.localPath(context.path);
    await act(path, widget);
  } catch (reason) {
    await showFailure(title, reason, trans);
  }
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
  /** Whether results of earlier runs may serve; it can be chosen with the parameters. */
  cache?: boolean;
  trans: TranslationBundle;
}): Promise<RunRecord | null> {
  const { client, workflow, target, cache = true, trans } = options;
  const { name, parameters = {} } = workflow;
  if (!Object.keys(parameters).length) {
    return client.startRun({ ...target, cache });
  }
  const { askParameters } = await import('./rundialog');
  const what = 'release' in target ? target.release : workflow.title || name;
  return askParameters({
    title: trans.__('Run %1', what),
    accept: trans.__('Run'),
    parameters,
    last: async () => {
      const { runs } = await client.listRuns({ workflow: name, limit: 1 });
      return runs.length ? (await client.getRun(runs[0].id)).parameters : null;
    },
    cache,
    submit: (values, mayServe) =>
      client.startRun({ ...target, parameters: values, cache: mayServe }),
    trans
  });
}
