import { Clipboard } from '@jupyterlab/apputils';

/** How long the browser may take to hand over what is pasted with its own key. */
const HANDOVER_MS = 100;

/** What was copied last, for where the browser does not let us read the clipboard. */
let last = '';

export function writeClipboard(text: string): void {
  last = text;
  Clipboard.copyToSystem(text);
}

/**
 * The text in the clipboard. After the browser's own key for pasting it is handed over without a question, and also
 * where the page is not served safely; otherwise the browser is asked, who may ask the user.
 */
export async function readClipboard(): Promise<string> {
  const pasted = await handedOver();
  if (pasted !== null) {
    return pasted;
  }
  try {
    return await navigator.clipboard.readText();
  } catch {
    return last;
  }
}

function handedOver(): Promise<string | null> {
  return new Promise(resolve => {
    const end = (text: string | null) => {
      window.clearTimeout(timer);
      document.removeEventListener('paste', onPaste, true);
      resolve(text);
    };
    const onPaste = (event: ClipboardEvent) => {
      event.preventDefault();
      event.stopPropagation();
      end(event.clipboardData?.getData('text/plain') ?? '');
    };
    const timer = window.setTimeout(() => end(null), HANDOVER_MS);
    document.addEventListener('paste', onPaste, true);
  });
}
