/** What the list of connections offers. */
import { useEffect, useState } from 'react';
import { describeInput, portsOf } from '../model/ports';
import type { NotebookInterface } from '../model/types';
import type { IFacts, Port, Pull } from '../model/wiring';
import { nameOf, portId } from '../model/wiring';
import type { IConnectMenu, Wiring } from './wiring';

/** Notebooks are read in parts, so that the first ones are there soon. */
const PART = 40;

export interface IOption {
  id: string;
  group: 'steps' | 'files' | 'new';
  label: string;
  detail: string;
  choose: () => void;
}

/** Ports of steps that are there already; those of the same name come first. */
export function stepOptions(wiring: Wiring, menu: IConnectMenu): IOption[] {
  const facts = wiring.facts();
  const steps = menu.step
    ? [menu.step]
    : Object.keys(facts.workflow.steps ?? {});
  const isSeveral = menu.pulls.length > 1;
  const found = menu.pulls.flatMap(pull =>
    steps.flatMap(step =>
      pull.fitting(step).map(port => ({
        isSame: nameOf(port) !== null && nameOf(port) === nameOf(pull.port),
        option: stepOption(wiring, facts, pull, port, isSeveral)
      }))
    )
  );
  return found
    .sort((a, b) => Number(b.isSame) - Number(a.isSame))
    .map(({ option }) => option);
}

function stepOption(
  wiring: Wiring,
  facts: IFacts,
  pull: Pull,
  port: Port,
  isSeveral: boolean
): IOption {
  const { trans } = wiring.editor;
  const title = facts.workflow.steps?.[port.step]?.title;
  const step = title || port.step;
  const name = nameOf(port);
  const own = nameOf(pull.port);
  const details: string[] = [];
  if (name === null) {
    details.push(
      port.side === 'target'
        ? trans.__('starts after')
        : trans.__('comes before')
    );
  } else if (isSeveral && own !== null) {
    details.push(trans.__('takes %1', own));
  }
  if (port.side === 'target') {
    const input = facts
      .ports(port.step)
      ?.inputs.find(other => other.name === port.input);
    const shown = input && input.argument !== undefined && describeInput(input);
    if (input?.source && !shown) {
      details.push(trans.__('connected now'));
    } else if (shown) {
      details.push(trans.__('now %1', shown.text));
    }
  }
  return {
    id: `${portId(pull.port)} ${portId(port)}`,
    group: 'steps',
    label: name === null ? step : `${step} · ${name}`,
    detail: details.join(', '),
    choose: () => {
      wiring.close();
      wiring.connect(pull.port, port);
    }
  };
}

/** What of a file fits best, if anything does. */
export function fileOption(
  wiring: Wiring,
  menu: IConnectMenu,
  path: string,
  read: NotebookInterface | undefined
): IOption[] {
  const { trans } = wiring.editor;
  const ports = portsOf({ name: '' }, '', read, []);
  const fits = menu.pulls.flatMap(pull =>
    pull.fittingNew(ports).map(port => ({ pull, port }))
  );
  const best =
    fits.find(
      ({ pull, port }) =>
        nameOf(port) !== null && nameOf(port) === nameOf(pull.port)
    ) ?? fits[0];
  if (!best) {
    return [];
  }
  const { pull, port } = best;
  const name = nameOf(port);
  return [
    {
      id: path,
      group: 'files',
      label: wiring.files.toDocumentPath(path),
      detail:
        name !== null
          ? port.side === 'target'
            ? `${nameOf(pull.port)} → ${name}`
            : `${name} → ${nameOf(pull.port)}`
          : port.side === 'target'
            ? trans.__('starts after')
            : trans.__('comes before'),
      choose: () => {
        wiring.close();
        wiring.addConnected(path, pull.port, port, menu.place);
      }
    }
  ];
}

/** A new notebook for each wire that it could take. */
export function newOptions(wiring: Wiring, menu: IConnectMenu): IOption[] {
  const { trans } = wiring.editor;
  return menu.pulls
    .filter(pull => pull.type !== 'secret')
    .map(pull => {
      const name = nameOf(pull.port);
      return {
        id: `new ${portId(pull.port)}`,
        group: 'new',
        label: trans.__('New notebook…'),
        detail:
          name === null
            ? ''
            : pull.port.side === 'source'
              ? trans.__('with the input %1', name)
              : trans.__('with the output %1', name),
        choose: () => {
          wiring.close();
          void wiring.addNewNotebook(pull, menu.place);
        }
      };
    });
}

/** Notebooks and workflows of the workspace that fit, as they are found. */
export function useFileOptions(
  wiring: Wiring,
  menu: IConnectMenu
): { options: IOption[]; isSearching: boolean; isCut: boolean } {
  const [found, setFound] = useState({
    options: [] as IOption[],
    isSearching: menu.step === undefined,
    isCut: false
  });
  useEffect(() => {
    let isOver = menu.step !== undefined;
    const search = async () => {
      for await (const { paths, isCut } of wiring.files.list()) {
        for (let at = 0; at < paths.length && !isOver; at += PART) {
          const part = paths.slice(at, at + PART);
          const read = await readAll(wiring, part);
          const options = part.flatMap(path =>
            fileOption(
              wiring,
              menu,
              path,
              read.get(wiring.files.toDocumentPath(path))
            )
          );
          if (!isOver) {
            setFound(old => ({
              ...old,
              options: [...old.options, ...options]
            }));
          }
        }
        if (isOver) {
          return;
        }
        setFound(old => ({ ...old, isCut }));
      }
      setFound(old => ({ ...old, isSearching: false }));
    };
    if (!isOver) {
      void search();
    }
    return () => {
      isOver = true;
    };
  }, [wiring, menu]);
  return found;
}

/** What is known of some files; nothing if the server cannot be asked. */
async function readAll(
  wiring: Wiring,
  paths: readonly string[]
): Promise<ReadonlyMap<string, NotebookInterface>> {
  const { files, editor } = wiring;
  try {
    return await editor.inspection.read(
      paths.map(path => files.toDocumentPath(path))
    );
  } catch {
    return new Map();
  }
}
