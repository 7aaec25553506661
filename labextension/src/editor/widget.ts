import { PathExt } from '@jupyterlab/coreutils';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { renderMarkdown } from '@jupyterlab/rendermime';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import { ABCWidgetFactory, DocumentWidget } from '@jupyterlab/docregistry';
import type { ServiceManager } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import type { Widget } from '@lumino/widgets';
import type { MLWFClient } from '../api/client';
import type { EventStream } from '../api/events';
import { RunsModel } from '../runs/session';
import { RunCommandIDs } from '../runs/ids';
import { Editor } from './editor';
import { Inspection } from './inspection';
import type { WorkflowModel } from './model';
import { NotebookLines } from './notebookLines';
import { WorkflowPanel } from './panel';
import { Staleness } from './staleness';
import type { IKernelChoice } from './stepWidgets';
import { WorkspaceFiles } from './workspaceFiles';

/** Name of the factory, which the file browser shows under Open With. */
export const FACTORY = 'Workflow Editor';

type Context = DocumentRegistry.IContext<WorkflowModel>;

/** A workflow document with its toolbar. */
export class WorkflowWidget extends DocumentWidget<
  WorkflowPanel,
  WorkflowModel
> {}

export interface IWorkflowFactoryOptions extends DocumentRegistry.IWidgetFactoryOptions<WorkflowWidget> {
  client: MLWFClient;
  events: EventStream;
  services: ServiceManager.IManager;
  commands: CommandRegistry;
  rendermime: IRenderMimeRegistry;
  trans: TranslationBundle;
}

/** Makes the widgets of workflow documents. */
export class WorkflowWidgetFactory extends ABCWidgetFactory<
  WorkflowWidget,
  WorkflowModel
> {
  constructor(private readonly _options: IWorkflowFactoryOptions) {
    super(_options);
  }

  protected createNewWidget(context: Context): WorkflowWidget {
    const { client, events, services, commands, rendermime, trans } =
      this._options;
    const lines = new NotebookLines(services.contents);
    const runs = new RunsModel(client, events, context.localPath);
    const inspection = new Inspection(client, context, services.contents);
    const staleness = new Staleness(client, context, runs);
    const document = context.model.sharedModel;
    const editor = new Editor(
      document,
      inspection,
      runs,
      staleness,
      trans,
      (command, args) => void commands.execute(command, args)
    );
    context.pathChanged.connect(() => {
      runs.path = context.localPath;
    });
    const openExecuted = (
      run: string | undefined,
      step: string,
      attempt?: number
    ) =>
      void commands.execute(RunCommandIDs.openExecuted, { run, step, attempt });
    let beside: Widget | undefined;
    const content = new WorkflowPanel({
      editor,
      actions: {
        openNotebook: step => {
          const path = editor.workflow?.steps?.[step]?.notebook;
          if (path) {
            void commands
              .execute('docmanager:open', {
                path: PathExt.join(PathExt.dirname(context.path), path),
                options: beside?.isAttached
                  ? { mode: 'tab-after', ref: beside.id }
                  : { mode: 'split-right', ref: widget.id }
              })
              .then((opened: Widget | undefined) => {
                beside = opened ?? beside;
              });
          }
        },
        openExecuted: step => openExecuted(runs.current?.id, step),
        renderMarkdown: (host, source) =>
          renderMarkdown({
            host,
            source,
            trusted: false,
            sanitizer: rendermime.sanitizer,
            resolver: null,
            linkHandler: null,
            shouldTypeset: false,
            latexTypesetter: null,
            markdownParser: rendermime.markdownParser
          }),
        readNotebook: path =>
          lines.read(PathExt.join(PathExt.dirname(context.path), path)),
        folder: () => PathExt.dirname(context.localPath)
      },
      files: new WorkspaceFiles(services, () => context.localPath),
      kernels: () => kernelChoices(services),
      onOpenRunNotebook: openExecuted,
      onRunCommand: (command, args) => void commands.execute(command, args)
    });
    const widget = new WorkflowWidget({ context, content });
    return widget;
  }
}

function kernelChoices(services: ServiceManager.IManager): IKernelChoice[] {
  const specs = services.kernelspecs.specs?.kernelspecs ?? {};
  return Object.values(specs).flatMap(spec =>
    spec ? [{ name: spec.name, title: spec.display_name }] : []
  );
}
