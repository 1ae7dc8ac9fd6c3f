// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { readPlace } from '../../../web/src/place.ts';
import { openFirst } from '../../../web/src/sessions/first-session.ts';
import { setUi, useUi } from '../../../web/src/state.ts';
import { fakeSummary } from '../mock-capture.ts';
import { toldCapture } from '../told-capture.ts';

const summary = fakeSummary(1, { frameCount: 20, firstHeldFrame: 0, seq: 1, startedMs: 0 });
const requests: string[] = [];

beforeEach(() => {
  vi.useFakeTimers();
  setUi({ session: null });
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

test('a session that opened after the newest were asked for is opened when the stream tells of it', async () => {
  let opened = false;
  vi.stubGlobal('fetch', (url: string) => {
    requests.push(url);
    const page = url.includes('/frames?')
      ? { frames: [], next: null }
      : { sessions: opened ? [summary] : [], next: null };
    return Promise.resolve(Response.json({ ...page, needsFrames: false }));
  });
  const { capture, tell } = toldCapture([summary]);
  capture.book.clear();
  const onSettled = vi.fn();
  const stop = openFirst(capture, readPlace(''), onSettled);
  capture.statusPulse.beat();
  await vi.advanceTimersByTimeAsync(100);
  expect([useUi.getState().session, onSettled.mock.calls.length]).toEqual([null, 0]);

  opened = true;
  tell([summary]);
  await vi.advanceTimersByTimeAsync(100);
  expect([useUi.getState().session, onSettled.mock.calls.length]).toEqual(['1', 1]);
  expect(requests.filter((url) => url.includes('/frames?'))).toHaveLength(1);
  stop();
});
