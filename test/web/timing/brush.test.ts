import { expect, test } from 'vitest';
import { Survey } from '../../../web/src/statistics/survey.ts';
import { brushed } from '../../../web/src/timing/brush.ts';
import { fakeRow } from '../mock-capture.ts';

/** One frame every 0.7 ms, in steps of a millisecond. */
const survey = new Survey();
const rows = Array.from({ length: 400 }, (_, index) => fakeRow(index, 60_000));
survey.take(rows);
const seconds = (index: number): number => (index * 700) / 1e6;

test('a stretch of the timeline counts the frames of its whole steps, and names them', () => {
  const within = brushed(survey.timeline, { fromS: seconds(100), toS: seconds(199) }, rows.length);
  const { range } = within;
  expect(range).not.toBeNull();
  const inRange = rows.slice(range?.from, range?.to);
  expect(inRange.every((row) => Date.parse(row.time) * 1000 >= within.fromUs - 1000)).toBe(true);
  expect(range?.from).toBeLessThanOrEqual(100);
  expect(range?.to).toBeGreaterThan(199);
  expect(within.up + within.down).toBe(inRange.length);
  expect(within.up).toBe(inRange.filter((row) => row.direction === 'client-to-server').length);
});

test('all of it ends with the last frame', () => {
  const within = brushed(survey.timeline, { fromS: -Infinity, toS: Infinity }, rows.length);
  expect(within.range).toEqual({ from: 0, to: 400 });
  expect(within.up + within.down).toBe(400);
});

test('a stretch without frames names none', () => {
  const quiet = new Survey();
  quiet.take([fakeRow(0, 60_000), fakeRow(10_000, 60_000)]);
  const within = brushed(quiet.timeline, { fromS: 2, toS: 3 }, 2);
  expect([within.up, within.down, within.range]).toEqual([0, 0, null]);
});
