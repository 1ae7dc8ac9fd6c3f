// @vitest-environment happy-dom
import { act } from 'react';
import { afterEach, expect, test, vi } from 'vitest';
import { DetailPane } from '../../../web/src/detail/detail-pane.tsx';
import { setUi } from '../../../web/src/state.ts';
import { fakeRow } from '../mock-capture.ts';
import { render, type Rendered } from '../rendered.tsx';
import { toldCapture } from '../told-capture.ts';

let shown: Rendered | null = null;
afterEach(async () => {
  await shown?.remove();
  vi.unstubAllGlobals();
  setUi({ plane: 'message' });
});

const nextFrame = (): Promise<void> => new Promise((resolve) => requestAnimationFrame(() => resolve()));

test('a compressed frame is as long as it is on the wire; with its whole message, the length of that is said too', async () => {
  const frame = { ...fakeRow(0, 0), opcode: 1, fin: true, compressed: true, payloadLength: 78 };
  vi.stubGlobal('fetch', (path: string) =>
    Promise.resolve(
      path.includes('/payload')
        ? new Response('x'.repeat(path.endsWith('?plane=message') ? 90 : 78))
        : Response.json({ frames: [frame], next: null, frameCount: 1, firstHeldFrame: 0 }),
    ),
  );
  const view = <DetailPane subject={{ kind: 'frame', session: '1', index: 0 }} heightPx={300} />;
  const pane = (shown = await render(toldCapture([]).capture, view));
  const facts = (): string => pane.node.querySelector('.detail-title')?.textContent ?? '';
  while (!pane.text().includes('xxx')) await act(nextFrame);
  expect(facts()).toContain('78 bytes · ');
  expect(facts()).toContain(' · the message: 90 bytes');
  await act(() => {
    pane.button('this frame').click();
    return nextFrame();
  });
  expect(facts()).toContain('78 bytes · ');
  expect(facts()).not.toContain('the message');
});
