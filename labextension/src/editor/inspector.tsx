import { ReactWidget } from '@jupyterlab/apputils';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';
import React, { Suspense, lazy } from 'react';
import type { Problem } from '../model/types';
import type { Editor } from './editor';
import { ProblemList } from './problems';
import type { IKernelChoice } from './stepWidgets';
import { useSignal } from './useSignal';

// The form validator loads with the first form, not with Lab.
const StepForm = lazy(async () => ({
  default: (await import('./stepForm')).StepForm
}));
const WorkflowForm = lazy(async () => ({
  default: (await import('./workflowForm')).WorkflowForm
}));

export type InspectorTab = 'step' | 'workflow' | 'problems';

export interface IInspectorOptions {
  editor: Editor;
  kernels: () => readonly IKernelChoice[];
  onOpenNotebook: (step: string) => void;
  onSelectStep: (step: string) => void;
}

/** The fields of what is selected, those of the workflow, and its problems. */
export class InspectorWidget extends ReactWidget {
  constructor(private readonly _options: IInspectorOptions) {
    super();
    this.addClass('mlwf-Inspector');
  }

  /** Another tab is shown. */
  get tabChanged(): ISignal<this, void> {
    return this._tabChanged;
  }

  get tab(): InspectorTab {
    return this._tab;
  }
  set tab(tab: InspectorTab) {
    if (tab !== this._tab) {
      this._tab = tab;
      this._tabChanged.emit();
    }
  }

  protected onActivateRequest(): void {
    this.node.querySelector('input')?.focus();
  }

  protected render(): JSX.Element {
    return <Inspector widget={this} {...this._options} />;
  }

  private _tab: InspectorTab = 'step';
  private readonly _tabChanged = new Signal<this, void>(this);
}

function Inspector(
  props: IInspectorOptions & { widget: InspectorWidget }
): JSX.Element {
  const { widget, editor } = props;
  const { trans } = editor;
  useSignal(editor.changed);
  useSignal(widget.tabChanged);
  const { length } = editor.inspection.problems;
  const tabs: [InspectorTab, string][] = [
    ['step', trans.__('Step')],
    ['workflow', trans.__('Workflow')],
    ['problems', trans.__('Problems') + (length ? ` ${length}` : '')]
  ];
  return (
    <>
      <div
        className="mlwf-Tabs"
        role="tablist"
        aria-label={trans.__('Inspector')}
      >
        {tabs.map(([id, label]) => (
          <button
            key={id}
            type="button"
            role="tab"
            className="mlwf-Tab"
            aria-selected={widget.tab === id}
            onClick={() => (widget.tab = id)}
          >
            {label}
          </button>
        ))}
      </div>
      <div className="mlwf-Inspector-content" role="tabpanel">
        <Suspense fallback={null}>
          <Content {...props} />
        </Suspense>
      </div>
    </>
  );
}

function Content(
  props: IInspectorOptions & { widget: InspectorWidget }
): JSX.Element | null {
  const { editor, widget } = props;
  const { trans, workflow } = editor;
  if (!workflow) {
    return null;
  }
  switch (widget.tab) {
    case 'problems':
      return (
        <ProblemList
          problems={editor.inspection.problems}
          trans={trans}
          onOpen={problem => openProblem(problem, props)}
        />
      );
    case 'workflow':
      return <WorkflowForm editor={editor} workflow={workflow} />;
    case 'step': {
      const { steps } = editor.selection;
      if (steps.length !== 1 || !workflow.steps?.[steps[0]]) {
        return (
          <p className="mlwf-Inspector-hint">
            {steps.length > 1
              ? trans.__('%1 steps are selected.', steps.length)
              : trans.__('Select a step to see its inputs.')}
          </p>
        );
      }
      return (
        <StepForm
          editor={editor}
          workflow={workflow}
          name={steps[0]}
          kernels={props.kernels()}
          onOpenNotebook={props.onOpenNotebook}
        />
      );
    }
  }
}

function openProblem(
  { place }: Problem,
  { editor, widget, onSelectStep }: Parameters<typeof Content>[0]
): void {
  const [area, name] = place.split('.');
  if (area === 'steps' && editor.workflow?.steps?.[name]) {
    onSelectStep(name);
    widget.tab = 'step';
  } else if (area !== 'steps') {
    widget.tab = 'workflow';
  }
}
