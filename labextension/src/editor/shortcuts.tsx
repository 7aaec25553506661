import { Dialog, ReactWidget } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import React from 'react';

/** Show the keys that work on the canvas, as they are set now. */
export async function showShortcuts(
  commands: CommandRegistry,
  selector: string,
  trans: TranslationBundle
): Promise<void> {
  const rows = [
    ...shortcuts(commands, selector),
    // These two are the browser's.
    [trans.__('Go through steps, connections and notes'), ['Tab']] as const,
    [trans.__('Menu of what has the focus'), ['Shift+F10']] as const
  ];
  const body = ReactWidget.create(
    <table className="mlwf-Shortcuts">
      <tbody>
        {rows.map(([label, keys]) => (
          <tr key={label}>
            <th scope="row">{label}</th>
            <td>
              {keys.map(key => (
                <kbd key={key}>{key}</kbd>
              ))}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
  const dialog = new Dialog({
    title: trans.__('Keys on the canvas'),
    body,
    buttons: [Dialog.okButton({ label: trans.__('Close') })]
  });
  await dialog.launch();
}

/** What keys do where a selector is, in words: the bindings themselves are asked. */
function shortcuts(
  commands: CommandRegistry,
  selector: string
): [label: string, keys: string[]][] {
  const found = new Map<string, Set<string>>();
  for (const binding of commands.keyBindings) {
    if (binding.selector.includes(selector)) {
      const label = commands.label(binding.command, binding.args);
      const keys = binding.keys.map(CommandRegistry.formatKeystroke).join(' ');
      found.set(label, (found.get(label) ?? new Set()).add(keys));
    }
  }
  return [...found]
    .map(([label, keys]): [string, string[]] => [label, [...keys]])
    .sort(([a], [b]) => a.localeCompare(b));
}
