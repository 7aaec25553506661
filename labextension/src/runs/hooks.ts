import { useEffect, useReducer } from 'react';
import type { RunsModel } from './session';

/** Render again whenever the model changes, and each second while a run is live. */
export function useRuns(model: RunsModel): void {
  const [, render] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    model.changed.connect(render);
    render();
    return () => {
      model.changed.disconnect(render);
    };
  }, [model]);
  const { live } = model;
  useEffect(() => {
    if (live) {
      const timer = window.setInterval(render, 1000);
      return () => window.clearInterval(timer);
    }
  }, [live]);
}
