import type { RJSFSchema, UiSchema, WidgetProps } from '@rjsf/utils';
import React from 'react';
import { setAfter, setStep } from '../model/edits';
import type { Argument, Step, Workflow } from '../model/types';
import { stepKind } from '../model/types';
import { ArgumentField } from './argumentField';
import type { Editor } from './editor';
import { ExpressionField } from './expressionField';
import { editorOf } from './fields';
import { DocumentForm } from './form';
import { ChoiceWidget } from './moreFields';
import type { IStepScope } from './stepScope';
import type { IKernelChoice } from './stepWidgets';
import { AfterWidget, KernelWidget } from './stepWidgets';

const WIDGETS = {
  after: AfterWidget,
  choice: ChoiceWidget,
  kernel: KernelWidget,
  loop: LoopWidget,
  when: WhenWidget
};

/** What a field that is left out means. */
const DEFAULTS: Partial<Step> = { run_if: 'all_succeeded', checks: 'fail' };

/** When a step runs, how often, and what follows from its checks. */
export function FlowForm(props: {
  editor: Editor;
  workflow: Workflow;
  name: string;
  scope: IStepScope;
  kernels: readonly IKernelChoice[];
}): JSX.Element {
  const { editor, workflow, name, scope } = props;
  const { trans } = editor;
  const step = workflow.steps![name];
  const kind = stepKind(step);
  const isNotebook = kind === 'notebook';
  const isLoop = step.foreach != null;
  const read = editor.inspection.notebook(step.notebook ?? '');
  const candidates = Object.keys(workflow.steps ?? {}).filter(
    other => !scope.waiting.has(other) && !step.after?.includes(other)
  );
  const text = (title: string, description?: string) => ({
    type: 'string' as const,
    title,
    description
  });
  const schema: RJSFSchema = {
    type: 'object',
    properties: {
      when: text(
        trans.__('Runs when'),
        trans.__('a condition; if false, it is skipped')
      ),
      run_if: text(trans.__('Steps before it')),
      after: text(trans.__('After'), trans.__('steps to wait for')),
      ...((isNotebook || kind === 'workflow') && {
        foreach: text(trans.__('Loop'), trans.__('once for each of a list')),
        ...((isLoop || step.max_parallel != null) && {
          max_parallel: text(trans.__('At once'), trans.__('items, at most'))
        })
      }),
      ...(isNotebook && {
        checks: text(trans.__('If a check fails')),
        kernel: text(trans.__('Kernel'))
      })
    }
  };
  const choice = (choices: [value: string, label: string][]) => ({
    'ui:widget': 'choice',
    'ui:options': { choices }
  });
  const uiSchema: UiSchema = {
    when: { 'ui:widget': 'when', 'ui:options': { scope } },
    run_if: choice([
      ['all_succeeded', trans.__('all have succeeded')],
      ['any_succeeded', trans.__('at least one has succeeded')],
      ['all_done', trans.__('all have ended, however they did')],
      ['any_failed', trans.__('at least one has failed')]
    ]),
    after: { 'ui:widget': 'after', 'ui:options': { candidates } },
    foreach: { 'ui:widget': 'loop', 'ui:options': { scope } },
    max_parallel: {
      'ui:widget': 'value',
      'ui:placeholder': trans.__('as many as the machine allows'),
      'ui:options': { type: 'int' }
    },
    checks: choice([
      ['fail', trans.__('the step fails')],
      ['warn', trans.__('it is only shown')],
      ['ask', trans.__('a person decides')]
    ]),
    kernel: {
      'ui:widget': 'kernel',
      'ui:options': { kernels: props.kernels, own: read?.kernel ?? null }
    }
  };
  const data = {
    when: step.when ?? '',
    run_if: step.run_if ?? DEFAULTS.run_if,
    after: step.after,
    foreach: step.foreach ?? undefined,
    max_parallel: step.max_parallel ?? undefined,
    checks: step.checks ?? DEFAULTS.checks,
    kernel: step.kernel ?? ''
  };
  const change = (old: Workflow, field: string, value: unknown): Workflow => {
    if (field === 'after') {
      return setAfter(old, name, (value as string[] | undefined) ?? []);
    }
    const isDefault = value === DEFAULTS[field as keyof Step];
    const fields = { [field]: isDefault ? undefined : value };
    // Without a loop there is nothing to limit.
    return field === 'foreach' && value === undefined
      ? setStep(old, name, { foreach: undefined, max_parallel: undefined })
      : setStep(old, name, fields);
  };
  return (
    <>
      <h3 className="mlwf-Inspector-heading">
        {trans.__('When and how often')}
      </h3>
      <DocumentForm
        editor={editor}
        place={`steps.${name}`}
        schema={schema}
        uiSchema={uiSchema}
        widgets={WIDGETS}
        data={data}
        onField={(field, value) =>
          editor.edit(old => change(old, field, value))
        }
      />
    </>
  );
}

function optionsOf(props: WidgetProps): { editor: Editor; scope: IStepScope } {
  return {
    editor: editorOf(props),
    scope: (props.options as { scope: IStepScope }).scope
  };
}

function WhenWidget(props: WidgetProps): JSX.Element {
  const { editor, scope } = optionsOf(props);
  return (
    <ExpressionField
      id={props.id}
      label={props.label}
      text={props.value as string}
      placeholder={editor.trans.__('always')}
      wanted="condition"
      scope={scope.outer.scope}
      trans={editor.trans}
      onCommit={props.onChange}
    />
  );
}

function LoopWidget(props: WidgetProps): JSX.Element {
  const { editor, scope } = optionsOf(props);
  return (
    <ArgumentField
      id={props.id}
      editor={editor}
      label={props.label}
      argument={props.value as Argument | undefined}
      type="list"
      placeholder={editor.trans.__('no loop; a list, such as [1, 2]')}
      groups={scope.outer.groups}
      scope={scope.outer.scope}
      wantsList
      onChange={props.onChange}
    />
  );
}
