import { listIcon, notebookIcon, userIcon } from '@jupyterlab/ui-components';
import type { Node, NodeProps } from '@xyflow/react';
import { Handle, Position } from '@xyflow/react';
import React, { memo, useContext, useEffect, useReducer } from 'react';
import type { StepRecord } from '../api/types';
import { HEADER_HEIGHT, rowCentre } from '../model/geometry';
import type { IInputPort, IOutputPort } from '../model/ports';
import { describeInput, outputId } from '../model/ports';
import { formatSeconds, stateWord, stepSeconds } from '../runs/format';
import { StateChip, stateMark } from '../runs/state';
import { workflowIcon } from '../icons';
import { RenamingContext, useCanvas } from './context';
import { NodeLines, kindWord, waitingWord } from './nodeLines';
import { PullContext, usePortHint } from './ports';
import { TitleEditor } from './titleEditor';
import type { IStepView } from './views';

export type StepNode = Node<{ view: IStepView }, 'step' | 'far'>;

export function isStepNode(node: Node): node is StepNode {
  return node.type === 'step' || node.type === 'far';
}

/** Handles of the two ends of an order edge. */
export const BEFORE = 'before';
export const AFTER = 'after';

export function inputHandle(input: string): string {
  return `in.${input}`;
}

const ICONS = {
  notebook: notebookIcon,
  workflow: workflowIcon,
  person: userIcon,
  label: listIcon
};

function classesOf(
  { data: { view }, selected }: NodeProps<StepNode>,
  isBlocked: boolean
): string {
  const classes = ['mlwf-Node'];
  if (selected) {
    classes.push('mlwf-mod-selected');
  }
  if (view.problems.length) {
    classes.push('mlwf-mod-problem');
  }
  if (view.isMuted) {
    classes.push('mlwf-mod-muted');
  }
  if (isBlocked) {
    classes.push('mlwf-mod-blocked');
  }
  if (view.run) {
    classes.push(`mlwf-mod-${view.run.state}`);
  }
  return classes.join(' ');
}

/** A step from afar: its title, and the mark of its state. `FarGraph` draws its box. */
export const FarNodeView = memo(function FarNodeView(
  props: NodeProps<StepNode>
): JSX.Element {
  const { view } = props.data;
  const { editor } = useCanvas();
  const isRenamed = useContext(RenamingContext) === view.name;
  return (
    <div className="mlwf-FarNode" data-step={view.name}>
      {isRenamed ? (
        <TitleEditor editor={editor} name={view.name} />
      ) : (
        <span className="mlwf-Node-title">
          {view.run && `${stateMark(view.run.state)} `}
          {view.title}
        </span>
      )}
    </div>
  );
});

export const StepNodeView = memo(function StepNodeView(
  props: NodeProps<StepNode>
): JSX.Element {
  const { view } = props.data;
  const { editor } = useCanvas();
  const isBlocked = useContext(PullContext)?.isBlocked(view.name) ?? false;
  const isRenamed = useContext(RenamingContext) === view.name;
  const file = view.path.slice(view.path.lastIndexOf('/') + 1);
  const Icon = ICONS[view.kind];
  return (
    <div className={classesOf(props, isBlocked)} data-step={view.name}>
      <OrderHandles />
      <div className="mlwf-Node-header" style={{ height: HEADER_HEIGHT }}>
        <Icon.react
          tag="span"
          className="mlwf-Node-icon"
          width="16px"
          height="16px"
        />
        {isRenamed ? (
          <TitleEditor editor={editor} name={view.name} />
        ) : (
          <span
            className="mlwf-Node-title"
            title={view.name}
            onDoubleClick={event => {
              event.stopPropagation();
              editor.renaming = view.name;
            }}
          >
            {view.title}
          </span>
        )}
        {view.isMuted && (
          <span className="mlwf-Node-muted">{editor.trans.__('muted')}</span>
        )}
        <Problems view={view} />
        <StaleSign view={view} />
        {view.run && <StateButton view={view} run={view.run} />}
      </div>
      <Ports view={view} />
      <NodeLines view={view} />
      <div className="mlwf-Node-footer">
        <span className="mlwf-Node-file" title={view.path}>
          {file || kindWord(view, editor.trans)}
        </span>
        {view.run && <RunTime run={view.run} />}
      </div>
    </div>
  );
});

function OrderHandles(): JSX.Element {
  const { trans } = useCanvas().editor;
  const style = { top: HEADER_HEIGHT / 2 };
  const before = usePortHint(BEFORE);
  const after = usePortHint(AFTER);
  return (
    <>
      <Handle
        id={BEFORE}
        type="target"
        position={Position.Left}
        className={`mlwf-Port mlwf-mod-order${before.className}`}
        style={style}
        title={before.title ?? trans.__('Starts after…')}
      />
      <Handle
        id={AFTER}
        type="source"
        position={Position.Right}
        className={`mlwf-Port mlwf-mod-order${after.className}`}
        style={style}
        title={
          after.title ?? trans.__('Drag to a step that starts after this one')
        }
      />
    </>
  );
}

function InputHandle(props: { port: IInputPort; top: number }): JSX.Element {
  const { port, top } = props;
  const isConnected = port.source !== null;
  const hint = usePortHint(inputHandle(port.name));
  return (
    <Handle
      id={inputHandle(port.name)}
      type="target"
      position={Position.Left}
      className={
        'mlwf-Port mlwf-mod-input' +
        (isConnected ? ' mlwf-mod-connected' : '') +
        (port.isDangling ? ' mlwf-mod-dangling' : '') +
        hint.className
      }
      style={{ top }}
      title={hint.title}
    />
  );
}

function OutputHandle(props: { port: IOutputPort; top: number }): JSX.Element {
  const { port, top } = props;
  const hint = usePortHint(outputId(port));
  return (
    <Handle
      id={outputId(port)}
      type="source"
      position={Position.Right}
      className={
        'mlwf-Port mlwf-mod-output' +
        (port.isDangling ? ' mlwf-mod-dangling' : '') +
        hint.className
      }
      style={{ top }}
      title={hint.title}
    />
  );
}

function Ports({ view }: { view: IStepView }): JSX.Element | null {
  const { inputs, outputs } = view.ports;
  if (!view.rows.length) {
    return null;
  }
  return (
    <div className="mlwf-Node-ports">
      {view.rows.map((row, index) => {
        const input = row.input === null ? null : inputs[row.input];
        const output = row.output === null ? null : outputs[row.output];
        const top = rowCentre(index);
        return (
          <div className="mlwf-Node-row" key={index}>
            {input && <InputHandle port={input} top={top} />}
            {input && <InputLabel port={input} />}
            {output && <OutputLabel port={output} />}
            {output && <OutputHandle port={output} top={top} />}
          </div>
        );
      })}
    </div>
  );
}

function InputLabel({ port }: { port: IInputPort }): JSX.Element {
  const { trans } = useCanvas().editor;
  const shown = describeInput(port);
  const hint = port.isDangling
    ? trans.__('The notebook has no input ‘%1’.', port.name)
    : [port.declared?.type, port.declared?.help].filter(Boolean).join(' · ');
  return (
    <span
      className={
        'mlwf-Node-input' + (port.isDangling ? ' mlwf-mod-dangling' : '')
      }
      title={hint || port.name}
    >
      <span className="mlwf-Node-portName">
        {port.isDangling && '⚠ '}
        {port.name}
      </span>
      {shown && (
        <span
          className={`mlwf-Node-value mlwf-mod-${shown.kind}`}
          title={shown.text}
        >
          {shown.kind === 'source' ? shown.text : `= ${shown.text}`}
        </span>
      )}
    </span>
  );
}

function OutputLabel({ port }: { port: IOutputPort }): JSX.Element {
  const { trans } = useCanvas().editor;
  const hint = port.isDangling
    ? trans.__('The notebook records no ‘%1’.', port.name)
    : port.kind === 'artifacts'
      ? trans.__('artifact %1', port.name)
      : trans.__('output %1', port.name);
  return (
    <span
      className={
        'mlwf-Node-output' + (port.isDangling ? ' mlwf-mod-dangling' : '')
      }
      title={hint}
    >
      {port.isDangling && '⚠ '}
      {port.name}
    </span>
  );
}

function Problems({ view }: { view: IStepView }): JSX.Element | null {
  const { trans } = useCanvas().editor;
  if (!view.problems.length) {
    return null;
  }
  const text = view.problems
    .map(problem => `${problem.message} ${problem.mend}`)
    .join('\n');
  return (
    <span
      className="mlwf-Node-problems"
      title={text}
      role="img"
      aria-label={trans._n('%1 problem', '%1 problems', view.problems.length)}
    >
      ⚠ {view.problems.length > 1 && view.problems.length}
    </span>
  );
}

/** That a run would execute the step, and why. */
function StaleSign({ view }: { view: IStepView }): JSX.Element | null {
  const { stale } = view;
  if (!stale || stale.kind === 'off') {
    return null;
  }
  return (
    <span
      className={`mlwf-Node-stale mlwf-mod-${stale.kind}`}
      role="img"
      title={stale.why}
      aria-label={stale.why}
    >
      {stale.kind === 'never' ? '○' : '↻'}
    </span>
  );
}

/** The state of the step in the run that is shown; a click opens the executed notebook. */
function StateButton(props: { view: IStepView; run: StepRecord }): JSX.Element {
  const { view, run } = props;
  const { name, loop } = view;
  const { editor, openExecuted } = useCanvas();
  const { trans } = editor;
  // Of a loop that goes on, how far it is says more than that it runs.
  const isOnTheWay = run.state === 'running' && loop?.total != null;
  const chip = (
    <StateChip
      state={run.state}
      word={
        isOnTheWay
          ? trans.__('%1 of %2', loop.done, loop.total)
          : waitingWord(view, trans)
      }
      trans={trans}
    />
  );
  if (run.notebook === null) {
    return chip;
  }
  const word = stateWord(run.state, trans);
  return (
    <button
      className="mlwf-Node-state nodrag"
      title={trans.__('%1: open the executed notebook', word)}
      onClick={event => {
        event.stopPropagation();
        openExecuted(name);
      }}
      onDoubleClick={event => event.stopPropagation()}
    >
      {chip}
    </button>
  );
}

function RunTime({ run }: { run: StepRecord }): JSX.Element | null {
  const { runs, trans } = useCanvas().editor;
  const { client } = runs;
  const isRunning = run.state === 'running';
  const [, tick] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    if (isRunning) {
      const timer = window.setInterval(tick, 1000);
      return () => window.clearInterval(timer);
    }
  }, [isRunning]);
  const seconds = stepSeconds(run, client.now());
  if (run.source) {
    return <span>{trans.__('from run %1', run.source.number)}</span>;
  }
  return seconds === null ? null : <span>{formatSeconds(seconds)}</span>;
}
