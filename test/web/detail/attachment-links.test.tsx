// @vitest-environment happy-dom
import { act } from 'react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { FrameAttachments } from '../../../src/contract/attachments.ts';
import { AttachmentLinks } from '../../../web/src/detail/attachment-links.tsx';
import { useUi } from '../../../web/src/state.ts';
import { fakeSummary } from '../mock-capture.ts';
import { render, type Rendered } from '../rendered.tsx';
import { toldCapture } from '../told-capture.ts';

let shown: Rendered | null = null;
let answer: FrameAttachments;
let asked = 0;
beforeEach(() => {
  vi.useFakeTimers();
  asked = 0;
  vi.stubGlobal('fetch', () => {
    asked += 1;
    return Promise.resolve(Response.json(answer));
  });
});
afterEach(async () => {
  await shown?.remove();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const places = (...frames: number[]) => frames.map((frame) => ({ frame, message: frame - 1 }));
async function show(url: string, kind: 'frame' | 'message' = 'frame'): Promise<Rendered> {
  const session = { ...fakeSummary(1, { frameCount: 9, firstHeldFrame: 0, seq: 1, startedMs: 0 }), url };
  const view = <AttachmentLinks session="1" frame={4} kind={kind} />;
  shown = await render(toldCapture([session]).capture, view);
  await act(() => vi.advanceTimersByTimeAsync(50));
  return shown;
}
const SOCKET_IO = 'ws://chat.example/socket.io/?EIO=4&transport=websocket';

test('a packet leads to its first attachments, and says how many more it has', async () => {
  answer = { packet: { frame: 4, message: 3 }, count: 5, own: null, found: places(5, 6, 7, 8, 9) };
  const links = await show(SOCKET_IO);
  expect(links.text()).toBe(' attachment #5 attachment #6 attachment #7and 2 more');
  act(() => links.button(' attachment #6').click());
  expect(useUi.getState()).toMatchObject({ frame: 6, follow: false });
});

test('an attachment leads to its packet, among the messages to that of the packet', async () => {
  answer = { packet: { frame: 2, message: 1 }, count: 2, own: 1, found: places(3, 4) };
  const links = await show(SOCKET_IO, 'message');
  expect(links.text()).toBe(' attachment 2 of 2 of #1');
  act(() => links.button(' attachment 2 of 2 of #1').click());
  expect(useUi.getState()).toMatchObject({ message: 1, followMessages: false });
});

test('attachments that have not come are said to be missing, and asked for again', async () => {
  answer = { packet: { frame: 4, message: 3 }, count: 1, own: null, found: [] };
  const links = await show(SOCKET_IO);
  expect(links.text()).toBe('0 of 1 attachment found');
  answer = { ...answer, found: places(5) };
  await act(() => vi.advanceTimersByTimeAsync(1100));
  expect(links.text()).toBe(' attachment #5');
  await act(() => vi.advanceTimersByTimeAsync(5000));
  expect(asked).toBe(2);
});

test('nobody is asked where the URL is not of Socket.IO', async () => {
  const links = await show('ws://chat.example/feed');
  expect(links.text()).toBe('');
  expect(asked).toBe(0);
});
