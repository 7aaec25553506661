/** A field for what a step is given: a literal, a source, the first of several, or an expression. */
import {
  codeIcon,
  editIcon,
  linkIcon,
  listIcon
} from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import React, { useEffect, useRef, useState } from 'react';
import type { ArgumentMode } from '../model/arguments';
import { modeOf, switched } from '../model/arguments';
import type { Source } from '../model/graph';
import { formatReference, isStepSource, parseReference } from '../model/graph';
import type { Argument, Workflow } from '../model/types';
import { isExpression, isFirst, isReference } from '../model/types';
import type { FieldType } from '../model/values';
import { fromArgument, toArgument } from '../model/values';
import type { Editor } from './editor';
import type { IExpressionScope } from './expressionField';
import { ExpressionField } from './expressionField';
import { SourceChip, ValueField } from './fields';
import type { IMode } from './modeButton';
import { ModeButton } from './modeButton';

/** Sources that an input could have, in groups. */
export interface ISourceGroup {
  label: string;
  sources: { label: string; source: Source }[];
}

interface IArgumentProps {
  id?: string;
  editor: Editor;
  label: string;
  argument: Argument | undefined;
  type: FieldType | null;
  placeholder: string;
  groups: ISourceGroup[];
  scope: IExpressionScope;
  onChange: (argument: Argument | undefined) => void;
  /** Make a parameter of the workflow of it. */
  onNew?: () => void;
}

export function ArgumentField(
  props: IArgumentProps & { wantsList?: boolean }
): JSX.Element {
  const { argument, label, editor, onChange } = props;
  const { trans } = editor;
  const [wished, setWished] = useState<ArgumentMode>('literal');
  const [isFresh, setFresh] = useState(false);
  const field = useRef<HTMLDivElement>(null);
  const left = useRef(new Map<ArgumentMode, Argument>());
  const mode = argument === undefined ? wished : modeOf(argument);
  useEffect(() => {
    if (isFresh) {
      setFresh(false);
      field.current
        ?.querySelector<HTMLElement>('input, select, .mlwf-Source-text')
        ?.focus();
    }
  }, [isFresh]);

  const choose = (next: ArgumentMode) => {
    if (argument !== undefined) {
      left.current.set(mode, argument);
    }
    setWished(next);
    setFresh(true);
    if (next !== mode) {
      onChange(switched(argument, next) ?? left.current.get(next));
    }
  };
  const clear = () => {
    // Another source is the likeliest wish.
    setWished(mode);
    onChange(undefined);
  };
  return (
    <div className="mlwf-FieldRow" ref={field}>
      <div>{fieldOf(mode, props, clear)}</div>
      <ModeButton
        label={trans.__('How %1 is given', label)}
        modes={modes(trans)}
        current={mode}
        onChoose={choose}
      />
    </div>
  );
}

function modes(trans: TranslationBundle): IMode<ArgumentMode>[] {
  return [
    { mode: 'literal', label: trans.__('A value'), icon: editIcon },
    { mode: 'source', label: trans.__('From a source'), icon: linkIcon },
    { mode: 'expression', label: trans.__('An expression'), icon: codeIcon },
    {
      mode: 'first',
      label: trans.__('The first of several that there is'),
      icon: listIcon
    }
  ];
}

function fieldOf(
  mode: ArgumentMode,
  props: IArgumentProps & { wantsList?: boolean },
  clear: () => void
): JSX.Element {
  const { argument, editor, label, onChange } = props;
  const { trans } = editor;
  switch (mode) {
    case 'literal':
      return <LiteralField {...props} />;
    case 'source':
      return isReference(argument) ? (
        <Chip
          editor={editor}
          argument={argument}
          removeLabel={trans.__('Disconnect %1', label)}
          onRemove={clear}
        />
      ) : (
        <SourceSelect
          {...props}
          onChoose={source => onChange({ from: formatReference(source) })}
        />
      );
    case 'expression':
      return (
        <ExpressionField
          id={props.id}
          label={label}
          text={isExpression(argument) ? String(argument.expr) : ''}
          placeholder={trans.__('such as params.rate * 2.0')}
          wanted={props.wantsList ? 'list' : 'value'}
          scope={props.scope}
          trans={trans}
          onCommit={expr => (expr ? onChange({ expr }) : clear())}
        />
      );
    case 'first': {
      const first = isFirst(argument) ? argument.first : [];
      return (
        <div className="mlwf-Chips">
          {first.map((each, index) => (
            <Chip
              key={index}
              editor={editor}
              argument={each}
              removeLabel={trans.__('Remove %1', textOf(each, editor.workflow))}
              onRemove={() => {
                const rest = first.filter((_, at) => at !== index);
                if (rest.length) {
                  onChange({ first: rest });
                } else {
                  clear();
                }
              }}
            />
          ))}
          <SourceSelect
            {...props}
            onNew={undefined}
            onChoose={source =>
              onChange({
                first: [...first, { from: formatReference(source) }]
              })
            }
          />
        </div>
      );
    }
  }
}

/** One part of an argument, with a button that removes it. */
function Chip(props: {
  editor: Editor;
  argument: Argument;
  removeLabel: string;
  onRemove: () => void;
}): JSX.Element {
  const { editor, argument } = props;
  const { workflow } = editor;
  const source = isReference(argument)
    ? parseReference(String(argument.from))
    : null;
  const from = source && isStepSource(source) ? source.step : null;
  return (
    <SourceChip
      text={textOf(argument, workflow)}
      hint={
        isReference(argument)
          ? String(argument.from)
          : JSON.stringify(fromArgument(argument))
      }
      removeLabel={props.removeLabel}
      onOpen={
        from !== null && workflow?.steps?.[from]
          ? () => editor.select({ steps: [from] })
          : undefined
      }
      onRemove={props.onRemove}
    />
  );
}

function textOf(argument: Argument, workflow: Workflow | null): string {
  if (isExpression(argument)) {
    return `= ${String(argument.expr)}`;
  }
  if (isFirst(argument)) {
    return `← ${argument.first.map(each => textOf(each, workflow)).join(', ')}`;
  }
  if (!isReference(argument)) {
    return JSON.stringify(fromArgument(argument));
  }
  const source = parseReference(String(argument.from));
  if (!source || !isStepSource(source)) {
    return `← ${String(argument.from)}`;
  }
  const title = workflow?.steps?.[source.step]?.title || source.step;
  return `← ${title} · ${source.name}`;
}

/** A value of its own, that comes from nowhere. */
export function LiteralField({
  editor,
  argument,
  onChange,
  ...field
}: Pick<IArgumentProps, 'id' | 'editor' | 'label' | 'argument' | 'type'> &
  Pick<IArgumentProps, 'onChange'> & { placeholder?: string }): JSX.Element {
  return (
    <ValueField
      id={field.id}
      label={field.label}
      value={argument === undefined ? undefined : fromArgument(argument)}
      type={field.type}
      placeholder={field.placeholder}
      trans={editor.trans}
      onCommit={value =>
        onChange(value === undefined ? undefined : toArgument(value))
      }
    />
  );
}

/** The entries of a list from which a source is chosen. */
export function SourceOptions(props: {
  groups: readonly ISourceGroup[];
}): JSX.Element {
  return (
    <>
      {props.groups.map(group => (
        <optgroup label={group.label} key={group.label}>
          {group.sources.map(({ label, source }) => {
            const reference = formatReference(source);
            return (
              <option key={reference} value={reference}>
                {label}
              </option>
            );
          })}
        </optgroup>
      ))}
    </>
  );
}

const NEW_PARAMETER = 'new';

/** The list from which a source is chosen. */
function SourceSelect(
  props: IArgumentProps & { onChoose: (source: Source) => void }
): JSX.Element {
  const { editor, groups, label, onNew } = props;
  const { trans } = editor;
  const name = trans.__('Take %1 from…', label);
  return (
    <div className="jp-select-wrapper mlwf-Field">
      <select
        id={props.id}
        className="jp-mod-styled"
        aria-label={name}
        title={name}
        value=""
        onChange={({ target }) => {
          const source = parseReference(target.value);
          if (source) {
            props.onChoose(source);
          } else if (target.value === NEW_PARAMETER) {
            onNew?.();
          }
        }}
      >
        <option value="" disabled>
          {trans.__('Choose a source…')}
        </option>
        <SourceOptions groups={groups} />
        {onNew && (
          <option value={NEW_PARAMETER}>
            {trans.__('New parameter of the workflow')}
          </option>
        )}
      </select>
    </div>
  );
}
