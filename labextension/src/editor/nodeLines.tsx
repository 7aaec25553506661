/** The lines of a node below its ports: what it is to do, and what a run made of it. */
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import type { StepRecord } from '../api/types';
import { formatNumber } from '../runs/format';
import { useCanvas } from './context';
import type { IStepView, NodeLine } from './views';

const MAX_METRICS = 3;

/** What stands for the file of a step that has none. */
export function kindWord(view: IStepView, trans: TranslationBundle): string {
  switch (view.kind) {
    case 'person':
      return trans.__('a person answers');
    case 'label':
      return trans.__('a person labels');
    case 'workflow':
    case 'notebook':
      return '';
  }
}

/** Whom a step waits for, in words; undefined if it does not wait for somebody in particular. */
export function waitingWord(
  view: IStepView,
  trans: TranslationBundle
): string | undefined {
  return view.run?.state === 'waiting' && view.role
    ? trans.__('waits for %1', view.role)
    : undefined;
}

export function NodeLines({ view }: { view: IStepView }): JSX.Element {
  return (
    <>
      {view.lines.map(line => (
        <NodeLineView line={line} view={view} key={line} />
      ))}
    </>
  );
}

function NodeLineView(props: { line: NodeLine; view: IStepView }): JSX.Element {
  const { line, view } = props;
  const { trans } = useCanvas().editor;
  switch (line) {
    case 'message':
      return <Text mod="message" text={view.message!} />;
    case 'loop':
      return <Text mod="loop" text={loopText(view, trans)} />;
    case 'when':
      return <Text mod="when" text={trans.__('when %1', view.when)} />;
    case 'stale':
      return <Text mod="stale" text={`↻ ${view.stale!.why}`} />;
    case 'progress':
      return <CellProgress run={view.run!} />;
    case 'metrics':
      return <Metrics run={view.run!} />;
    case 'checks':
      return <Checks view={view} />;
    case 'failure':
      return <Text mod="error" text={view.run!.message!} />;
  }
}

function loopText({ loop }: IStepView, trans: TranslationBundle): string {
  const { over, total, done } = loop!;
  return total === null
    ? trans.__('× each of %1', over)
    : trans.__('×%1 each of %2: %3 done', total, over, done);
}

/** A line of text, the whole of which shows when it is pointed at. */
function Text({ mod, text }: { mod: string; text: string }): JSX.Element {
  return (
    <div
      className={`mlwf-Node-run mlwf-Node-text mlwf-mod-${mod}`}
      title={text}
    >
      {text}
    </div>
  );
}

function CellProgress({ run }: { run: StepRecord }): JSX.Element {
  const { trans } = useCanvas().editor;
  const { cell, cells } = run.progress!;
  return (
    <div className="mlwf-Node-run">
      <progress className="mlwf-Node-progress" value={cell} max={cells || 1} />
      <span className="mlwf-Node-cell">
        {trans.__('cell %1/%2', cell, cells)}
      </span>
    </div>
  );
}

function Metrics({ run }: { run: StepRecord }): JSX.Element {
  return (
    <div className="mlwf-Node-run mlwf-mod-metrics">
      {Object.entries(run.metrics)
        .slice(0, MAX_METRICS)
        .map(([name, value]) => (
          <span className="mlwf-Chip" key={name} title={`${name} = ${value}`}>
            {name} {formatNumber(value)}
          </span>
        ))}
    </div>
  );
}

/** Those that failed come first. */
function Checks({ view }: { view: IStepView }): JSX.Element {
  const { trans } = useCanvas().editor;
  const checks = [...view.checks].sort(
    (a, b) => Number(a.passed ?? true) - Number(b.passed ?? true)
  );
  const say = (passed: boolean | null, text: string) =>
    passed === null
      ? trans.__('Check %1', text)
      : passed
        ? trans.__('Check passed: %1', text)
        : trans.__('Check not passed: %1', text);
  return (
    <div className="mlwf-Node-run mlwf-mod-metrics">
      {checks.map(({ name, passed, text }) => (
        <span
          className={
            'mlwf-Chip mlwf-mod-check' +
            (passed === false ? ' mlwf-mod-bad' : '')
          }
          key={name}
          title={say(passed, text)}
          aria-label={say(passed, text)}
          role="img"
        >
          {passed === null ? '☐' : passed ? '✔' : '✗'} {text}
        </span>
      ))}
    </div>
  );
}
