/** Ports of the canvas: handles of React Flow, and what they say while a wire is pulled. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { useNodeId } from '@xyflow/react';
import { createContext, useContext } from 'react';
import type { Misfit, Port, Pull } from '../model/wiring';
import { portId } from '../model/wiring';
import { useCanvas } from './context';

/** The wire that is being pulled; null if none is. */
export const PullContext = createContext<Pull | null>(null);

/** The port of a handle; its id is the second part of `portId`. */
export function portAt(step: string, handle: string): Port {
  const [kind, ...rest] = handle.split('.');
  const name = rest.join('.');
  switch (kind) {
    case 'after':
      return { side: 'source', step, output: null };
    case 'before':
      return { side: 'target', step, input: null };
    case 'in':
      return { side: 'target', step, input: name };
    default:
      return {
        side: 'source',
        step,
        output: { kind: kind as 'outputs' | 'artifacts', name }
      };
  }
}

/** How a port looks while a wire is pulled, and why it cannot be connected. */
export function usePortHint(handle: string): {
  className: string;
  title: string | undefined;
} {
  const step = useNodeId()!;
  const pull = useContext(PullContext);
  const { trans } = useCanvas().editor;
  const port = portAt(step, handle);
  if (!pull || portId(pull.port) === portId(port)) {
    return { className: '', title: undefined };
  }
  const misfit = pull.complain(port);
  return misfit
    ? { className: ' mlwf-mod-unfit', title: sayMisfit(misfit, trans) }
    : { className: ' mlwf-mod-fits', title: trans.__('Can be connected') };
}

/** Why two ports cannot be connected, in a sentence. */
export function sayMisfit(misfit: Misfit, trans: TranslationBundle): string {
  switch (misfit.code) {
    case 'side':
      return trans.__('A wire leads from an output to an input.');
    case 'order':
      return trans.__(
        'A wire that carries no value leads from the edge of one step to the edge of another, not to an input.'
      );
    case 'cycle':
      return trans.__('The steps would wait for each other.');
    case 'connected':
      return trans.__('They are connected already.');
    case 'secret':
      return trans.__(
        'A secret is given by a parameter of the workflow, not by a step.'
      );
    case 'type':
      return trans.__(
        'The input takes %1, and the value is %2.',
        misfit.wanted,
        misfit.given
      );
  }
}
