// @vitest-environment happy-dom
import { afterEach, expect, test, vi } from 'vitest';
import type { FramePage, IndexPage } from '../../../src/contract/api.ts';
import { frameOrder } from '../../../web/src/frames/frame-order.ts';
import { fakeRow, fakeSummary } from '../mock-capture.ts';
import { toldCapture } from '../told-capture.ts';

const FRAMES = 1_000_000;
const APART = 100;
afterEach(() => vi.unstubAllGlobals());

test('of a million frames that a filter has gone through, the rows that are looked at come by one request', async () => {
  const asked: string[] = [];
  vi.stubGlobal('fetch', (path: string) => {
    const { pathname, searchParams: query } = new URL(path, 'http://frametap.test');
    const names = [...query.keys()].join();
    asked.push(`${pathname.split('/').at(-1)}?${names}`);
    const [from, limit] = [Number(query.get('from')), Number(query.get('limit') ?? 5000)];
    const chosen = query.get('indexes')?.split(',').map(Number);
    const indexes = (chosen ?? Array.from({ length: limit }, (_, i) => from + i * APART)).filter((at) => at < FRAMES);
    const next = chosen === undefined && from + limit * APART < FRAMES ? from + limit * APART : null;
    const place = { next, growing: [], unreadable: 0 };
    const frames = indexes.map((index) => fakeRow(index, 0));
    const page: FramePage = { ...place, frames, frameCount: FRAMES, firstHeldFrame: 0 };
    const indexPage: IndexPage = { ...place, indexes, end: FRAMES };
    return Promise.resolve(Response.json(pathname.endsWith('/indexes') ? indexPage : page));
  });
  const session = fakeSummary(1, { frameCount: FRAMES, firstHeldFrame: 0, seq: FRAMES, startedMs: 1_700_000_000_000 });
  const { capture } = toldCapture([session]);
  capture.select(session.id);
  capture.filterFrames('x', null, () => undefined);
  await vi.waitFor(() => expect(capture.matches?.length).toBe(FRAMES / APART));
  // The first ones with their rows.
  expect(asked).toEqual(['frames?from,limit,filter', 'indexes?from,filter', 'indexes?from,filter']);
  asked.length = 0;
  const at = (position: number) => capture.rows.at(capture.matches?.indexAt(position) ?? -1);
  for (const [first, last] of [
    [0, 40],
    [600, 640],
    [3000, 3150],
  ] as const) {
    capture.lookAt(first, last);
    await vi.waitFor(() => expect(at(last - 1)?.index).toBe((last - 1) * APART));
    for (let position = first; position < last; position += 1) expect(at(position)?.index).toBe(position * APART);
  }
  expect(asked).toEqual(['frames?indexes,limit', 'frames?indexes,limit']);
  capture.stop();
});

test('sessions that went while the page was away go, also where they cannot be named, and at the end of a pause', () => {
  const known = { frameCount: 0, firstHeldFrame: 0, seq: 1, startedMs: 1_700_000_000_000 };
  const { capture, say } = toldCapture([1, 2, 3, 4, 5, 6].map((id) => fakeSummary(id, known)));
  say({ type: 'removed', seq: 2, ids: ['2'] });
  expect(capture.book.ids).toEqual(['1', '3', '4', '5', '6']);
  say({ type: 'removed', seq: 3, ids: ['3'], kept: ['4', '5', '6', '7'] });
  expect(capture.book.ids).toEqual(['4', '5', '6']);
  capture.pause(true);
  say({ type: 'removed', seq: 4, ids: ['4'], kept: ['6', '7'] });
  expect(capture.book.ids).toEqual(['4', '5', '6']);
  capture.pause(false);
  expect(capture.book.ids).toEqual(['6']);
  capture.stop();
});

test('that frames were evicted is said in the list as soon as it is known, also where nothing else comes', async () => {
  const known = { frameCount: 50, firstHeldFrame: 20, seq: 1, startedMs: 1_700_000_000_000 };
  const { capture, say } = toldCapture([fakeSummary(1, known)]);
  vi.stubGlobal('fetch', () => Promise.reject(new Error('nothing is looked at')));
  capture.select('1');
  await new Promise((resolve) => requestAnimationFrame(resolve));
  expect(frameOrder(capture).note).toBe('Frames 0–19 are not held');
  const drawn = capture.framesPulse.version();
  if (capture.status === null) throw new Error('no status');
  say({ type: 'status', status: { ...capture.status, evicted: { sessions: 0, frames: 20, bytes: 100 } } });
  await vi.waitFor(() => expect(capture.framesPulse.version()).toBeGreaterThan(drawn));
  expect(frameOrder(capture).note).toContain('Frames 0–19 were evicted');
  capture.stop();
});
