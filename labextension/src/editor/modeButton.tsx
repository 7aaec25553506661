import type { LabIcon } from '@jupyterlab/ui-components';
import { MenuSvg, caretDownIcon } from '@jupyterlab/ui-components';
import { CommandRegistry } from '@lumino/commands';
import React from 'react';

export interface IMode<T extends string> {
  mode: T;
  label: string;
  icon: LabIcon;
}

/** A button with a menu of the ways in which something can be given. */
export function ModeButton<T extends string>(props: {
  label: string;
  modes: readonly IMode<T>[];
  current: T;
  onChoose: (mode: T) => void;
}): JSX.Element {
  const { label, modes, current } = props;
  const shown = modes.find(({ mode }) => mode === current) ?? modes[0];
  const title = `${label}: ${shown.label}`;
  return (
    <button
      type="button"
      className="mlwf-IconButton mlwf-Mode"
      aria-haspopup="menu"
      aria-label={title}
      title={title}
      onClick={({ currentTarget }) => openMenu(currentTarget, props)}
    >
      <shown.icon.react tag="span" width="16px" height="16px" />
      <caretDownIcon.react tag="span" width="10px" height="10px" />
    </button>
  );
}

function openMenu<T extends string>(
  button: HTMLElement,
  { modes, current, onChoose }: Parameters<typeof ModeButton<T>>[0]
): void {
  const commands = new CommandRegistry();
  const menu = new MenuSvg({ commands });
  for (const { mode, label, icon } of modes) {
    commands.addCommand(mode, {
      label,
      icon,
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () => onChoose(mode)
    });
    menu.addItem({ command: mode });
  }
  menu.aboutToClose.connect(() => {
    button.focus();
    // The menu runs its command after it has closed.
    window.setTimeout(() => menu.dispose());
  });
  const { left, bottom } = button.getBoundingClientRect();
  menu.open(left, bottom);
  menu.activeIndex = modes.findIndex(({ mode }) => mode === current);
}
