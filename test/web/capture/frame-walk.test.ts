// @vitest-environment happy-dom
import { afterEach, expect, test, vi } from 'vitest';
import type { FramePage } from '../../../src/contract/api.ts';
import type { FrameRow } from '../../../src/contract/frame.ts';
import { FrameWalk } from '../../../web/src/capture/frame-walk.ts';
import { Survey } from '../../../web/src/statistics/survey.ts';
import { listed } from '../rows.ts';

afterEach(() => vi.unstubAllGlobals());

/** What the server has, and lets pass. */
let rows: FrameRow[];
let passes: (row: FrameRow) => boolean;
const asked: string[] = [];
function serve(): void {
  passes = () => true;
  asked.length = 0;
  vi.stubGlobal('fetch', (path: string) => {
    const { searchParams } = new URL(path, 'http://frametap');
    const [from, to] = [Number(searchParams.get('from')), Number(searchParams.get('to') ?? Infinity)];
    asked.push(`${from}-${to}`);
    const looked = rows.filter(({ index }) => index >= from && index < to);
    const filtered = searchParams.has('filter');
    return Promise.resolve(
      Response.json({
        frames: looked.filter((row) => !filtered || passes(row)),
        next: null,
        frameCount: rows.length,
        firstHeldFrame: 0,
        growing: filtered ? looked.filter(({ complete }) => !complete).map(({ index }) => index) : [],
        unreadable: 0,
      } satisfies FramePage),
    );
  });
}

test('a frame that was counted while it was coming in is counted once, with what showed at its end', async () => {
  serve();
  rows = listed(0, 3).map((row) => ({ ...row, violations: [] }));
  rows[1] = { ...(rows[1] as FrameRow), complete: false };
  const walk = new FrameWalk('1', new Survey(), null);
  walk.advance(3);
  await vi.waitFor(() => expect(walk.sink.frames).toBe(3));
  expect(walk.sink.violated).toBe(0);
  rows[1] = { ...rows[1], complete: true, violations: ['truncated-frame'] };
  await vi.waitFor(() => {
    walk.advance(3);
    expect(walk.sink.violated).toBe(1);
  });
  expect(walk.sink.frames).toBe(3);
  asked.length = 0;
  walk.advance(3);
  await Promise.resolve();
  expect(asked).toEqual([]);
});

test('one that passes only at its end is taken then, one that does not is asked for no more', async () => {
  serve();
  rows = listed(0, 4).map((row, at) => ({ ...row, complete: at < 2 }));
  passes = ({ complete, index }) => complete && index !== 3;
  const walk = new FrameWalk('1', new Survey(), 'some filter');
  walk.advance(4);
  await vi.waitFor(() => expect(walk.sink.frames).toBe(2));
  rows = rows.map((row) => ({ ...row, complete: true }));
  await vi.waitFor(() => {
    walk.advance(4);
    expect(walk.sink.frames).toBe(3);
  });
  await vi.waitFor(() => {
    asked.length = 0;
    walk.advance(4);
    expect(asked).toEqual([]);
  });
  expect(walk.sink.frames).toBe(3);
});

test('frames that come while another is looked at again are read too', async () => {
  serve();
  rows = listed(0, 2).map((row, at) => ({ ...row, complete: at === 0 }));
  const walk = new FrameWalk('1', new Survey(), null);
  const plain = globalThis.fetch;
  let more: (() => void) | null = () => {
    rows = [...rows, ...listed(2, 5)].map((row) => ({ ...row, complete: true }));
    walk.advance(5);
  };
  vi.stubGlobal('fetch', async (path: string) => {
    const answer = await plain(path);
    // The session grows for the last time while this answer is on its way.
    if (path.includes('to=')) {
      more?.();
      more = null;
    }
    return answer;
  });
  walk.advance(2);
  await vi.waitFor(() => expect(walk.position).toBe(5));
  expect(walk.sink.frames).toBe(5);
});

test('what could not be read is asked for again, as long as somebody looks', async () => {
  serve();
  rows = listed(0, 3);
  const plain = globalThis.fetch;
  let failures = 0;
  vi.stubGlobal('fetch', (path: string) => (failures++ === 0 ? Promise.reject(new TypeError('cut')) : plain(path)));
  vi.useFakeTimers();
  const walk = new FrameWalk('1', new Survey(), null);
  walk.advance(3);
  await vi.waitFor(() => expect(walk.error).toBe('The server cannot be reached.'));
  walk.rest();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(walk.position).toBe(0);
  failures = 0;
  walk.advance(3);
  await vi.waitFor(() => expect(walk.error).toBe('The server cannot be reached.'));
  await vi.advanceTimersByTimeAsync(3_000);
  expect([walk.position, walk.error]).toEqual([3, null]);
  vi.useRealTimers();
});

test('of a session whose first frames are gone as many are read as of another, and what was missed is known', async () => {
  const [held, frameCount] = [150_000, 400_000];
  vi.stubGlobal('fetch', (path: string) => {
    const { searchParams } = new URL(path, 'http://frametap');
    const from = Math.max(held, Number(searchParams.get('from')));
    const to = Math.min(frameCount, from + Number(searchParams.get('limit')));
    const place = { next: to < frameCount ? to : null, frameCount, firstHeldFrame: held, growing: [], unreadable: 0 };
    return Promise.resolve(Response.json({ ...place, frames: listed(from, to) } satisfies FramePage));
  });
  const walk = new FrameWalk('1', new Survey(), null);
  walk.advance(frameCount);
  await vi.waitFor(() => expect(walk.reaches(frameCount)).toBe(false), 20_000);
  expect([walk.missed, walk.sink.frames, walk.position]).toEqual([held, 100_000, 250_000]);
});
