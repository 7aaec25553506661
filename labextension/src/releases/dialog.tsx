import { Dialog, ReactWidget } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import type { MLWFClient } from '../api/client';
import type { Release, ReleaseProposal } from '../api/types';
import { SubmitDialog } from '../runs/submitdialog';

// As `VERSION_PATTERN` in `core/release.py`.
const VERSION = /^(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})$/;

export interface IReleaseOptions {
  client: MLWFClient;
  /** The document, relative to the workspace. */
  path: string;
  proposal: ReleaseProposal;
  trans: TranslationBundle;
}

/** Ask for version and notes until the document is released; null if the person gave up. */
export async function askRelease(
  options: IReleaseOptions
): Promise<Release | null> {
  const { proposal, trans } = options;
  const body = new ReleaseBody(options);
  const dialog = new SubmitDialog<Release | null>(
    {
      title: trans.__('Release %1', proposal.name),
      body,
      buttons: [
        Dialog.cancelButton(),
        Dialog.okButton({ label: trans.__('Release') })
      ],
      focusNodeSelector: 'textarea'
    },
    () => body.submit()
  );
  return (await dialog.launch()).value;
}

class ReleaseBody
  extends ReactWidget
  implements Dialog.IBodyWidget<Release | null>
{
  constructor(private readonly _options: IReleaseOptions) {
    super();
    this._version = _options.proposal.version;
  }

  getValue(): Release | null {
    return this._released;
  }

  async submit(): Promise<boolean> {
    const { client, path, trans } = this._options;
    const version = this._version.trim();
    if (!VERSION.test(version)) {
      this._message = trans.__(
        "'%1' is not a version: write three numbers, such as 1.0.0.",
        version
      );
    } else {
      try {
        const notes = this._notes;
        this._released = await client.release({ path, version, notes });
        return true;
      } catch (reason) {
        this._message = (reason as Error).message;
      }
    }
    this.update();
    return false;
  }

  protected render(): JSX.Element {
    const { proposal, trans } = this._options;
    const { latest, changed } = proposal;
    return (
      <div className="mlwf-Release-fields">
        <p className="mlwf-Release-hint">
          {latest === null
            ? trans.__(
                'The first release. The workflow and its notebooks are frozen as they are now.'
              )
            : changed
              ? trans.__(
                  'The latest release is %1. The workflow and its notebooks are frozen as they are now.',
                  latest
                )
              : trans.__(
                  'Nothing has changed since %1, the latest release.',
                  latest
                )}
        </p>
        {this._message && (
          <p className="mlwf-Runs-error" role="alert">
            {this._message}
          </p>
        )}
        <label htmlFor="mlwf-release-version">{trans.__('Version')}</label>
        <input
          id="mlwf-release-version"
          className="jp-mod-styled"
          value={this._version}
          spellCheck={false}
          onChange={event => {
            this._version = event.target.value;
            this.update();
          }}
        />
        <label htmlFor="mlwf-release-notes">
          {trans.__('What changed (Markdown)')}
        </label>
        <textarea
          id="mlwf-release-notes"
          className="jp-mod-styled"
          value={this._notes}
          onChange={event => {
            this._notes = event.target.value;
            this.update();
          }}
        />
      </div>
    );
  }

  private _version: string;
  private _notes = '';
  private _message = '';
  private _released: Release | null = null;
}
