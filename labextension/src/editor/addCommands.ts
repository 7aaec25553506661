import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { WidgetTracker } from '@jupyterlab/apputils';
import { InputDialog, showErrorMessage } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import type { IDocumentManager } from '@jupyterlab/docmanager';
import { FileDialog } from '@jupyterlab/filebrowser';
import type { TranslationBundle } from '@jupyterlab/translation';
import {
  MenuSvg,
  ToolbarButton,
  addIcon,
  listIcon,
  lockIcon,
  userIcon
} from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { Widget } from '@lumino/widgets';
import { workflowIcon } from '../icons';
import { setStep } from '../model/edits';
import type { INewStep } from '../model/kinds';
import { FIRST_FORM, executingStep } from '../model/kinds';
import { ReleaseCommandIDs } from '../releases/commands';
import { AddCommandIDs } from './addIds';
import { commandAdder } from './commandAdder';
import { CommandIDs } from './commands';
import type { WorkflowWidget } from './widget';

const EXTENSION = '.mlwf';

export interface IAddCommandOptions {
  app: JupyterFrontEnd;
  tracker: WidgetTracker<WorkflowWidget>;
  documents: IDocumentManager;
  trans: TranslationBundle;
}

/** Register the commands that add steps which are no notebooks, and the menu of all kinds. */
export function registerAddCommands(options: IAddCommandOptions): void {
  const { app, tracker, trans } = options;
  const { commands } = app;
  const menu = addMenu(commands, trans);
  const add = commandAdder(app, tracker);
  add(
    AddCommandIDs.menu,
    { label: trans.__('Add Step…') },
    ({ content, toolbar }) => {
      const button = toolbar.node.querySelector(`.${BUTTON}`);
      const at = button?.checkVisibility() ? button : content.canvas.node;
      openBelow(menu, at);
    }
  );
  add(
    AddCommandIDs.addWorkflow,
    {
      label: trans.__('Sub-workflow…'),
      caption: trans.__('Add a step that runs another workflow'),
      icon: workflowIcon,
      describedBy: ofStep(trans)
    },
    async (widget, args) => {
      const path = await chooseDocument(widget, options);
      if (path !== null) {
        setTarget(widget, path, args.step as string | undefined);
      }
    }
  );
  add(
    AddCommandIDs.addRelease,
    {
      label: trans.__('Released Workflow…'),
      caption: trans.__('Add a step that runs a release'),
      icon: lockIcon,
      describedBy: ofStep(trans)
    },
    async (widget, args) => {
      const target = await chooseRelease(widget, options);
      if (target !== null) {
        setTarget(widget, target, args.step as string | undefined);
      }
    }
  );
  add(
    AddCommandIDs.addPerson,
    {
      label: ({ form }) =>
        form
          ? trans.__('Person: Fill in a Form')
          : trans.__('Person: Approve or Reject'),
      caption: trans.__('Add a step at which a person answers'),
      icon: userIcon,
      describedBy: {
        args: {
          type: 'object',
          properties: {
            form: {
              type: 'boolean',
              description: trans.__('Whether the person fills in a form')
            }
          }
        }
      }
    },
    (widget, { form }) =>
      addStep(
        widget,
        form
          ? {
              wish: 'ask',
              step: {
                person: {
                  message: trans.__('Please fill in the form.'),
                  form: FIRST_FORM
                }
              }
            }
          : {
              wish: 'approve',
              step: { person: { message: trans.__('May the run go on?') } }
            }
      )
  );
  add(
    AddCommandIDs.addLabel,
    {
      label: trans.__('Label'),
      caption: trans.__('Add a step at which a person labels items'),
      icon: listIcon
    },
    widget =>
      addStep(widget, {
        wish: 'label',
        step: {
          label: { items: [], classes: [trans.__('yes'), trans.__('no')] }
        }
      })
  );
  add(
    AddCommandIDs.openWorkflow,
    { label: trans.__('Open Workflow'), describedBy: ofStep(trans) },
    ({ content, context }, args) => {
      const step = (args.step as string) ?? content.editor.selection.steps[0];
      const target = content.editor.workflow?.steps?.[step]?.workflow;
      if (target?.endsWith(EXTENSION)) {
        const folder = PathExt.dirname(context.path);
        return commands.execute('docmanager:open', {
          path: PathExt.join(folder, target)
        });
      }
      return target && commands.execute(ReleaseCommandIDs.releases);
    }
  );
}

function ofStep(trans: TranslationBundle) {
  return {
    args: {
      type: 'object',
      properties: {
        step: {
          type: 'string',
          description: trans.__('The step that is meant')
        }
      }
    }
  };
}

function addMenu(commands: CommandRegistry, trans: TranslationBundle): MenuSvg {
  const menu = new MenuSvg({ commands });
  menu.title.label = trans.__('Add Step');
  menu.addItem({ command: CommandIDs.addStep });
  menu.addItem({ command: AddCommandIDs.addWorkflow });
  menu.addItem({ command: AddCommandIDs.addRelease });
  menu.addItem({ command: AddCommandIDs.addPerson });
  menu.addItem({ command: AddCommandIDs.addPerson, args: { form: true } });
  menu.addItem({ command: AddCommandIDs.addLabel });
  return menu;
}

const BUTTON = 'mlwf-AddStepButton';

/** The button of the toolbar that opens the menu of all kinds of steps. */
export function addStepButton(
  commands: CommandRegistry,
  trans: TranslationBundle
): Widget {
  const button = new ToolbarButton({
    icon: addIcon,
    label: `${trans.__('Step')} ▾`,
    tooltip: trans.__('Add a step'),
    onClick: () => void commands.execute(AddCommandIDs.menu)
  });
  button.addClass(BUTTON);
  return button;
}

function openBelow(menu: MenuSvg, element: Element): void {
  const { left, top, bottom } = element.getBoundingClientRect();
  const isButton = element.classList.contains(BUTTON);
  menu.open(left, isButton ? bottom : top);
  menu.activeIndex = 0;
}

/** Add a step, select it, and show its fields. */
function addStep({ content }: WorkflowWidget, step: INewStep): void {
  content.canvas.addSteps([step]);
  content.inspect('step');
}

function setTarget(
  widget: WorkflowWidget,
  target: string,
  step: string | undefined
): void {
  if (step === undefined) {
    addStep(widget, executingStep('workflow', target));
  } else {
    widget.content.editor.edit(old => setStep(old, step, { workflow: target }));
  }
}

async function chooseDocument(
  { context }: WorkflowWidget,
  { documents, trans }: IAddCommandOptions
): Promise<string | null> {
  const folder = PathExt.dirname(context.localPath);
  const { value } = await FileDialog.getOpenFiles({
    manager: documents,
    title: trans.__('Choose a workflow'),
    defaultPath: folder,
    filter: ({ type, path }) =>
      type !== 'directory' && path.endsWith(EXTENSION) ? {} : null
  });
  const chosen = value?.find(({ path }) => path.endsWith(EXTENSION));
  return chosen ? PathExt.relative(folder, chosen.path) : null;
}

async function chooseRelease(
  { content }: WorkflowWidget,
  { trans }: IAddCommandOptions
): Promise<string | null> {
  const title = trans.__('Choose a release');
  const releases = await content.editor.runs.client.listReleases();
  if (!releases.length) {
    await showErrorMessage(
      title,
      trans.__('Nothing has been released yet: release a workflow first.')
    );
    return null;
  }
  const { value } = await InputDialog.getItem({
    title,
    label: trans.__('Workflow and version'),
    items: releases.map(({ name, version }) => `${name}@${version}`)
  });
  return value;
}
