// @vitest-environment happy-dom
import { expect, test } from 'vitest';
import type { ListOrder } from '../../../web/src/window/list-order.ts';
import { stepTo } from '../../../web/src/window/use-steps.ts';

/** A list of these, below a line about what is gone. */
function listOf(indexes: readonly number[]): ListOrder {
  const at = (index: number): number => indexes.indexOf(index) + 1;
  return {
    count: indexes.length + 1,
    firstRow: 1,
    origin: 0,
    indexAt: (position) => indexes[position - 1],
    positionOf: (index) => at(index) || null,
    nearest: (index) => {
      if (index < (indexes[0] ?? 0)) return 0;
      return index > (indexes.at(-1) ?? 0) ? null : at(indexes.find((one) => one >= index) ?? 0);
    },
  };
}
const list = listOf([10, 20, 30, 40, 50]);
const from = (selected: number | null, by: Parameters<typeof stepTo>[0], visible?: Parameters<typeof stepTo>[3]) => {
  const position = stepTo(by, list, selected, visible);
  return position === null ? null : list.indexAt(position);
};

test('a step leads to the neighbour, and not over the ends', () => {
  expect([from(20, 1), from(20, -1), from(10, -1), from(50, 1), from(40, -10), from(40, 10)]).toEqual([
    30, 10, 10, 50, 10, 50,
  ]);
  expect([from(30, 'first'), from(30, 'last')]).toEqual([10, 50]);
});

test('from a selected row that is not listed it leads to the neighbours that are', () => {
  expect([from(25, 1), from(25, -1), from(25, 2), from(25, -2)]).toEqual([30, 20, 40, 10]);
  // From before the first it leads down into the list and not up, from behind the last up and not down.
  expect([from(5, -1), from(5, 1), from(5, 2), from(60, -1), from(60, 1)]).toEqual([null, 10, 20, 50, null]);
});

test('where nothing is selected it leads to what is in sight', () => {
  expect([from(null, 1, { first: 2, last: 4 }), from(null, -1, { first: 2, last: 4 })]).toEqual([20, 30]);
  expect([from(null, 1), from(null, -1)]).toEqual([10, 50]);
});
