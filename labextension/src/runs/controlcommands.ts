import type { TranslationBundle } from '@jupyterlab/translation';
import {
  editIcon,
  pauseIcon,
  refreshIcon,
  runIcon,
  stopIcon
} from '@jupyterlab/ui-components';
import { JSONExt, type ReadonlyPartialJSONObject } from '@lumino/coreutils';
import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { CommandRegistry } from '@lumino/commands';
import type { MLWFClient } from '../api/client';
import type { RunRecord } from '../api/types';
import type { IWorkflowTracker, IWorkflowWidget } from '../tokens';
import { front } from '../front';
import {
  canChange,
  canContinue,
  canPause,
  canRetry,
  canRetryStep,
  canStop,
  canStopStep
} from './control';
import { showFailure } from './failure';
import { RunCommandIDs } from './ids';
import type { Values } from './parameterform';

export interface IControlCommandsOptions {
  app: JupyterFrontEnd;
  /** Tells which workflow document is in front. */
  tracker: IWorkflowTracker;
  client: MLWFClient;
  trans: TranslationBundle;
}

/** What a command acts on: the run and the step that are named, or else those that are shown and selected. */
interface ITarget {
  run: string;
  step?: string;
}

/** Commands that stop, pause, change and retry a run or a step of it. */
export function registerControlCommands(
  options: IControlCommandsOptions
): void {
  const { app, tracker, client, trans } = options;
  /** Register a command; `ofStep` says that it acts on a step. */
  const add = (
    id: string,
    failure: string,
    command: Omit<CommandRegistry.ICommandOptions, 'execute'>,
    isPossible: (run: RunRecord, widget: IWorkflowWidget) => boolean,
    act: (target: ITarget) => Promise<unknown>,
    ofStep = false
  ) => {
    app.commands.addCommand(id, {
      describedBy: describe(ofStep),
      isEnabled: args => {
        const widget = front(app, tracker);
        const run = widget?.content.runs.current;
        return (
          args.run !== undefined || Boolean(run && isPossible(run, widget!))
        );
      },
      ...command,
      execute: async args => {
        const target = targetOf(args, front(app, tracker), ofStep);
        if (target) {
          try {
            await act(target);
          } catch (reason) {
            await showFailure(failure, reason, trans);
          }
        }
      }
    });
  };

  add(
    RunCommandIDs.stop,
    trans.__('Nothing was stopped'),
    {
      label: trans.__('Stop Run'),
      caption: trans.__('Stop the run that is shown'),
      icon: stopIcon
    },
    canStop,
    ({ run }) => client.stopRun(run)
  );
  add(
    RunCommandIDs.pause,
    trans.__('Nothing was paused'),
    {
      label: trans.__('Pause Run'),
      caption: trans.__('Pause: start no more steps'),
      icon: pauseIcon,
      isVisible: () =>
        front(app, tracker)?.content.runs.current?.state !== 'waiting'
    },
    canPause,
    ({ run }) => client.pauseRun(run)
  );
  add(
    RunCommandIDs.continue,
    trans.__('Nothing was continued'),
    {
      label: trans.__('Continue Run'),
      caption: trans.__('Continue: start steps again'),
      icon: runIcon,
      isVisible: () =>
        front(app, tracker)?.content.runs.current?.state === 'waiting'
    },
    canContinue,
    ({ run }) => client.continueRun(run)
  );
  add(
    RunCommandIDs.change,
    trans.__('Nothing was changed'),
    {
      label: trans.__('Change Parameters…'),
      caption: trans.__(
        'Change parameters, for the steps that have not started'
      ),
      icon: editIcon
    },
    (run, { content }) => canChange(run, content.runs.workflow),
    ({ run }) => change(run, options)
  );
  add(
    RunCommandIDs.retry,
    trans.__('Nothing was retried'),
    {
      label: trans.__('Retry Failed Steps'),
      caption: trans.__('Retry the steps that did not succeed'),
      icon: refreshIcon
    },
    canRetry,
    ({ run }) => retry({ run }, options)
  );
  add(
    RunCommandIDs.stopStep,
    trans.__('Nothing was stopped'),
    {
      label: trans.__('Stop This Step'),
      caption: trans.__('Stop this step; the run goes on with the others'),
      icon: stopIcon
    },
    (run, widget) => canStopStep(run, selectedStep(widget) ?? ''),
    ({ run, step }) => client.stopRun(run, step),
    true
  );
  add(
    RunCommandIDs.retryStep,
    trans.__('Nothing was retried'),
    {
      label: trans.__('Retry from Here'),
      caption: trans.__('Run this step again, and all that follows from it'),
      icon: refreshIcon
    },
    (run, widget) => canRetryStep(run, selectedStep(widget) ?? ''),
    target => retry(target, options),
    true
  );
}

function describe(
  ofStep: boolean
): CommandRegistry.ICommandOptions['describedBy'] {
  const properties = {
    run: { type: 'string' },
    ...(ofStep && { step: { type: 'string' } })
  };
  return { args: { type: 'object', properties } };
}

function targetOf(
  args: ReadonlyPartialJSONObject,
  widget: IWorkflowWidget | null,
  ofStep: boolean
): ITarget | null {
  if (args.run !== undefined) {
    return { run: args.run as string, step: args.step as string | undefined };
  }
  const run = widget?.content.runs.current?.id;
  const step = ofStep && widget ? selectedStep(widget) : undefined;
  return run === undefined || (ofStep && step === undefined)
    ? null
    : { run, step };
}

function selectedStep({ content }: IWorkflowWidget): string | undefined {
  const { selectedSteps } = content.canvas;
  return selectedSteps.length === 1 ? selectedSteps[0] : undefined;
}

async function change(
  run: string,
  { client, trans }: IControlCommandsOptions
): Promise<void> {
  const [record, { parameters = {} }, { askParameters }] = await Promise.all([
    client.getRun(run),
    client.getRunWorkflow(run),
    import('./rundialog')
  ]);
  await askParameters({
    title: trans.__('Change parameters of run %1', record.number),
    accept: trans.__('Change'),
    note: trans.__(
      'The new values are for the steps that have not started. Those that run or have ended keep theirs.'
    ),
    parameters,
    given: record.parameters,
    submit: async values => {
      const news = changed(record, values);
      return Object.keys(news).length
        ? client.changeParameters(run, news)
        : record;
    },
    trans
  });
}

/** Retry a run; asks for the parameters first, if the workflow has some. */
async function retry(
  { run, step }: ITarget,
  { client, trans }: IControlCommandsOptions
): Promise<void> {
  const [record, { parameters = {} }] = await Promise.all([
    client.getRun(run),
    client.getRunWorkflow(run)
  ]);
  if (!Object.keys(parameters).length) {
    await client.retryRun(run, { step });
    return;
  }
  const { askParameters } = await import('./rundialog');
  const name = step === undefined ? '' : (record.steps[step]?.title ?? step);
  await askParameters({
    title: name
      ? trans.__('Retry run %1 from %2', record.number, name)
      : trans.__('Retry run %1', record.number),
    accept: trans.__('Retry'),
    note: name
      ? trans.__(
          '%1 runs again, and all that follows from it. The other steps keep their results.',
          name
        )
      : trans.__(
          'Steps that did not succeed run again. The others keep their results.'
        ),
    parameters,
    given: record.parameters,
    submit: values =>
      client.retryRun(run, { step, parameters: changed(record, values) }),
    trans
  });
}

/** Those values that the run does not have already. */
function changed({ parameters }: RunRecord, values: Values): Values {
  return Object.fromEntries(
    Object.entries(values).filter(
      ([name, value]) =>
        !JSONExt.deepEqual(value as never, (parameters[name] ?? null) as never)
    )
  );
}
