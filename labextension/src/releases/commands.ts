import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Notification, type IWidgetTracker } from '@jupyterlab/apputils';
import type { IDocumentWidget } from '@jupyterlab/docregistry';
import type { TranslationBundle } from '@jupyterlab/translation';
import { downloadIcon, runIcon } from '@jupyterlab/ui-components';
import type { MLWFClient } from '../api/client';
import type { ReleaseSummary } from '../api/types';
import { front } from '../front';
import { startRun, withSaved } from '../runs/commands';
import { showFailure, showProblems } from '../runs/failure';

export const ReleaseCommandIDs = {
  release: 'mlwf:release',
  releases: 'mlwf:releases',
  runRelease: 'mlwf:run-release',
  downloadBundle: 'mlwf:download-bundle'
};

export interface IReleaseCommandsOptions {
  app: JupyterFrontEnd;
  /** Tells which workflow document is in front. */
  tracker: IWidgetTracker<IDocumentWidget>;
  client: MLWFClient;
  trans: TranslationBundle;
}

const RELEASE_ARGUMENTS = {
  args: {
    type: 'object',
    required: ['name', 'version'],
    properties: { name: { type: 'string' }, version: { type: 'string' } }
  }
};

/** Commands that freeze a workflow, and run and download what was frozen. */
export function registerReleaseCommands(
  options: IReleaseCommandsOptions
): void {
  const { app, tracker, client, trans } = options;
  const { commands } = app;
  const isEnabled = () => front(app, tracker) !== null;
  const noArguments = { args: { type: 'object', properties: {} } };
  const onRelease =
    (command: string) =>
    ({ name, version }: ReleaseSummary) =>
      void commands.execute(command, { name, version });
  const download = onRelease(ReleaseCommandIDs.downloadBundle);

  commands.addCommand(ReleaseCommandIDs.release, {
    label: trans.__('Release Workflow…'),
    caption: trans.__('Freeze the workflow with its notebooks as a version'),
    describedBy: noArguments,
    isEnabled,
    execute: () => {
      const title = trans.__('Nothing was released');
      return withSaved(options, title, async path => {
        const proposal = await client.proposeRelease(path);
        if (proposal.problems.length) {
          await showProblems(title, proposal.problems, trans);
          return;
        }
        const { askRelease } = await import('./dialog');
        const release = await askRelease({ client, path, proposal, trans });
        if (release) {
          notify(release, download, trans);
        }
      });
    }
  });

  commands.addCommand(ReleaseCommandIDs.releases, {
    label: trans.__('Releases of Workflow…'),
    caption: trans.__('Run or download released versions'),
    describedBy: noArguments,
    isEnabled,
    execute: () => {
      const title = trans.__('The releases cannot be shown');
      return withSaved(options, title, async path => {
        const { name } = await client.proposeRelease(path);
        const releases = await client.listReleases(name);
        const { showReleases } = await import('./list');
        await showReleases({
          name,
          releases,
          trans,
          onRun: onRelease(ReleaseCommandIDs.runRelease),
          onDownload: download
        });
      });
    }
  });

  commands.addCommand(ReleaseCommandIDs.runRelease, {
    label: trans.__('Run Release'),
    icon: runIcon,
    describedBy: RELEASE_ARGUMENTS,
    execute: async args => {
      const { name, version } = args as { name: string; version: string };
      try {
        const { workflow } = await client.getRelease(name, version);
        const target = { release: `${name}@${version}` };
        await startRun({ client, workflow, target, trans });
      } catch (reason) {
        await showFailure(trans.__('Nothing was run'), reason, trans);
      }
    }
  });

  commands.addCommand(ReleaseCommandIDs.downloadBundle, {
    label: trans.__('Download Bundle'),
    icon: downloadIcon,
    describedBy: RELEASE_ARGUMENTS,
    execute: async args => {
      const { name, version } = args as { name: string; version: string };
      try {
        const bundle = await client.getBundle(name, version);
        save(bundle, `${name}-${version}.zip`);
      } catch (reason) {
        await showFailure(trans.__('Nothing was downloaded'), reason, trans);
      }
    }
  });
}

function notify(
  release: ReleaseSummary,
  download: (release: ReleaseSummary) => void,
  trans: TranslationBundle
): void {
  const { name, version } = release;
  Notification.success(trans.__('Released %1 %2.', name, version), {
    autoClose: 10_000,
    actions: [
      {
        label: trans.__('Download bundle'),
        callback: () => download(release)
      }
    ]
  });
}

/** Let the browser save data as a file. */
function save(data: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(data);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
