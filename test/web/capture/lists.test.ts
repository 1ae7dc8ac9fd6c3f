import { describe, expect, test, vi } from 'vitest';
import type { FrameRow } from '../../../src/contract/frame.ts';
import { MatchList, type MatchPage } from '../../../web/src/capture/match-list.ts';
import { RangeLoader } from '../../../web/src/capture/range-loader.ts';
import { SessionBook, SPARK_STEP_MS, SPARK_STEPS } from '../../../web/src/capture/session-book.ts';
import { fakeRow, fakeSummary } from '../mock-capture.ts';

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

describe('matches of a filter', () => {
  /** Every third frame passes; a page may be short and still have a next one. */
  const page = (from: number, limit: number, frameCount: number): MatchPage<FrameRow> => {
    const rows = [];
    let at = from;
    for (; at < frameCount && rows.length < limit && at < from + 400; at += 1)
      if (at % 3 === 0) rows.push(fakeRow(at, 0));
    return { rows, next: at < frameCount ? at : null, end: frameCount, growing: [], unreadable: 0 };
  };

  const noIndexes = (): Promise<never> => Promise.reject(new Error('few enough to come with their rows'));

  test('are found page by page to the end, and go on when frames come', async () => {
    let frameCount = 1000;
    const list: MatchList<FrameRow> = new MatchList({
      source: { rows: (from, limit) => Promise.resolve(page(from, limit, frameCount)), indexes: noIndexes },
      onRows: () => list.advance(frameCount, 0),
      onError: (error) => expect.unreachable(String(error)),
    });
    list.advance(frameCount, 0);
    while (list.scanned < frameCount) await settled();
    expect(list.length).toBe(334);
    expect(list.indexAt(333)).toBe(999);
    expect(list.positionOf(999)).toBe(333);
    expect(list.positionOf(4)).toBe(2);
    frameCount = 1010;
    list.advance(frameCount, 0);
    while (list.scanned < frameCount) await settled();
    expect(list.length).toBe(337);
  });

  test('are all found, the first with their rows, most by index alone, and the last few with their rows again', async () => {
    const asked: string[] = [];
    let frameCount = 1_000_000;
    const list: MatchList<FrameRow> = new MatchList({
      source: {
        rows: (from, limit) => {
          asked.push(`rows ${from}`);
          return Promise.resolve(page(from, limit, frameCount));
        },
        indexes: (from) => {
          asked.push(`indexes ${from}`);
          const end = Math.min(from + 600_000, frameCount);
          const indexes = Array.from({ length: end - from }, (_, at) => from + at).filter((at) => at % 3 === 0);
          const next = end < frameCount ? end : null;
          return Promise.resolve({ indexes, next, end: frameCount, growing: [], unreadable: 0 });
        },
      },
      onRows: () => list.advance(frameCount, 0),
      onError: (error) => expect.unreachable(String(error)),
    });
    list.advance(frameCount, 0);
    while (list.scanned < frameCount) await settled();
    expect(list.length).toBe(333_334);
    expect(list.indexAt(333_333)).toBe(999_999);
    frameCount += 300;
    list.advance(frameCount, 0);
    while (list.scanned < frameCount) await settled();
    expect(list.length).toBe(333_434);
    const first = ['rows 0', 'rows 400', 'rows 800', 'rows 1200'];
    expect(asked).toEqual([...first, 'indexes 1600', 'indexes 601600', 'rows 1000000']);
  });

  test('that have been evicted are let go, and the others keep their positions', async () => {
    let [held, frameCount] = [0, 0];
    const place = { next: null, growing: [], unreadable: 0 };
    const advance = (): void => list.advance(frameCount, held);
    const list: MatchList<FrameRow> = new MatchList({
      source: {
        rows: (from, limit) => Promise.resolve(page(Math.max(from, held), limit, frameCount)),
        indexes: (from) => {
          const indexes = Array.from({ length: frameCount - from }, (_, at) => from + at).filter((at) => at % 3 === 0);
          return Promise.resolve({ ...place, indexes: indexes.filter((at) => at >= held), end: frameCount });
        },
      },
      onRows: advance,
      onError: (error) => expect.unreachable(String(error)),
    });
    for (frameCount = 30_000; frameCount <= 300_000; frameCount += 30_000) {
      held = Math.max(0, frameCount - 60_000);
      advance();
      while (list.scanned < frameCount) await settled();
    }
    advance();
    expect(list.length).toBe(100_000);
    expect(list.positionOf(held)).toBe(80_000);
    for (const position of [80_000, 90_001, 99_999]) {
      expect(list.indexAt(position)).toBe(position * 3);
      expect(list.positionOf(position * 3)).toBe(position);
    }
    expect(list.indexAt(100_000)).toBeUndefined();
    expect(list.indexAt(100)).toBeUndefined();
  });

  test.each([
    ['brings the search no further', () => Promise.resolve(page(0, 10, 0))],
    ['fails', () => Promise.reject(new Error('down'))],
  ])('are not asked for again at once after a round that %s', async (_what, answer) => {
    vi.useFakeTimers();
    let asked = 0;
    const advance = (): void => list.advance(10, 0);
    const list: MatchList<FrameRow> = new MatchList({
      source: {
        rows: () => {
          asked += 1;
          return answer();
        },
        indexes: noIndexes,
      },
      onRows: advance,
      onError: advance,
    });
    for (let look = 0; look < 9; look += 1) {
      advance();
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(asked).toBe(1);
    await vi.advanceTimersByTimeAsync(200);
    advance();
    expect(asked).toBe(2);
    vi.useRealTimers();
  });

  test('are found late, or given up, where a row was looked at before it had come whole', async () => {
    vi.useFakeTimers();
    let whole = false;
    const asked: (number | undefined)[] = [];
    const list: MatchList<{ readonly index: number }> = new MatchList({
      source: {
        rows: (from, _limit, _signal, to) => {
          asked.push(to);
          const passes = whole ? [1, 5] : [2, 5];
          const rows = passes.filter((at) => at >= from && at < (to ?? 6)).map((index) => ({ index }));
          return Promise.resolve({ rows, next: null, end: 6, growing: whole ? [] : [1, 2], unreadable: 0 });
        },
        indexes: noIndexes,
      },
      onRows: () => undefined,
      onError: (error) => expect.unreachable(String(error)),
    });
    const listed = (): (number | undefined)[] => Array.from({ length: list.length }, (_, at) => list.indexAt(at));
    list.advance(6, 0);
    await vi.advanceTimersByTimeAsync(10);
    expect(listed()).toEqual([2, 5]);
    whole = true;
    list.advance(6, 0);
    await vi.advanceTimersByTimeAsync(10);
    expect(listed()).toEqual([1, 5]);
    expect(asked).toEqual([undefined, 2, 3]);
    await vi.advanceTimersByTimeAsync(5000);
    list.advance(6, 0);
    expect(asked).toHaveLength(3);
    vi.useRealTimers();
  });

  test('that were given up say nothing more', async () => {
    const onRows = vi.fn();
    const list = new MatchList({
      source: { rows: () => Promise.resolve(page(0, 10, 10)), indexes: noIndexes },
      onRows,
      onError: onRows,
    });
    list.advance(10, 0);
    list.stop();
    await settled();
    expect(onRows).not.toHaveBeenCalled();
  });
});

describe('a range', () => {
  test('that is looked at is asked for once, with a margin, and never row by row', async () => {
    vi.useFakeTimers();
    const held = new Set<number>();
    const asked: [number, number][] = [];
    const loader = new RangeLoader({
      missing: (from, to) => {
        const lacking = Array.from({ length: to - from }, (_, at) => from + at).filter((index) => !held.has(index));
        return lacking.length === 0 ? null : { from: lacking[0] ?? 0, to: (lacking.at(-1) ?? 0) + 1 };
      },
      fetch: (from, limit) => {
        asked.push([from, limit]);
        for (let index = from; index < from + limit; index += 1) held.add(index);
        return Promise.resolve();
      },
      onError: (error) => expect.unreachable(String(error)),
    });
    // What is looked at first is not waited for.
    loader.want(0, 40, { floor: 0, end: 100_000 });
    expect(asked.splice(0)).toEqual([[0, 100]]);
    await vi.advanceTimersByTimeAsync(500);
    for (let top = 900; top <= 1000; top += 5) loader.want(top, top + 40, { floor: 0, end: 100_000 });
    await vi.advanceTimersByTimeAsync(500);
    expect(asked).toEqual([[940, 160]]);
    loader.want(1000, 1040, { floor: 0, end: 100_000 });
    await vi.advanceTimersByTimeAsync(500);
    expect(asked).toHaveLength(1);
    loader.want(5000, 5040, { floor: 4990, end: 5010 });
    await vi.advanceTimersByTimeAsync(500);
    expect(asked[1]).toEqual([4990, 20]);
    loader.stop();
    loader.want(7000, 7040, { floor: 0, end: 100_000 });
    expect(asked[2]).toEqual([6940, 160]);
    vi.useRealTimers();
  });

  test('of another list is asked for at once, also where one was given up that is still to end', async () => {
    vi.useFakeTimers();
    const asked: string[] = [];
    const ends: (() => void)[] = [];
    let list = 'first';
    const loader = new RangeLoader({
      missing: (from, to) => ({ from, to }),
      fetch: (from, limit) => {
        asked.push(`${list} ${from}+${limit}`);
        return new Promise((resolve) => ends.push(resolve));
      },
      onError: (error) => expect.unreachable(String(error)),
    });
    loader.want(0, 1, { floor: 0, end: 1 });
    list = 'second';
    loader.stop();
    loader.want(0, 1, { floor: 0, end: 1 });
    await vi.advanceTimersByTimeAsync(100);
    expect(asked).toEqual(['first 0+1']);
    ends[0]?.();
    await vi.advanceTimersByTimeAsync(50);
    expect(asked).toEqual(['first 0+1', 'second 0+1']);
    loader.stop();
    vi.useRealTimers();
  });

  test('that lacks something again as soon as it was fetched is asked for a second time, after a while', async () => {
    vi.useFakeTimers();
    let asked = 0;
    const loader = new RangeLoader({
      missing: (from, to) => (asked < 2 ? { from, to } : null),
      fetch: () => {
        asked += 1;
        return Promise.resolve();
      },
      onError: (error) => expect.unreachable(String(error)),
    });
    loader.want(0, 1, { floor: 0, end: 1 });
    await vi.advanceTimersByTimeAsync(100);
    loader.want(0, 1, { floor: 0, end: 1 });
    await vi.advanceTimersByTimeAsync(500);
    expect(asked).toBe(1);
    await vi.advanceTimersByTimeAsync(1000);
    expect(asked).toBe(2);
    vi.useRealTimers();
  });
});

describe('the book of sessions', () => {
  const summary = (id: number, frameCount: number) =>
    fakeSummary(id, { frameCount, firstHeldFrame: 0, seq: 1, startedMs: 0 });

  test('lists them in the order of their ids, however they come', () => {
    const book = new SessionBook();
    book.apply([summary(10, 0), summary(9, 0)], 0);
    book.apply([summary(2, 0), summary(10, 5)], 0);
    expect(book.ids).toEqual(['2', '9', '10']);
    book.remove(['9']);
    expect(book.ids).toEqual(['2', '10']);
    expect(book.size).toBe(2);
  });

  test('counts frames of the last minute in steps, and forgets older ones', () => {
    const book = new SessionBook();
    const start = 100 * SPARK_STEP_MS;
    book.apply([summary(1, 100)], start);
    expect(book.spark('1', start)).toBeNull();
    book.apply([summary(1, 107)], start);
    book.apply([summary(1, 110)], start + SPARK_STEP_MS);
    expect(book.spark('1', start + SPARK_STEP_MS)?.slice(-3)).toEqual([0, 7, 3]);
    expect(book.spark('1', start + 3 * SPARK_STEP_MS)?.slice(-4)).toEqual([7, 3, 0, 0]);
    expect(book.spark('1', start + SPARK_STEPS * 2 * SPARK_STEP_MS)).toBeNull();
  });
});
