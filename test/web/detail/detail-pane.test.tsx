// @vitest-environment happy-dom
import { act } from 'react';
import { afterEach, expect, test, vi } from 'vitest';
import { DetailPane } from '../../../web/src/detail/detail-pane.tsx';
import { setUi } from '../../../web/src/state.ts';
import { fakeMessage, fakeRow, fakeSummary } from '../mock-capture.ts';
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

test('that a frame is not held is said when it is known, and not while its row is being read', async () => {
  let answer = (): void => undefined;
  const page = { frames: [], next: null, frameCount: 5, firstHeldFrame: 3 };
  vi.stubGlobal('fetch', () => new Promise((resolve) => (answer = () => resolve(Response.json(page)))));
  const view = <DetailPane subject={{ kind: 'frame', session: '1', index: 2 }} heightPx={300} />;
  const pane = (shown = await render(toldCapture([]).capture, view));
  await act(nextFrame);
  expect(pane.text()).toContain('#2 reading …');
  answer();
  while (pane.text().includes('reading')) await act(nextFrame);
  expect(pane.text()).toContain('#2 not held, or not recorded');
});

test('what is copied and saved is of what is selected, also while the payload before is still to be seen', async () => {
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  vi.stubGlobal('fetch', async (path: string) => {
    const [, index] = /messages\/(\d+)\/payload$/.exec(path) ?? [];
    if (index === '1') await held;
    return new Response(`payload ${index}`);
  });
  const copied: string[] = [];
  vi.stubGlobal('isSecureContext', true);
  vi.stubGlobal('navigator', { clipboard: { writeText: (text: string) => Promise.resolve(copied.push(text)) } });
  const view = (index: number) => (
    <DetailPane subject={{ kind: 'message', session: '1', index }} message={fakeMessage(index, 0)} heightPx={300} />
  );
  const pane = (shown = await render(toldCapture([]).capture, view(0)));
  while (!pane.text().includes('payload 0')) await act(nextFrame);
  await pane.again(view(1));
  expect(pane.text()).toContain('Message 1 ');
  expect(pane.text()).toContain('payload 0');
  expect(pane.node.querySelector('[aria-label=save]')?.getAttribute('href')).toContain('/messages/1/payload');
  await act(() => {
    pane.button(' copy').click();
    return nextFrame();
  });
  expect(copied).toEqual([]);
  release();
  while (copied.length === 0) await act(nextFrame);
  expect(copied).toEqual(['payload 1']);
  expect(pane.text()).toContain('payload 1');
  expect(pane.text()).not.toContain('payload 0');
});

test('the first frame of a compressed message shows the whole of it once the rest has come', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const frame = { ...fakeRow(0, 0), opcode: 1, fin: false, compressed: true, payloadLength: 3 };
  let come = false;
  vi.stubGlobal('fetch', (path: string) => {
    if (!path.includes('/payload'))
      return Promise.resolve(Response.json({ frames: [frame], next: null, frameCount: 1, firstHeldFrame: 0 }));
    const headers = { 'x-frametap-whole': `${come}`, 'x-frametap-growing': `${!come}` };
    return Promise.resolve(new Response(come ? 'all of it' : '', { headers }));
  });
  const view = <DetailPane subject={{ kind: 'frame', session: '1', index: 0 }} heightPx={300} />;
  const open = fakeSummary(1, { frameCount: 1, firstHeldFrame: 0, seq: 1, startedMs: 0 });
  const pane = (shown = await render(toldCapture([open]).capture, view));
  while (!pane.text().includes('It has not come whole')) await act(nextFrame);
  come = true;
  while (!pane.text().includes('all of it')) await act(() => vi.advanceTimersByTimeAsync(500));
  expect(pane.text()).not.toContain('It has not come whole');
  vi.useRealTimers();
});

test('of what is still arriving, what has come is shown and nothing else is blamed', async () => {
  vi.stubGlobal('fetch', () =>
    Promise.resolve(
      new Response('the beginning', { headers: { 'x-frametap-whole': 'false', 'x-frametap-growing': 'true' } }),
    ),
  );
  const message = { ...fakeMessage(0, 0), complete: false };
  const view = <DetailPane subject={{ kind: 'message', session: '1', index: 0 }} message={message} heightPx={300} />;
  const pane = (shown = await render(toldCapture([]).capture, view));
  while (!pane.text().includes('the beginning')) await act(nextFrame);
  expect(pane.text()).toContain('The first 13 B are shown; the rest has not come.');
});
