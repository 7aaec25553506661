import { Clipboard, Sanitizer } from '@jupyterlab/apputils';
import { renderText } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import { copyIcon } from '@jupyterlab/ui-components';
import React, {
  memo,
  useEffect,
  useMemo,
  useReducer,
  useRef,
  useState
} from 'react';
import type { RunRecord } from '../api/types';
import { LogTail } from './logtail';
import type { RunsModel } from './session';

const sanitizer = new Sanitizer();

/** So many pixels above its end, a log still counts as scrolled to it. */
const NEAR = 8;

/** What a step of a run wrote, as it is written. */
export function Log(props: {
  model: RunsModel;
  run: RunRecord;
  name: string;
  trans: TranslationBundle;
}): JSX.Element {
  const { model, run, name, trans } = props;
  const step = run.steps[name];
  const [chosen, choose] = useState<number | undefined>();
  useEffect(() => choose(undefined), [run.id, name, step.attempts]);
  if (!step.attempts && !step.source) {
    return (
      <p className="mlwf-Runs-empty">
        {trans.__('This step has not started.')}
      </p>
    );
  }
  // The log of a cached step is that of its source.
  const attempt = step.source ? undefined : (chosen ?? step.attempts);
  const isLive = step.state === 'running' && attempt === step.attempts;
  return (
    <section className="mlwf-Log" aria-label={trans.__('Log of %1', name)}>
      {!step.source && step.attempts > 1 && (
        <div className="jp-select-wrapper mlwf-Log-attempt">
          <select
            className="jp-mod-styled"
            aria-label={trans.__('Attempt')}
            value={attempt}
            onChange={({ target }) => choose(Number(target.value))}
          >
            {step.history.map(({ number }) => (
              <option key={number} value={number}>
                {trans.__('Attempt %1', number)}
              </option>
            ))}
          </select>
        </div>
      )}
      <Tail
        key={`${run.id} ${name} ${attempt}`}
        read={after => model.client.getLog(run.id, name, { attempt, after })}
        live={isLive}
        trans={trans}
      />
    </section>
  );
}

function Tail(props: {
  read: ConstructorParameters<typeof LogTail>[0];
  live: boolean;
  trans: TranslationBundle;
}): JSX.Element {
  const { live, trans } = props;
  const read = useRef(props.read);
  read.current = props.read;
  const tail = useMemo(() => new LogTail(after => read.current(after)), []);
  const [, render] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    tail.changed.connect(render);
    return () => tail.dispose();
  }, [tail]);
  useEffect(() => {
    tail.live = live;
  }, [tail, live]);

  const scroller = useRef<HTMLDivElement>(null);
  const [follows, setFollows] = useState(true);
  const follow = () => {
    const node = scroller.current;
    if (node && follows) {
      node.scrollTop = node.scrollHeight;
    }
  };
  useEffect(() => {
    follow();
    // Where lines wrap differently, the end is elsewhere.
    const observer = new ResizeObserver(follow);
    observer.observe(scroller.current as HTMLElement);
    return () => observer.disconnect();
  }, [follows]);

  const { parts, error } = tail;
  return (
    <>
      {error && (
        <p className="mlwf-Runs-error" role="alert">
          {error}
        </p>
      )}
      {parts.length === 0 && !error && (
        <p className="mlwf-Runs-empty">
          {!tail.loaded
            ? trans.__('Loading…')
            : live
              ? trans.__('Nothing was written yet.')
              : trans.__('This step wrote nothing.')}
        </p>
      )}
      <div
        ref={scroller}
        className="mlwf-Log-text"
        role="log"
        // Whoever listens would hear every line of a training.
        aria-live="off"
        tabIndex={parts.length ? 0 : -1}
        hidden={!parts.length}
        onScroll={({ currentTarget: node }) =>
          setFollows(
            node.scrollTop + node.clientHeight >= node.scrollHeight - NEAR
          )
        }
      >
        {tail.isCut && (
          <p className="mlwf-Log-cut">
            {trans.__('What was written before is in the file of the log.')}
          </p>
        )}
        {parts.map(({ id, text }) => (
          <Part key={id} text={text} onRendered={follow} />
        ))}
      </div>
      {parts.length > 0 && (
        <div className="mlwf-Log-actions">
          {!follows && (
            <button
              className="mlwf-Runs-link"
              title={trans.__('Show what is written last, as it is written')}
              onClick={() => setFollows(true)}
            >
              {trans.__('Follow')}
            </button>
          )}
          <button
            className="mlwf-Runs-action jp-Button jp-mod-minimal"
            title={trans.__('Copy the log')}
            aria-label={trans.__('Copy the log')}
            onClick={() =>
              Clipboard.copyToSystem(copied(scroller.current as HTMLElement))
            }
          >
            <copyIcon.react tag="span" />
          </button>
        </div>
      )}
    </>
  );
}

/** The text as it is shown, without the codes of its colors. */
function copied(node: HTMLElement): string {
  return Array.from(node.querySelectorAll('pre'), pre => pre.textContent).join(
    ''
  );
}

const Part = memo(
  function Part(props: { text: string; onRendered: () => void }): JSX.Element {
    const { text, onRendered } = props;
    const host = useRef<HTMLDivElement>(null);
    useEffect(() => {
      let current = true;
      void renderText({
        host: host.current as HTMLElement,
        sanitizer,
        source: text
      }).then(() => {
        if (current) {
          onRendered();
        }
      });
      return () => {
        current = false;
      };
    }, [text]);
    return <div ref={host} className="jp-RenderedText" />;
  },
  (before, after) => before.text === after.text
);
