import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_SPACER_PX, placeOf, scrollOf, VirtualWindow } from '../../../web/src/window/virtual-window.ts';

const ROW_PX = 20;
const VIEWPORT_PX = 400;

function windowOf(count: number, follow = false): VirtualWindow {
  const list = new VirtualWindow(ROW_PX);
  list.resized(VIEWPORT_PX);
  list.commit(list.project({ count, origin: 0, follow }));
  return list;
}
const draw = (list: VirtualWindow, count: number, options: { origin?: number; follow?: boolean } = {}) => {
  const projection = list.project({ count, origin: options.origin ?? 0, follow: options.follow ?? false });
  list.commit(projection);
  return projection;
};

describe('place and scroll position', () => {
  test('are the inverse of each other, rise together and meet at both ends', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: MAX_SPACER_PX + 1, max: 500_000_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (total, share) => {
          const scroll = share * MAX_SPACER_PX;
          const place = placeOf(scroll, total, MAX_SPACER_PX);
          expect(scrollOf(place, total, MAX_SPACER_PX)).toBeCloseTo(scroll, 3);
          expect(placeOf(Math.min(MAX_SPACER_PX, scroll + 10), total, MAX_SPACER_PX)).toBeGreaterThanOrEqual(place);
          expect(placeOf(0, total, MAX_SPACER_PX)).toBe(0);
          expect(placeOf(MAX_SPACER_PX, total, MAX_SPACER_PX)).toBe(total);
        },
      ),
    );
  });
});

describe('a window on a list', () => {
  test('draws what is visible and a few rows more', () => {
    const projection = draw(windowOf(1000), 1000);
    expect(projection.first).toBe(0);
    expect(projection.last).toBe(26);
    expect(projection.spacerPx).toBe(20_000);
  });

  test('stays where it is while rows are added at the end', () => {
    const list = windowOf(1000);
    list.scrolled(5000);
    const before = draw(list, 1000);
    const after = draw(list, 900_000);
    expect(after.placePx).toBe(before.placePx);
    expect(after.first).toBe(before.first);
  });

  test('following, shows the end at any length', () => {
    const list = windowOf(10, true);
    for (const count of [10, 1000, 749_999, 750_001, 2_000_000]) {
      const projection = draw(list, count, { follow: true });
      expect(projection.last).toBe(count);
      expect(projection.scrollPx).toBe(Math.max(0, projection.spacerPx - VIEWPORT_PX));
    }
  });

  test('a list of a million rows takes a spacer of bounded height, and every row can be reached', () => {
    const list = windowOf(1_000_000);
    expect(draw(list, 1_000_000).spacerPx).toBe(MAX_SPACER_PX);
    list.scrolled(MAX_SPACER_PX - VIEWPORT_PX);
    expect(draw(list, 1_000_000).last).toBe(1_000_000);
    for (const row of [0, 1, 123_456, 500_000, 876_543, 999_999]) {
      list.reveal(row, { center: true });
      const { first, last } = draw(list, 1_000_000);
      expect(first).toBeLessThanOrEqual(row);
      expect(last).toBeGreaterThan(row);
    }
  });

  test('small movements in a capped list move the rows by just as much', () => {
    const list = windowOf(2_000_000);
    list.reveal(1_000_000, { center: true });
    const before = draw(list, 2_000_000);
    list.scrolled(before.scrollPx + 60);
    const after = draw(list, 2_000_000);
    expect(after.placePx - before.placePx).toBe(60);
    expect(after.shiftPx).toBeCloseTo(before.shiftPx, 6);
  });

  test('near the end of a capped list that has grown since, a small movement moves the rows by just as much', () => {
    const list = windowOf(2_000_000, true);
    const end = draw(list, 2_000_000, { follow: true });
    list.scrolled(end.scrollPx - 200);
    const before = draw(list, 2_000_000);
    // While one scrolls the position is the browser's.
    expect(draw(list, 2_000_100).scrollPx).toBe(before.scrollPx);
    list.settle();
    let grown = draw(list, 2_001_000);
    for (let count = 2_002_000; count <= 2_100_000; count += 1000) grown = draw(list, count);
    expect(grown.placePx).toBe(before.placePx);
    list.scrolled(grown.scrollPx + 300);
    expect(draw(list, 2_100_000).placePx - before.placePx).toBeCloseTo(300, 3);
    expect(list.atEnd).toBe(false);
  });

  test('a step up and a step down lead back, wherever one is', () => {
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 1_999_000 }), fc.integer({ min: 1, max: 900 }), (row, movePx) => {
        const list = windowOf(2_000_000);
        list.reveal(row, { center: true });
        const before = draw(list, 2_000_000);
        list.scrolled(before.scrollPx - movePx);
        const up = draw(list, 2_000_000);
        list.scrolled(up.scrollPx + movePx);
        expect(draw(list, 2_000_000).placePx).toBeCloseTo(before.placePx, 3);
      }),
    );
  });

  test('after scrolling has come to rest, scroll position and place agree again', () => {
    const list = windowOf(2_000_000);
    list.reveal(1_000_000, { center: true });
    const before = draw(list, 2_000_000);
    list.scrolled(before.scrollPx + 900);
    const moved = draw(list, 2_000_000);
    list.settle();
    const settled = draw(list, 2_000_000);
    expect(settled.placePx).toBe(moved.placePx);
    expect(settled.scrollPx).toBeCloseTo(scrollOf(moved.placePx, settled.totalPx, settled.spacerPx), 6);
  });

  test('when rows are evicted at the top, the same rows stay on the screen', () => {
    const list = windowOf(10_000);
    list.reveal(5000, { center: true });
    const before = draw(list, 10_000);
    const firstSeen = Math.floor(before.placePx / ROW_PX);
    const after = draw(list, 7000, { origin: 3000 });
    expect(Math.floor(after.placePx / ROW_PX) + 3000).toBe(firstSeen);
  });

  test('when what one looks at is evicted, the oldest rows are shown', () => {
    const list = windowOf(10_000);
    list.reveal(100, { center: true });
    draw(list, 10_000);
    expect(draw(list, 5000, { origin: 5000 }).placePx).toBe(0);
  });

  test('our own moves are not taken for those of the user', () => {
    const list = windowOf(1000);
    const { scrollPx } = draw(list, 1000, { follow: true });
    expect(list.scrolled(scrollPx)).toBe(0);
    expect(list.scrolled(scrollPx - 40)).toBe(-40);
    expect(list.atEnd).toBe(false);
  });
});
