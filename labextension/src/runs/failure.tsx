import { Dialog, ReactWidget, showErrorMessage } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import { ApiError } from '../api/client';
import type { Problem } from '../api/types';
import { ProblemList } from '../editor/problems';

/** Show all that is wrong, each with its place and a way to mend it. */
export async function showProblems(
  title: string,
  problems: readonly Problem[],
  trans: TranslationBundle
): Promise<void> {
  const body = ReactWidget.create(
    <ProblemList problems={problems} trans={trans} />
  );
  body.addClass('mlwf-ProblemsDialog');
  const buttons = [Dialog.okButton({ label: trans.__('Close') })];
  await new Dialog({ title, body, buttons }).launch();
}

/** Show why something did not work: the problems if there are some, or the one sentence. */
export async function showFailure(
  title: string,
  reason: unknown,
  trans: TranslationBundle
): Promise<void> {
  if (reason instanceof ApiError && reason.problems.length) {
    await showProblems(title, reason.problems, trans);
  } else {
    await showErrorMessage(title, reason as Error);
  }
}
