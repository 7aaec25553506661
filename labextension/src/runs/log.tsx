import type { TranslationBundle } from '@jupyterlab/translation';
import React, { useEffect, useState } from 'react';
import type { StepRecord } from '../api/types';
import type { RunsModel } from './session';

/** What the kernel of a step wrote outside of its notebook. */
export function Log(props: {
  model: RunsModel;
  name: string;
  step: StepRecord;
  trans: TranslationBundle;
}): JSX.Element {
  const { model, name, step, trans } = props;
  const run = model.current?.id ?? '';
  const [text, setText] = useState<string | null>(null);
  const [error, setError] = useState<string | null>(null);
  useEffect(() => {
    if (!step.attempts) {
      setText('');
      return;
    }
    let current = true;
    model.client.getLog(run, name).then(
      log => {
        if (current) {
          setText(log);
          setError(null);
        }
      },
      (reason: Error) => {
        if (current) {
          setError(reason.message);
        }
      }
    );
    return () => {
      current = false;
    };
    // Each cell that ends may have written something.
  }, [run, name, step.state, step.attempts, step.progress?.cell]);
  if (error) {
    return (
      <p className="mlwf-Runs-error" role="alert">
        {error}
      </p>
    );
  }
  return text ? (
    <pre className="mlwf-Log">{text}</pre>
  ) : (
    <p className="mlwf-Runs-empty">
      {text === null
        ? trans.__('Loading…')
        : trans.__(
            'The kernel of this step wrote nothing outside of its notebook.'
          )}
    </p>
  );
}
