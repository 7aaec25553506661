import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { WidgetTracker } from '@jupyterlab/apputils';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { front } from '../front';
import type { WorkflowWidget } from './widget';

export type Args = ReadonlyPartialJSONObject;

/** Register a command that acts on the workflow in front, if that is possible. */
export type AddCommand = (
  id: string,
  command: Omit<CommandRegistry.ICommandOptions, 'execute'>,
  execute: (widget: WorkflowWidget, args: Args) => unknown,
  isPossible?: (widget: WorkflowWidget) => boolean
) => void;

export function commandAdder(
  app: JupyterFrontEnd,
  tracker: WidgetTracker<WorkflowWidget>
): AddCommand {
  return (id, command, execute, isPossible = canEdit) => {
    const target = () => {
      const widget = front(app, tracker);
      return widget && isPossible(widget) ? widget : null;
    };
    app.commands.addCommand(id, {
      describedBy: { args: { type: 'object', properties: {} } },
      isEnabled: () => target() !== null,
      ...command,
      execute: args => {
        const widget = target();
        return widget ? execute(widget, args) : undefined;
      }
    });
  };
}

/** Whether the document can be edited: it is not broken. */
export function canEdit({ content }: WorkflowWidget): boolean {
  return content.editor.workflow !== null;
}
