// @vitest-environment happy-dom
import { afterEach, expect, test, vi } from 'vitest';
import type { FramePage } from '../../../src/contract/api.ts';
import { MAX_MATCHES } from '../../../web/src/capture/matched-rows.ts';
import { fakeRow, fakeSummary } from '../mock-capture.ts';
import { toldCapture } from '../told-capture.ts';

const FRAMES = 1_000_000;
const APART = 100;
afterEach(() => vi.unstubAllGlobals());

test('rows that passed a filter and have been let go are fetched by one request, also if none passes any more', async () => {
  const asked: URLSearchParams[] = [];
  let passes = true;
  vi.stubGlobal('fetch', (path: string) => {
    const query = new URL(path, 'http://frametap.test').searchParams;
    asked.push(query);
    const [from, limit] = [Number(query.get('from')), Number(query.get('limit'))];
    const indexes = query.get('indexes')?.split(',').map(Number);
    const found = indexes ?? Array.from({ length: passes ? limit : 0 }, (_, i) => from + i * APART);
    const frames = found.filter((index) => index < FRAMES).map((index) => fakeRow(index, 0));
    const end = from + limit * APART;
    const next = indexes === undefined && end < FRAMES ? end : null;
    const page: FramePage = { frames, next, frameCount: FRAMES, firstHeldFrame: 0, growing: [], unreadable: 0 };
    return Promise.resolve(Response.json(page));
  });
  const session = fakeSummary(1, { frameCount: FRAMES, firstHeldFrame: 0, seq: FRAMES, startedMs: 1_700_000_000_000 });
  const { capture } = toldCapture([session]);
  capture.select(session.id);
  capture.filterFrames('x', null, () => undefined);
  await vi.waitFor(() => expect(capture.matches?.length).toBe(FRAMES / APART));
  expect(capture.matches?.length).toBeGreaterThan(MAX_MATCHES);
  passes = false;
  asked.length = 0;
  const at = (position: number) => capture.rows.at(capture.matches?.indexAt(position) ?? -1);
  for (const [first, last] of [
    [1, 40],
    [3000, 3150],
  ] as const) {
    expect(at(first)).toBeUndefined();
    capture.lookAt(first, last);
    await vi.waitFor(() => expect(at(last - 1)?.index).toBe((last - 1) * APART));
    for (let position = first; position < last; position += 1) expect(at(position)?.index).toBe(position * APART);
  }
  expect(asked.map((query) => [...query.keys()])).toEqual([
    ['indexes', 'limit'],
    ['indexes', 'limit'],
  ]);
  capture.stop();
});
