// @vitest-environment happy-dom
import { act } from 'react';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { CompareView } from '../../../web/src/detail/compare-view.tsx';
import { setUi } from '../../../web/src/state.ts';
import { render, type Rendered } from '../rendered.tsx';
import { toldCapture } from '../told-capture.ts';

const JSON_TEXT = '{"op":"tick","n":1}';
const FRAME_BYTES = Uint8Array.of(0xaa, 0x56, 0xca, 0x2f);
const SUBJECT = { kind: 'frame', session: '1', index: 2 } as const;
const MARKED = { kind: 'frame', session: '1', index: 1, viaMessage: true } as const;

let shown: Rendered | null = null;
beforeEach(() => {
  vi.stubGlobal('fetch', (path: string) =>
    Promise.resolve(new Response(path.endsWith('?plane=message') ? JSON_TEXT : FRAME_BYTES)),
  );
});
afterEach(async () => {
  await shown?.remove();
  vi.unstubAllGlobals();
  setUi({ compareWith: null, plane: 'message' });
});

const nextFrame = (): Promise<void> => new Promise((resolve) => requestAnimationFrame(() => resolve()));

/** What is said of the two sides, once both are there. */
async function said(): Promise<string> {
  while (shown?.text().includes('Reading') !== false) await act(nextFrame);
  return shown.text();
}

describe('two compressed frames', () => {
  test('are compared by their whole messages where those are shown', async () => {
    setUi({ compareWith: MARKED });
    const view = <CompareView subject={SUBJECT} bytes={new TextEncoder().encode(JSON_TEXT)} />;
    shown = await render(toldCapture([]).capture, view);
    expect(await said()).toContain('− frame 1 + frame 2 They are equal.');
  });
  test('are compared as they went over the wire where “this frame” is shown', async () => {
    setUi({ compareWith: MARKED, plane: 'frame' });
    shown = await render(toldCapture([]).capture, <CompareView subject={SUBJECT} bytes={FRAME_BYTES} />);
    expect(await said()).toContain('They are equal.');
    await act(() => Promise.resolve(setUi({ plane: 'message' })));
    expect(await said()).toContain('5 lines differ.');
  });
  test('are compared whole with a message', async () => {
    setUi({ compareWith: MARKED, plane: 'frame' });
    const view = <CompareView subject={{ ...SUBJECT, kind: 'message' }} bytes={new TextEncoder().encode(JSON_TEXT)} />;
    shown = await render(toldCapture([]).capture, view);
    expect(await said()).toContain('They are equal.');
  });
});

test('a frame that is a message by itself is compared by its own bytes', async () => {
  setUi({ compareWith: { ...MARKED, viaMessage: false } });
  shown = await render(toldCapture([]).capture, <CompareView subject={SUBJECT} bytes={FRAME_BYTES} />);
  expect(await said()).toContain('They are equal.');
});
