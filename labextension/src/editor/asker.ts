import type { IDisposable } from '@lumino/disposable';
import { Debouncer } from '@lumino/polling';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

/** Asks the server about a document: soon after it has to, and of several answers the last question's counts. */
export abstract class Asker<Answer> implements IDisposable {
  /**
   * @param delay - how long it waits for more reasons to ask, in milliseconds.
   */
  constructor(delay: number) {
    this._debouncer = new Debouncer(() => this.askNow(), delay);
  }

  /** Another answer has come, or none could be had. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Ask again, soon. */
  refresh(): void {
    if (!this._isDisposed) {
      // It rejects if it is disposed of before its time has come.
      this._debouncer.invoke().catch(() => undefined);
    }
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      this._debouncer.dispose();
      Signal.clearData(this);
    }
  }

  /** What is to be known now. It does not throw: that there is no answer is one, too. */
  protected abstract ask(): Promise<Answer>;

  /** Keep an answer. */
  protected abstract keep(answer: Answer): void;

  protected async askNow(): Promise<void> {
    if (this._isDisposed) {
      return;
    }
    const request = ++this._asked;
    const answer = await this.ask();
    if (request === this._asked && !this._isDisposed) {
      this.keep(answer);
      this._changed.emit();
    }
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _debouncer: Debouncer<void>;
  private _asked = 0;
  private _isDisposed = false;
}
