import { setUi } from '../state.ts';

let fading: ReturnType<typeof setTimeout> | undefined;

/** Shows a sentence for a moment; screen readers say it. */
export function say(notice: string): void {
  clearTimeout(fading);
  setUi({ notice });
  fading = setTimeout(() => setUi({ notice: null }), 2200);
}

/** Copies text and says so; where the browser forbids it, says that. */
export async function copyText(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    say(`${what} copied`);
  } catch (error) {
    say(`The browser did not allow copying: ${error instanceof Error ? error.message : String(error)}`);
  }
}
