import { act, type ReactNode } from 'react';
import { createRoot } from 'react-dom/client';
import type { Capture } from '../../web/src/capture/capture.ts';
import { CaptureContext } from '../../web/src/use-capture.ts';

Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

export interface Rendered {
  readonly node: HTMLElement;
  text(): string;
  button(name: string): HTMLButtonElement;
  again(view: ReactNode): Promise<void>;
  remove(): Promise<void>;
}

/** A view in a document, after everything that it has asked for has come. */
export async function render(capture: Capture, view: ReactNode): Promise<Rendered> {
  const node = document.createElement('div');
  document.body.append(node);
  const root = createRoot(node);
  const again = (shown: ReactNode): Promise<void> =>
    act(async () => {
      root.render(<CaptureContext.Provider value={capture}>{shown}</CaptureContext.Provider>);
      await Promise.resolve();
    });
  await again(view);
  return {
    node,
    again,
    text: () => node.textContent,
    button(name) {
      const found = [...node.querySelectorAll('button')].find(({ textContent }) => textContent === name);
      if (found === undefined) throw new Error(`no button "${name}" in ${node.innerHTML}`);
      return found;
    },
    async remove() {
      await act(() => {
        root.unmount();
        return Promise.resolve();
      });
      node.remove();
    },
  };
}
