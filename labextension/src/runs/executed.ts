import type { ILayoutRestorer, JupyterFrontEnd } from '@jupyterlab/application';
import { WidgetTracker } from '@jupyterlab/apputils';
import type { IDocumentManager } from '@jupyterlab/docmanager';
import type {
  DocumentRegistry,
  IDocumentWidget
} from '@jupyterlab/docregistry';
import type { TranslationBundle } from '@jupyterlab/translation';
import { notebookIcon } from '@jupyterlab/ui-components';
import { Debouncer } from '@lumino/polling';
import type { MLWFClient } from '../api/client';
import type { EventStream } from '../api/events';
import type { RunEvent } from '../api/types';
import { executedPath, type IExecuted } from './drive';

/** The command that opens an executed notebook. */
export const OPEN_EXECUTED = 'mlwf:open-executed';

const FACTORY = 'Executed Notebook';
const RELOAD_MS = 1000;

/** What Lab's notebook factory is made of, and what another one of its class is made from. */
interface INotebookFactory extends DocumentRegistry.WidgetFactory {
  readonly rendermime: unknown;
  readonly contentFactory: unknown;
  readonly mimeTypeService: unknown;
  readonly editorConfig: unknown;
  readonly notebookConfig: unknown;
}

export interface IExecutedOptions {
  app: JupyterFrontEnd;
  client: MLWFClient;
  events: EventStream;
  docManager: IDocumentManager;
  restorer?: ILayoutRestorer | null;
  trans: TranslationBundle;
}

/** Opens executed notebooks with Lab's own notebook widget: no kernel, no editing, no saving. */
export class ExecutedNotebooks {
  constructor(private readonly _options: IExecutedOptions) {
    const { restorer } = _options;
    if (restorer) {
      void restorer.restore(this._tracker, {
        command: OPEN_EXECUTED,
        args: widget => ({ ...this._opened.get(widget)! }),
        name: widget => widget.context.path
      });
    }
  }

  /**
   * Open the notebook, or show it if it is open.
   *
   * @throws ApiError: there is no such run.
   */
  async open(executed: IExecuted): Promise<IDocumentWidget | undefined> {
    const { client, docManager, trans } = this._options;
    const { run, step, attempt } = executed;
    const { number, steps } = await client.getRun(run);
    this._register();
    const name = steps[step]?.title ?? step;
    const title =
      attempt === undefined
        ? trans.__('%1 · run %2', name, number)
        : trans.__('%1 · run %2, attempt %3', name, number, attempt);
    const path = executedPath(executed, title);
    const known = docManager.findWidget(path, FACTORY);
    const widget = docManager.openOrReveal(path, FACTORY);
    if (!widget || known) {
      return widget;
    }
    widget.addClass('mlwf-Executed');
    widget.title.icon = notebookIcon;
    this._opened.set(widget, executed);
    await this._tracker.add(widget);
    this._follow(widget, executed);
    return widget;
  }

  /** Make a second factory of the class that Lab's own notebook factory has, whichever version that is. */
  private _register(): void {
    const { docRegistry } = this._options.app;
    if (docRegistry.getWidgetFactory(FACTORY)) {
      return;
    }
    const lab = docRegistry.getWidgetFactory('Notebook') as
      INotebookFactory | undefined;
    if (!lab) {
      throw new Error('This application has no notebook editor.');
    }
    const Factory = lab.constructor as new (
      options: object
    ) => DocumentRegistry.WidgetFactory;
    docRegistry.addWidgetFactory(
      new Factory({
        name: FACTORY,
        label: this._options.trans.__('Executed Notebook'),
        fileTypes: [], // not offered for files
        modelName: 'notebook',
        readOnly: true,
        preferKernel: false,
        canStartKernel: false,
        rendermime: lab.rendermime,
        contentFactory: lab.contentFactory,
        mimeTypeService: lab.mimeTypeService,
        editorConfig: lab.editorConfig,
        notebookConfig: lab.notebookConfig
      })
    );
  }

  /** Read the notebook anew while its step runs. */
  private _follow(widget: IDocumentWidget, executed: IExecuted): void {
    const { events } = this._options;
    const { context, content } = widget;
    const reload = new Debouncer(async () => {
      if (!widget.isDisposed) {
        const outer = content.node.querySelector('.jp-WindowedPanel-outer');
        const top = outer?.scrollTop ?? 0;
        await context.revert();
        outer?.scrollTo({ top });
      }
    }, RELOAD_MS);
    const slot = (_: EventStream, batch: RunEvent[]) => {
      const touched = batch.some(
        event => event.run === executed.run && event.step === executed.step
      );
      if (touched) {
        void reload.invoke();
      }
    };
    events.events.connect(slot);
    widget.disposed.connect(() => {
      events.events.disconnect(slot);
      reload.dispose();
    });
  }

  private readonly _tracker = new WidgetTracker<IDocumentWidget>({
    namespace: 'mlwf-executed'
  });
  private readonly _opened = new WeakMap<IDocumentWidget, IExecuted>();
}
