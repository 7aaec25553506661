import { Dialog } from '@jupyterlab/apputils';

/** A dialog whose accepting button acts first, and stays open with what was filled in unless that went well. */
export class SubmitDialog<T> extends Dialog<T> {
  /**
   * @param submit Acts, and says whether the dialog may close; it shows by itself what went wrong.
   */
  constructor(
    private readonly _options: Partial<Dialog.IOptions<T>> & {
      buttons: readonly Dialog.IButton[];
    },
    private readonly _submit: () => Promise<boolean>
  ) {
    super(_options);
    this.addClass('mlwf-SubmitDialog');
  }

  async resolve(index = this._options.buttons.length - 1): Promise<void> {
    if (!this._options.buttons[index].accept) {
      super.resolve(index);
      return;
    }
    if (this._isBusy) {
      return;
    }
    this._isBusy = true;
    this.toggleClass('mlwf-mod-busy', true);
    try {
      if (await this._submit()) {
        super.resolve(index);
      }
    } finally {
      this._isBusy = false;
      this.toggleClass('mlwf-mod-busy', false);
    }
  }

  handleEvent(event: Event): void {
    // Lab would disable the button when a field is wrong, and not say why: the server judges, and says it.
    if (event.type !== 'input') {
      super.handleEvent(event);
    }
  }

  private _isBusy = false;
}
