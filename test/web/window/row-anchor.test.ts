import { expect, test } from 'vitest';
import { RowAnchor } from '../../../web/src/window/row-anchor.ts';
import { VirtualWindow } from '../../../web/src/window/virtual-window.ts';

const ids = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, at) => String(from + at));

test('the rows on the screen stay there when rows come and go above them, and when there are others below', () => {
  const anchor = new RowAnchor();
  const list = new VirtualWindow(10);
  list.resized(100);
  const draw = (all: readonly string[]): { readonly first: string | undefined } => {
    const projection = list.project({ count: all.length, origin: anchor.originOf(all), follow: false });
    list.commit(projection);
    anchor.look(all, projection.placePx / 10);
    return { first: all[projection.placePx / 10] };
  };
  draw(ids(500, 600));
  list.reveal(50, { center: false });
  expect(draw(ids(500, 600)).first).toBe('541');
  expect(draw(ids(300, 600)).first).toBe('541');
  expect(draw(ids(0, 700)).first).toBe('541');
  expect(draw(ids(400, 700)).first).toBe('541');
  expect(draw(ids(560, 700)).first).toBe('560');
  expect(draw(ids(560, 900)).first).toBe('560');
});
