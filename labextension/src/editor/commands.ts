import type { JupyterFrontEnd } from '@jupyterlab/application';
import { PathExt } from '@jupyterlab/coreutils';
import type { IDocumentManager } from '@jupyterlab/docmanager';
import type { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { FileDialog } from '@jupyterlab/filebrowser';
import type { WidgetTracker } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import {
  inspectorIcon,
  notebookIcon,
  redoIcon,
  undoIcon
} from '@jupyterlab/ui-components';
import { front } from '../front';
import { workflowIcon } from '../icons';
import { newDocument } from '../model/codec';
import { toName } from '../model/names';
import type { Direction } from '../model/neighbours';
import { commandAdder } from './commandAdder';
import type { WorkflowWidget } from './widget';
import { canBeStep } from './workspaceFiles';

export const CommandIDs = {
  create: 'mlwf:create-new',
  addStep: 'mlwf:add-step',
  connectStep: 'mlwf:connect-step',
  openNotebook: 'mlwf:open-notebook',
  rename: 'mlwf:rename-step',
  remove: 'mlwf:delete-selection',
  selectAll: 'mlwf:select-all',
  selectNext: 'mlwf:select-next',
  inspect: 'mlwf:inspect',
  undo: 'mlwf:undo',
  redo: 'mlwf:redo',
  tidy: 'mlwf:tidy',
  fit: 'mlwf:fit',
  toggleInspector: 'mlwf:toggle-inspector',
  toggleRuns: 'mlwf:toggle-runs'
} as const;

/** What the names of all commands of workflows begin with. */
const PREFIX = 'mlwf:';

const EXTENSION = '.mlwf';

export interface ICommandOptions {
  app: JupyterFrontEnd;
  tracker: WidgetTracker<WorkflowWidget>;
  documents: IDocumentManager;
  browser: IDefaultFileBrowser | null;
  factory: string;
  trans: TranslationBundle;
}

/** Register all that can be done with a workflow document, but for its runs and releases. */
export function registerCommands(options: ICommandOptions): void {
  const { app, tracker, trans } = options;
  const { commands } = app;
  const current = () => front(app, tracker);
  const add = commandAdder(app, tracker);
  const selected = ({ content }: WorkflowWidget) => content.editor.selection;
  const oneStep = (widget: WorkflowWidget) =>
    selected(widget).steps.length === 1;

  addCreate(options);
  add(
    CommandIDs.addStep,
    {
      label: trans.__('Notebooks and Workflows…'),
      caption: trans.__('Add steps for notebooks and workflows'),
      icon: notebookIcon
    },
    widget => chooseFiles(widget, options)
  );
  add(
    CommandIDs.connectStep,
    {
      label: trans.__('Connect to…'),
      caption: trans.__('List what the selected step can be connected with')
    },
    ({ content }) => content.canvas.connectSelected(),
    oneStep
  );
  add(
    CommandIDs.openNotebook,
    { label: trans.__('Open Notebook') },
    ({ content }) => content.openNotebook(content.editor.selection.steps[0]),
    oneStep
  );
  add(
    CommandIDs.rename,
    { label: trans.__('Rename Step…') },
    ({ content }) => {
      content.editor.renaming = content.editor.selection.steps[0];
    },
    oneStep
  );
  add(
    CommandIDs.remove,
    { label: trans.__('Delete Selection') },
    ({ content }) => content.canvas.deleteSelection(),
    widget => Object.values(selected(widget)).some(names => names.length > 0)
  );
  add(
    CommandIDs.selectAll,
    { label: trans.__('Select All Steps') },
    ({ content }) => content.canvas.selectAll()
  );
  add(
    CommandIDs.inspect,
    { label: trans.__('Edit Step in Inspector') },
    ({ content }) => {
      content.inspect('step');
      content.inspector.activate();
    },
    oneStep
  );
  add(
    CommandIDs.undo,
    {
      label: trans.__('Undo'),
      caption: trans.__('Undo the last edit of the workflow'),
      icon: undoIcon
    },
    ({ context }) => context.model.sharedModel.undo(),
    ({ context }) => context.model.sharedModel.canUndo()
  );
  add(
    CommandIDs.redo,
    {
      label: trans.__('Redo'),
      caption: trans.__('Redo the last edit of the workflow'),
      icon: redoIcon
    },
    ({ context }) => context.model.sharedModel.redo(),
    ({ context }) => context.model.sharedModel.canRedo()
  );
  add(
    CommandIDs.tidy,
    {
      label: trans.__('Tidy'),
      caption: trans.__('Put the steps where few connections cross')
    },
    ({ content }) => content.canvas.tidy()
  );
  add(CommandIDs.fit, { label: trans.__('Show All Steps') }, ({ content }) =>
    content.canvas.fit()
  );
  add(
    CommandIDs.toggleInspector,
    {
      label: trans.__('Inspector'),
      caption: trans.__('Show or hide the inspector'),
      icon: inspectorIcon,
      isToggled: () => current()?.content.isInspectorOpen ?? false
    },
    ({ content }) => {
      content.isInspectorOpen = !content.isInspectorOpen;
      commands.notifyCommandChanged(CommandIDs.toggleInspector);
    }
  );
  add(
    CommandIDs.toggleRuns,
    {
      label: trans.__('Runs'),
      caption: trans.__('Show or hide the runs of this workflow'),
      isToggled: () => current()?.content.isDrawerOpen ?? false
    },
    ({ content }) => {
      content.isDrawerOpen = !content.isDrawerOpen;
    }
  );
  commands.addCommand(CommandIDs.selectNext, {
    label: args =>
      args.extend
        ? trans.__('Select the Next Step, Too')
        : trans.__('Select Next Step'),
    describedBy: {
      args: {
        type: 'object',
        properties: {
          direction: {
            type: 'string',
            enum: ['left', 'right', 'up', 'down'],
            description: trans.__('Where to look for it')
          },
          extend: {
            type: 'boolean',
            description: trans.__('Whether what is selected stays selected')
          }
        },
        required: ['direction']
      }
    },
    isEnabled: () => current() !== null,
    execute: args =>
      current()?.content.canvas.selectNeighbour(
        args.direction as Direction,
        args.extend === true
      )
  });

  const notify = () =>
    commands
      .listCommands()
      .filter(id => id.startsWith(PREFIX))
      .forEach(id => commands.notifyCommandChanged(id));
  tracker.currentChanged.connect(notify);
  app.shell.currentChanged?.connect(notify);
  tracker.widgetAdded.connect((_, widget) => {
    void widget.context.ready.then(notify);
    widget.content.editor.changed.connect(() => {
      if (widget === tracker.currentWidget) {
        notify();
      }
    });
  });
}

function addCreate(options: ICommandOptions): void {
  const { app, browser, factory, trans } = options;
  const { contents } = app.serviceManager;
  app.commands.addCommand(CommandIDs.create, {
    label: args =>
      args.isPalette || args.isMenu
        ? trans.__('New Workflow')
        : trans.__('Workflow'),
    caption: trans.__('Create a new workflow'),
    icon: args => (args.isPalette ? undefined : workflowIcon),
    describedBy: {
      args: {
        type: 'object',
        properties: {
          cwd: {
            type: 'string',
            description: trans.__('The folder in which to create it')
          }
        }
      }
    },
    execute: async args => {
      const path = (args.cwd as string) ?? browser?.model.path ?? '';
      const file = await contents.newUntitled({
        path,
        type: 'file',
        ext: EXTENSION
      });
      const stem = PathExt.basename(file.path, EXTENSION);
      await contents.save(file.path, {
        type: 'file',
        format: 'text',
        content: newDocument(toName(stem, 'untitled'))
      });
      return app.commands.execute('docmanager:open', {
        path: file.path,
        factory
      });
    }
  });
}

async function chooseFiles(
  widget: WorkflowWidget,
  { documents, trans }: ICommandOptions
): Promise<void> {
  const { value } = await FileDialog.getOpenFiles({
    manager: documents,
    title: trans.__('Add steps for notebooks and workflows'),
    defaultPath: PathExt.dirname(widget.context.localPath),
    filter: model => (canBeStep(model.path) ? {} : null)
  });
  const paths = (value ?? []).map(model => model.path).filter(canBeStep);
  if (paths.length) {
    await widget.content.canvas.addFiles(paths);
  }
}
