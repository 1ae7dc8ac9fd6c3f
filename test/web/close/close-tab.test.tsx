// @vitest-environment happy-dom
import { afterEach, expect, test } from 'vitest';
import CloseTab from '../../../web/src/close/close-tab.tsx';
import { render, type Rendered } from '../rendered.tsx';
import { quietSession } from '../silence/quiet-sessions.ts';
import { toldCapture } from '../told-capture.ts';

let shown: Rendered | null = null;
afterEach(() => shown?.remove());

/** The headline of a session that both sides have closed with this code. */
async function headline(code: number | null): Promise<Element | null> {
  const frame = { code, reason: '', frameIndex: 0 };
  const session = {
    ...quietSession(1, { quietS: 1 }),
    state: 'closed',
    close: {
      by: 'server',
      code,
      reason: '',
      clean: true,
      how: 'closing-handshake',
      clientFrame: frame,
      serverFrame: frame,
      echoMs: 1,
      clientEnding: 'fin',
      serverEnding: 'fin',
    },
  } as const;
  shown = await render(toldCapture([session]).capture, <CloseTab session={session} />);
  return shown.node.querySelector('.close-sentence');
}

test.each([1005, 1006, 1015])('a close with %d on the wire is not called clean', async (code) => {
  const said = await headline(code);
  expect(said?.textContent).toContain(`with ${code}: a code that must not be sent in a close frame`);
  expect(said?.textContent).not.toContain('A clean close');
  expect(said?.classList).toContain('unclean');
});

test.each([1000, 4321, null])('a close with %s and both close frames is clean', async (code) => {
  const said = await headline(code);
  expect(said?.textContent).toContain('A clean close');
  expect(said?.classList).not.toContain('unclean');
});
