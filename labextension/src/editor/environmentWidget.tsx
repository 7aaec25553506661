import { deleteIcon } from '@jupyterlab/ui-components';
import type { WidgetProps } from '@rjsf/utils';
import React from 'react';
import { omit, renameKey } from '../model/items';
import { TextField, editorOf } from './fields';
import { IconButton } from './moreFields';

// As `ENVIRONMENT_PATTERN` in `core/workflow.py`.
const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,255}$/;

/** Environment variables: a table of names and values, with a row to add one. */
export function EnvironmentWidget(props: WidgetProps): JSX.Element {
  const { trans } = editorOf(props);
  const variables = props.value as { [name: string]: string };
  const names = Object.keys(variables);
  const complain = (text: string, own?: string) => {
    if (!NAME.test(text)) {
      return trans.__('Use letters, digits and _, and start with no digit.');
    }
    return text !== own && names.includes(text)
      ? trans.__("'%1' exists already.", text)
      : null;
  };
  return (
    <div className="mlwf-Environment" role="group" aria-label={props.label}>
      {names.map(name => (
        <div className="mlwf-Environment-row" key={name}>
          <div>
            <TextField
              label={trans.__('Name of the variable %1', name)}
              text={name}
              complain={text => complain(text, name)}
              onCommit={to => props.onChange(renameKey(variables, name, to))}
            />
          </div>
          <div>
            <TextField
              label={trans.__('Value of %1', name)}
              text={variables[name]}
              placeholder={trans.__('empty')}
              onCommit={value =>
                props.onChange({ ...variables, [name]: value })
              }
            />
          </div>
          <IconButton
            icon={deleteIcon}
            label={trans.__('Remove %1', name)}
            onClick={() => props.onChange(omit(variables, new Set([name])))}
          />
        </div>
      ))}
      <TextField
        key={names.length}
        id={props.id}
        label={trans.__('Add a variable')}
        text=""
        placeholder={trans.__('NAME=value')}
        complain={text => {
          const [name] = split(text);
          return text === '' ? null : complain(name);
        }}
        onCommit={text => {
          if (text) {
            const [name, value] = split(text);
            props.onChange({ ...variables, [name]: value });
          }
        }}
      />
    </div>
  );
}

function split(text: string): [name: string, value: string] {
  const at = text.indexOf('=');
  return at < 0
    ? [text.trim(), '']
    : [text.slice(0, at).trim(), text.slice(at + 1)];
}
