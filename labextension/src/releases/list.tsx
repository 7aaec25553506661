import { Dialog, ReactWidget } from '@jupyterlab/apputils';
import { Time } from '@jupyterlab/coreutils';
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import type { ReleaseSummary } from '../api/types';

export interface IReleasesOptions {
  name: string;
  releases: readonly ReleaseSummary[];
  trans: TranslationBundle;
  onRun(release: ReleaseSummary): void;
  onDownload(release: ReleaseSummary): void;
}

/** Show the releases of a workflow, the highest version on top. */
export async function showReleases(options: IReleasesOptions): Promise<void> {
  const { name, trans } = options;
  const body = new ReleasesBody({
    ...options,
    onRun: release => {
      dialog.reject(); // the form for the parameters takes its place
      options.onRun(release);
    }
  });
  const dialog = new Dialog({
    title: trans.__('Releases of %1', name),
    body,
    buttons: [Dialog.okButton({ label: trans.__('Close') })]
  });
  await dialog.launch();
}

class ReleasesBody extends ReactWidget {
  constructor(private readonly _options: IReleasesOptions) {
    super();
  }

  protected render(): JSX.Element {
    const { releases, trans, onRun, onDownload } = this._options;
    if (!releases.length) {
      return (
        <p className="mlwf-Release-hint">
          {trans.__(
            'Not released yet: a release freezes the workflow with its notebooks.'
          )}
        </p>
      );
    }
    return (
      <table className="mlwf-Releases">
        <thead>
          <tr>
            <th>{trans.__('Version')}</th>
            <th>{trans.__('Released')}</th>
            <th>{trans.__('What changed')}</th>
            <th aria-label={trans.__('Actions')} />
          </tr>
        </thead>
        <tbody>
          {releases.map(release => (
            <tr key={release.version} data-version={release.version}>
              <td>{release.version}</td>
              <td title={Time.format(new Date(release.created))}>
                {Time.formatHuman(new Date(release.created))}
                {release.author && <div>{release.author}</div>}
              </td>
              <td>
                <div className="mlwf-Releases-notes">{release.notes}</div>
              </td>
              <td>
                <div className="mlwf-Releases-actions">
                  <button
                    className="jp-Button jp-mod-styled jp-mod-minimal"
                    onClick={() => onRun(release)}
                  >
                    {trans.__('Run…')}
                  </button>
                  <button
                    className="jp-Button jp-mod-styled jp-mod-minimal"
                    onClick={() => onDownload(release)}
                  >
                    {trans.__('Download')}
                  </button>
                </div>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    );
  }
}
