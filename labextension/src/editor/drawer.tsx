import { ReactWidget } from '@jupyterlab/apputils';
import React, { Suspense, lazy } from 'react';
import type { IRunsDrawerProps } from '../runs/drawer';

const RunsDrawer = lazy(async () => ({
  default: (await import('../runs/drawer')).RunsDrawer
}));

/** The runs of the workflow, below the canvas. */
export class DrawerWidget extends ReactWidget {
  constructor(private readonly _props: IRunsDrawerProps) {
    super();
    this.addClass('mlwf-Drawer');
  }

  protected render(): JSX.Element {
    return (
      <Suspense fallback={null}>
        <RunsDrawer {...this._props} />
      </Suspense>
    );
  }
}
