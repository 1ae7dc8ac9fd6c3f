// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Capture } from '../../../web/src/capture/capture.ts';
import { readPlace } from '../../../web/src/place.ts';
import { openFirst } from '../../../web/src/sessions/first-session.ts';
import { keepPlace } from '../../../web/src/shell/keep-place.ts';
import { setUi, useUi } from '../../../web/src/state.ts';
import { fakeDetail, fakeSummary } from '../mock-capture.ts';
import { toldCapture } from '../told-capture.ts';

const summary = (id: number) => fakeSummary(id, { frameCount: 20, firstHeldFrame: 0, seq: 1, startedMs: 0 });
const NOTHING = {
  session: null,
  tab: 'frames',
  frame: null,
  message: null,
  find: '',
  filterText: '',
  range: null,
} as const;
let stops: (() => void)[] = [];

beforeEach(() => {
  vi.useFakeTimers();
  // Where a test gives no answers, nothing answers.
  vi.stubGlobal('fetch', () => new Promise(() => undefined));
  setUi(NOTHING);
});
afterEach(() => {
  for (const stop of stops) stop();
  stops = [];
  vi.unstubAllGlobals();
  vi.useRealTimers();
  history.replaceState(null, '', '/');
});

describe('Back', () => {
  /** With session 3 open, goes back to this address. */
  function backTo(hash: string): void {
    const { capture } = toldCapture([summary(3), summary(7)]);
    stops.push(keepPlace(capture).stop);
    setUi({ session: '3', frame: 2, find: 'here', range: { from: 1, to: 4 } });
    history.replaceState(null, '', hash);
    dispatchEvent(new PopStateEvent('popstate'));
  }

  test('to an address of another run selects nothing in the session that is open', () => {
    backTo('#session=7&tab=timing&frame=12&message=4&find=there&range=5-9&run=aaaaaaaa');
    expect(useUi.getState()).toMatchObject({ ...NOTHING, session: '3', tab: 'timing' });
  });

  test('to an address of this run opens its session and what was selected there', () => {
    backTo('#session=7&tab=timing&frame=12&find=there&range=5-9&run=first');
    const there = { session: '7', tab: 'timing', frame: 12, find: 'there', range: { from: 5, to: 9 } };
    expect(useUi.getState()).toMatchObject(there);
  });
});

describe('the address', () => {
  const LINK = '#session=7&frame=12&run=first';
  const begin = (capture: Capture): void => {
    const keeping = keepPlace(capture);
    stops.push(openFirst(capture, readPlace(location.hash), keeping.begin), keeping.stop);
  };
  const unheard = (): Capture =>
    new Capture(
      () => ({
        binaryType: '',
        readyState: 0,
        addEventListener: () => undefined,
        send: () => undefined,
        close: () => undefined,
      }),
      () => undefined,
    );

  test('keeps a link until its session is open, whatever changes before', async () => {
    const answers: ((response: Response) => void)[] = [];
    vi.stubGlobal('fetch', () => new Promise<Response>((resolve) => answers.push(resolve)));
    history.replaceState(null, '', LINK);
    const { length } = history;
    const { capture, tell } = toldCapture([summary(3), summary(7)]);
    begin(capture);
    tell([summary(3)]);
    setUi({ filterText: 'a' });
    await vi.advanceTimersByTimeAsync(1000);
    expect(location.hash).toBe(LINK);
    answers.shift()?.(Response.json({ sessions: [summary(7)], next: null, needsFrames: false }));
    await vi.advanceTimersByTimeAsync(0);
    answers.shift()?.(Response.json(fakeDetail(summary(7))));
    await vi.advanceTimersByTimeAsync(1000);
    expect(readPlace(location.hash)).toMatchObject({ session: '7', frame: 12, filterText: 'a', run: 'first' });
    expect(history.length).toBe(length);
  });

  test('keeps a link while nothing has been heard of the server', async () => {
    history.replaceState(null, '', LINK);
    begin(unheard());
    setUi({ filterText: 'a' });
    await vi.advanceTimersByTimeAsync(1000);
    expect(location.hash).toBe(LINK);
  });

  test('is written where there is no session yet and the link is of another run', async () => {
    history.replaceState(null, '', '#session=7&frame=12&run=aaaaaaaa');
    const { capture } = toldCapture([]);
    begin(capture);
    capture.statusPulse.beat();
    setUi({ filterText: 'a' });
    await vi.advanceTimersByTimeAsync(1000);
    expect(location.hash).toBe('#filter=a');
  });
});
