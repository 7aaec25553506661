import { Dialog, ReactWidget } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { FormComponent } from '@jupyterlab/ui-components';
import type { ReadonlyJSONObject } from '@lumino/coreutils';
import { MessageLoop } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
// This module is itself loaded only when the first form is shown.
// eslint-disable-next-line jupyter/prefer-lazy-imports
import { customizeValidator } from '@rjsf/validator-ajv8';
import React from 'react';
import { ApiError } from '../api/client';
import type { RunRecord } from '../api/types';
import {
  fromFields,
  toFields,
  toSchema,
  toUiSchema,
  type Parameters,
  type Values
} from './parameterform';
import { SubmitDialog } from './submitdialog';

const validator = customizeValidator<ReadonlyJSONObject>();

export interface IParametersOptions {
  title: string;
  /** Label of the button that submits. */
  accept: string;
  /** What comes of it, in a sentence. */
  note?: string;
  parameters: Parameters;
  /** What the form shows at first; the defaults if not given. */
  given?: Values;
  /** Parameters of the last run; null if there was none. Without it, they are not offered. */
  last?(): Promise<Values | null>;
  /** Whether results of earlier runs may serve, at first. Without it, this is no choice. */
  cache?: boolean;
  submit(values: Values, cache: boolean): Promise<RunRecord>;
  trans: TranslationBundle;
}

/** Ask for parameters of a run until the server takes them; null if the person gave up. */
export async function askParameters(
  options: IParametersOptions
): Promise<RunRecord | null> {
  const { title, accept } = options;
  const body = new ParametersBody(options);
  const dialog = new SubmitDialog<RunRecord | null>(
    {
      title,
      body,
      buttons: [Dialog.cancelButton(), Dialog.okButton({ label: accept })],
      focusNodeSelector: 'input, textarea, select'
    },
    () => body.submit()
  );
  return (await dialog.launch()).value;
}

class ParametersBody
  extends ReactWidget
  implements Dialog.IBodyWidget<RunRecord | null>
{
  constructor(private readonly _options: IParametersOptions) {
    super();
    this.addClass('mlwf-Parameters');
    this._fields = toFields(_options.parameters, _options.given);
    this._cache = _options.cache ?? true;
  }

  getValue(): RunRecord | null {
    return this._answer;
  }

  /** Hand the values over; what does not fit is shown beside its field. */
  async submit(): Promise<boolean> {
    const { parameters, trans } = this._options;
    const { values, errors } = fromFields(parameters, this._fields, trans);
    this._message = '';
    this._errors = errors;
    if (!Object.keys(errors).length) {
      try {
        this._answer = await this._options.submit(values, this._cache);
        return true;
      } catch (reason) {
        this._place(reason);
      }
    }
    MessageLoop.sendMessage(this, Widget.Msg.UpdateRequest);
    await this.renderPromise;
    const first = this.node.querySelector('[role="alert"], .error-detail');
    first?.scrollIntoView({ block: 'center' });
    return false;
  }

  protected render(): JSX.Element {
    const { parameters, note, last, cache, trans } = this._options;
    const errors = Object.entries(this._errors).map(([name, error]) => [
      name,
      { __errors: [error] }
    ]);
    return (
      <>
        {note && <p className="mlwf-Parameters-note">{note}</p>}
        {this._message && (
          <p className="mlwf-Runs-error" role="alert">
            {this._message}
          </p>
        )}
        <FormComponent
          compact
          showModifiedFromDefault={false}
          schema={toSchema(parameters, trans)}
          uiSchema={toUiSchema(parameters) as never}
          validator={validator}
          // The server judges the values; the schema only arranges the fields.
          noValidate
          showErrorList={false}
          extraErrors={Object.fromEntries(errors)}
          formContext={{ defaultFormData: {} }}
          formData={this._fields as ReadonlyJSONObject}
          tagName="div"
          onChange={({ formData }) => {
            this._fields = { ...formData };
            this.update();
          }}
        />
        {cache !== undefined && (
          <label className="mlwf-Parameters-cache">
            <input
              type="checkbox"
              checked={this._cache}
              onChange={({ target }) => {
                this._cache = target.checked;
                this.update();
              }}
            />
            {trans.__('Use results of earlier runs')}
          </label>
        )}
        {last && (
          <button
            type="button"
            className="mlwf-Runs-link"
            onClick={() => void this._useValues(last)}
          >
            {trans.__('Use the values of the last run')}
          </button>
        )}
      </>
    );
  }

  private async _useValues(last: () => Promise<Values | null>): Promise<void> {
    const { parameters, trans } = this._options;
    try {
      const values = await last();
      this._message = values ? '' : trans.__('There was no run yet.');
      this._fields = toFields(parameters, values ?? {});
      this._errors = {};
    } catch (reason) {
      this._place(reason);
    }
    this.update();
  }

  /** Show problems of parameters beside their fields, and all others on top. */
  private _place(reason: unknown): void {
    const problems = reason instanceof ApiError ? reason.problems : [];
    const others: string[] = [];
    for (const { place, message, mend } of problems) {
      const [root, name] = place.split('.');
      if (root === 'parameters' && name in this._options.parameters) {
        this._errors[name] = `${message} ${mend}`;
      } else {
        others.push(`${place}: ${message} ${mend}`);
      }
    }
    this._message = problems.length
      ? others.join('\n')
      : (reason as Error).message;
  }

  private _fields: Values;
  private _errors: Record<string, string> = {};
  private _message = '';
  private _cache: boolean;
  private _answer: RunRecord | null = null;
}
