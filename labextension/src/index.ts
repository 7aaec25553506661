import { ICollaborativeContentProvider } from '@jupyter/collaborative-drive';
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ILayoutRestorer } from '@jupyterlab/application';
import {
  ICommandPalette,
  IToolbarWidgetRegistry,
  WidgetTracker,
  createToolbarFactory
} from '@jupyterlab/apputils';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { ILauncher } from '@jupyterlab/launcher';
import { IMainMenu } from '@jupyterlab/mainmenu';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { MLWFClient } from './api/client';
import { EventStream } from './api/events';
import { registerAddCommands } from './editor/addCommands';
import { AddCommandIDs } from './editor/addIds';
import { CommandIDs, registerCommands } from './editor/commands';
import { EDIT_COMMANDS, registerEditCommands } from './editor/editcommands';
import { YWorkflow } from './editor/document';
import { MODEL_NAME, SHARED_TYPE, WorkflowModelFactory } from './editor/model';
import { TOOLBAR, registerToolbarItems } from './editor/toolbar';
import type { WorkflowWidget } from './editor/widget';
import { FACTORY, WorkflowWidgetFactory } from './editor/widget';
import { workflowIcon } from './icons';
import {
  ReleaseCommandIDs,
  registerReleaseCommands
} from './releases/commands';
import { registerRunCommands } from './runs/commands';
import { RunCommandIDs } from './runs/ids';
import { IWorkflowTracker } from './tokens';

const PLUGIN_ID = 'jupyter-mlwf:editor';
const FILE_TYPE = 'mlwf';

const editor: JupyterFrontEndPlugin<IWorkflowTracker> = {
  id: PLUGIN_ID,
  description: 'The editor of workflow documents.',
  autoStart: true,
  provides: IWorkflowTracker,
  requires: [
    IDocumentManager,
    ISettingRegistry,
    IToolbarWidgetRegistry,
    IRenderMimeRegistry
  ],
  optional: [
    ITranslator,
    ILayoutRestorer,
    ICommandPalette,
    ILauncher,
    IDefaultFileBrowser,
    IMainMenu,
    ICollaborativeContentProvider
  ],
  activate: (
    app: JupyterFrontEnd,
    documents: IDocumentManager,
    settings: ISettingRegistry,
    toolbars: IToolbarWidgetRegistry,
    rendermime: IRenderMimeRegistry,
    translator: ITranslator | null,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    launcher: ILauncher | null,
    browser: IDefaultFileBrowser | null,
    mainMenu: IMainMenu | null,
    collaboration: ICollaborativeContentProvider | null
  ) => {
    const { commands, docRegistry, serviceManager } = app;
    const translation = translator ?? nullTranslator;
    const trans = translation.load('jupyter-mlwf');
    const tracker = new WidgetTracker<WorkflowWidget>({ namespace: 'mlwf' });
    const client = new MLWFClient(serviceManager.serverSettings);
    const events = new EventStream(serviceManager.serverSettings);

    docRegistry.addFileType({
      name: FILE_TYPE,
      displayName: trans.__('Workflow'),
      extensions: ['.mlwf'],
      mimeTypes: ['application/vnd.mlwf.workflow+json'],
      fileFormat: 'text',
      contentType: 'file',
      icon: workflowIcon
    });
    docRegistry.addModelFactory(
      new WorkflowModelFactory(collaboration !== null)
    );
    collaboration?.sharedModelFactory.registerDocumentFactory(
      SHARED_TYPE as never,
      () => new YWorkflow()
    );
    registerToolbarItems(toolbars, commands);
    const factory = new WorkflowWidgetFactory({
      name: FACTORY,
      label: trans.__('Workflow Editor'),
      modelName: MODEL_NAME,
      fileTypes: [FILE_TYPE],
      defaultFor: [FILE_TYPE],
      contentProviderId: collaboration ? 'rtc' : undefined,
      translator: translation,
      toolbarFactory: createToolbarFactory(
        toolbars,
        settings,
        TOOLBAR,
        PLUGIN_ID,
        translation
      ),
      client,
      events,
      services: serviceManager,
      commands,
      rendermime,
      trans
    });
    factory.widgetCreated.connect((_, widget) => {
      widget.title.icon = workflowIcon;
      widget.context.pathChanged.connect(() => void tracker.save(widget));
      void tracker.add(widget);
    });
    docRegistry.addWidgetFactory(factory);
    registerCommands({
      app,
      tracker,
      documents,
      browser,
      factory: FACTORY,
      trans
    });
    registerAddCommands({ app, tracker, documents, trans });
    registerEditCommands({ app, tracker, trans });
    registerRunCommands({
      app,
      tracker,
      client,
      events,
      docManager: documents,
      restorer,
      trans
    });
    registerReleaseCommands({ app, tracker, client, trans });

    mainMenu?.editMenu.undoers.undo.add({
      id: CommandIDs.undo,
      rank: 5,
      isEnabled: widget => tracker.has(widget)
    });
    mainMenu?.editMenu.undoers.redo.add({
      id: CommandIDs.redo,
      rank: 5,
      isEnabled: widget => tracker.has(widget)
    });
    if (restorer) {
      void restorer.restore(tracker, {
        command: 'docmanager:open',
        args: ({ context }) => ({ path: context.path, factory: FACTORY }),
        name: ({ context }) => context.path
      });
    }
    launcher?.add({
      command: CommandIDs.create,
      category: trans.__('Other'),
      rank: 0
    });
    const category = trans.__('Workflow');
    palette?.addItem({
      command: CommandIDs.create,
      category,
      args: { isPalette: true }
    });
    for (const command of [
      RunCommandIDs.run,
      RunCommandIDs.stop,
      RunCommandIDs.pause,
      RunCommandIDs.continue,
      RunCommandIDs.change,
      RunCommandIDs.retry,
      RunCommandIDs.stopStep,
      RunCommandIDs.retryStep,
      ReleaseCommandIDs.release,
      ReleaseCommandIDs.releases,
      CommandIDs.addStep,
      AddCommandIDs.addWorkflow,
      AddCommandIDs.addRelease,
      AddCommandIDs.addPerson,
      AddCommandIDs.addLabel,
      CommandIDs.connectStep,
      CommandIDs.tidy,
      CommandIDs.fit,
      CommandIDs.toggleInspector,
      CommandIDs.toggleRuns,
      ...EDIT_COMMANDS
    ]) {
      palette?.addItem({ command, category });
    }
    palette?.addItem({
      command: RunCommandIDs.run,
      category,
      args: { cache: false }
    });
    return tracker;
  }
};

export default [editor];
export { IWorkflowTracker };
