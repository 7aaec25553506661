import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { WidgetTracker } from '@jupyterlab/apputils';
import { InputDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { searchIcon } from '@jupyterlab/ui-components';
import type { ReadonlyJSONObject } from '@lumino/coreutils';
import { front } from '../front';
import type { Alignment, Axis } from '../model/align';
import {
  addGroup,
  addNote,
  groupsOf,
  removeGroups,
  titleGroup
} from '../model/frames';
import { mute } from '../model/edits';
import * as arrange from './arrange';
import type { Args } from './commandAdder';
import { canEdit, commandAdder } from './commandAdder';
import { showShortcuts } from './shortcuts';
import type { WorkflowWidget } from './widget';

const IDs = {
  copy: 'mlwf:copy',
  cut: 'mlwf:cut',
  paste: 'mlwf:paste',
  duplicate: 'mlwf:duplicate',
  mute: 'mlwf:mute',
  move: 'mlwf:move',
  align: 'mlwf:align',
  distribute: 'mlwf:distribute',
  tidySelection: 'mlwf:tidy-selection',
  addNote: 'mlwf:add-note',
  writeNote: 'mlwf:write-note',
  group: 'mlwf:group',
  titleGroup: 'mlwf:title-group',
  ungroup: 'mlwf:ungroup',
  find: 'mlwf:find',
  shortcuts: 'mlwf:shortcuts'
} as const;

/** Those for the palette. */
export const EDIT_COMMANDS: readonly string[] = [
  IDs.copy,
  IDs.cut,
  IDs.paste,
  IDs.duplicate,
  IDs.mute,
  IDs.tidySelection,
  IDs.addNote,
  IDs.group,
  IDs.titleGroup,
  IDs.ungroup,
  IDs.find,
  IDs.shortcuts
];

export interface IEditCommandOptions {
  app: JupyterFrontEnd;
  tracker: WidgetTracker<WorkflowWidget>;
  trans: TranslationBundle;
}

/** Register what changes many steps at once, or the canvas around them. */
export function registerEditCommands(options: IEditCommandOptions): void {
  const { app, tracker, trans } = options;
  const { commands } = app;
  const addCommand = commandAdder(app, tracker);
  const add = (
    id: string,
    label: string | ((args: Args) => string),
    isPossible: (widget: WorkflowWidget) => boolean,
    execute: (widget: WorkflowWidget, args: Args) => unknown,
    more: {
      caption?: string;
      icon?: typeof searchIcon;
      isToggled?: () => boolean;
      properties?: ReadonlyJSONObject;
    } = {}
  ) => {
    const { properties = {}, ...rest } = more;
    addCommand(
      id,
      { label, ...rest, describedBy: { args: { type: 'object', properties } } },
      execute,
      widget => canEdit(widget) && isPossible(widget)
    );
  };
  const always = () => true;
  const steps = ({ content }: WorkflowWidget) => content.editor.selection.steps;
  const count = ({ content }: WorkflowWidget) =>
    content.editor.selection.steps.length +
    content.editor.selection.notes.length;
  const some = (widget: WorkflowWidget) => count(widget) > 0;
  const someSteps = (widget: WorkflowWidget) => steps(widget).length > 0;
  const several = (widget: WorkflowWidget) => count(widget) > 1;
  const groups = (widget: WorkflowWidget) =>
    groupsOf(widget.content.editor.workflow!, steps(widget));
  const inGroup = (widget: WorkflowWidget) => groups(widget).length > 0;

  add(IDs.copy, trans.__('Copy Selection'), some, ({ content }) =>
    arrange.copySelection(content.canvas)
  );
  add(IDs.cut, trans.__('Cut Selection'), some, ({ content }) => {
    arrange.copySelection(content.canvas);
    content.canvas.deleteSelection();
  });
  add(IDs.paste, trans.__('Paste'), always, ({ content }) =>
    arrange.pasteSteps(content.canvas)
  );
  add(IDs.duplicate, trans.__('Duplicate Selection'), some, ({ content }) =>
    arrange.duplicateSelection(content.canvas)
  );
  add(
    IDs.mute,
    trans.__('Mute Step'),
    someSteps,
    widget => {
      const { editor } = widget.content;
      const names = steps(widget);
      const isOn = !areMuted(widget);
      editor.edit(old => mute(old, names, isOn));
    },
    {
      caption: trans.__('Leave the step out of runs, or take it in again'),
      isToggled: () => {
        const widget = front(app, tracker);
        return (
          widget !== null &&
          canEdit(widget) &&
          someSteps(widget) &&
          areMuted(widget)
        );
      }
    }
  );
  add(
    IDs.move,
    args =>
      args.far
        ? trans.__('Move Selection')
        : trans.__('Move Selection by a Pixel'),
    some,
    ({ content }, args) =>
      arrange.moveSelection(
        content.canvas,
        args.direction as arrange.Direction,
        args.far === true
      ),
    {
      properties: {
        direction: {
          type: 'string',
          enum: ['left', 'right', 'up', 'down'],
          description: trans.__('Where to')
        },
        far: {
          type: 'boolean',
          description: trans.__('Whether by a whole square of the canvas')
        }
      }
    }
  );
  const alignments: { [how in Alignment]: string } = {
    left: trans.__('Align Left'),
    centre: trans.__('Align Centre'),
    right: trans.__('Align Right'),
    top: trans.__('Align Top'),
    middle: trans.__('Align Middle'),
    bottom: trans.__('Align Bottom')
  };
  add(
    IDs.align,
    args => alignments[args.how as Alignment] ?? trans.__('Align'),
    several,
    ({ content }, args) =>
      arrange.alignSelection(content.canvas, args.how as Alignment),
    {
      properties: {
        how: {
          type: 'string',
          enum: Object.keys(alignments),
          description: trans.__('What is put in line')
        }
      }
    }
  );
  add(
    IDs.distribute,
    args =>
      args.axis === 'vertical'
        ? trans.__('Distribute Vertically')
        : trans.__('Distribute Horizontally'),
    widget => count(widget) > 2,
    ({ content }, args) =>
      arrange.distributeSelection(content.canvas, args.axis as Axis),
    {
      properties: {
        axis: {
          type: 'string',
          enum: ['horizontal', 'vertical'],
          description: trans.__('Along which the gaps are made alike')
        }
      }
    }
  );
  add(
    IDs.tidySelection,
    trans.__('Tidy Selection'),
    widget => steps(widget).length > 1,
    ({ content }) => arrange.tidySelection(content.canvas)
  );
  add(IDs.addNote, trans.__('Add Note'), always, ({ content }) => {
    const { editor, canvas } = content;
    let added = '';
    editor.edit(old => {
      const { document, name } = addNote(old, canvas.pointer ?? canvas.middle);
      added = name;
      return document;
    });
    editor.select({ notes: [added] });
    editor.writing = added;
  });
  add(
    IDs.writeNote,
    trans.__('Write Note'),
    ({ content }) => content.editor.selection.notes.length === 1,
    ({ content }) => {
      content.editor.writing = content.editor.selection.notes[0];
    }
  );
  add(IDs.group, trans.__('Group Steps'), someSteps, widget =>
    widget.content.editor.edit(old => addGroup(old, steps(widget)).document)
  );
  add(
    IDs.titleGroup,
    trans.__('Rename Group…'),
    widget => groups(widget).length === 1,
    async widget => {
      const { editor } = widget.content;
      const [name] = groups(widget);
      const { value } = await InputDialog.getText({
        title: trans.__('Title of the group'),
        text: editor.workflow?.groups?.[name]?.title ?? ''
      });
      if (value !== null) {
        editor.edit(old => titleGroup(old, name, value));
      }
      widget.content.canvas.node.focus();
    }
  );
  add(IDs.ungroup, trans.__('Ungroup Steps'), inGroup, widget => {
    const names = groups(widget);
    widget.content.editor.edit(old => removeGroups(old, names));
  });
  add(
    IDs.find,
    trans.__('Find…'),
    always,
    ({ content }) => {
      content.editor.isSearching = true;
      content.canvas.node
        .querySelector<HTMLElement>('.mlwf-Search input')
        ?.focus();
    },
    {
      caption: trans.__('Find steps, parameters and text of notebooks'),
      icon: searchIcon
    }
  );
  add(IDs.shortcuts, trans.__('Keys on the Canvas…'), always, () =>
    showShortcuts(commands, '.mlwf-Canvas', trans)
  );
}

/** Whether all steps that are selected are muted. */
function areMuted({ content }: WorkflowWidget): boolean {
  const { workflow, selection } = content.editor;
  return selection.steps.every(name => workflow?.steps?.[name]?.muted);
}
