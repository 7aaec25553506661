import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import { workflowIcon } from '../icons';

/** What a workflow without steps shows. */
export function EmptyHint(props: { trans: TranslationBundle }): JSX.Element {
  const { trans } = props;
  return (
    <div className="mlwf-Empty">
      <workflowIcon.react
        tag="span"
        className="mlwf-Empty-icon"
        width="48px"
        height="48px"
      />
      <p className="mlwf-Empty-title">
        {trans.__('Drag a notebook here from the file browser')}
      </p>
      <p>
        {trans.__(
          'or add one with + Step. Its parameters become inputs, and what it records becomes outputs.'
        )}
      </p>
    </div>
  );
}
