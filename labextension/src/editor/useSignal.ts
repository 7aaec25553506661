import type { ISignal } from '@lumino/signaling';
import { useEffect, useReducer } from 'react';

/** Draw a component again whenever a signal is emitted. */
export function useSignal(signal: ISignal<unknown, unknown>): void {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    // What was emitted between the first drawing and now was missed.
    redraw();
    signal.connect(redraw);
    return () => {
      signal.disconnect(redraw);
    };
  }, [signal]);
}
