import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { IWidgetTracker } from '@jupyterlab/apputils';
import type { Widget } from '@lumino/widgets';

/** The tracked widget that commands act on: the one in front; null if something else is. */
export function front<T extends Widget>(
  { shell }: JupyterFrontEnd,
  { currentWidget }: IWidgetTracker<T>
): T | null {
  return currentWidget === shell.currentWidget ? currentWidget : null;
}
