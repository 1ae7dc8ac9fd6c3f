import { setUi } from '../state.ts';

let fading: ReturnType<typeof setTimeout> | undefined;

/** Shows a sentence for a moment; screen readers say it. */
export function say(notice: string): void {
  clearTimeout(fading);
  setUi({ notice });
  fading = setTimeout(() => setUi({ notice: null }), 2200);
}

/** Says why what was to be copied could not be had. */
export function sayUnread(error: unknown): void {
  say(`It could not be read: ${error instanceof Error ? error.message : String(error)}`);
}

/** Copies text and says so; where the browser forbids it, says that. */
export async function copyText(text: string, what: string): Promise<void> {
  try {
    // Only pages of this machine, and of https, have a clipboard of their own.
    if (isSecureContext) await navigator.clipboard.writeText(text);
    else copyBySelection(text);
    say(`${what} copied`);
  } catch (error) {
    say(`The browser did not allow copying: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function copyBySelection(text: string): void {
  const onCopy = (event: ClipboardEvent): void => {
    event.clipboardData?.setData('text/plain', text);
    event.preventDefault();
  };
  document.addEventListener('copy', onCopy, { once: true });
  const done = document.execCommand('copy');
  document.removeEventListener('copy', onCopy);
  if (!done) throw new Error('it allows it only to pages of https and of this machine');
}
