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
