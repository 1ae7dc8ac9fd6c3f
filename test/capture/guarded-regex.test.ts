import { expect, test } from 'vitest';
import { FilterError } from '../../src/capture/filter/filter-error.ts';
import { GuardedRegex } from '../../src/capture/filter/guarded-regex.ts';
import { TimeSlice } from '../../src/capture/time-slice.ts';

/** Stands for a process that the system lets wait for 150 ms while it tries a payload, `times` times. */
class Waiting extends RegExp {
  times = 0;
  override test(text: string): boolean {
    if (this.times-- > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 150);
    return super.test(text);
  }
}

test('a pattern that had to wait for the processor is tried again', async () => {
  const pattern = new Waiting('a');
  pattern.times = 4;
  expect(await new GuardedRegex(pattern, 0).testAll(['a', 'b'], new TimeSlice())).toEqual([true, false]);
});

test('a pattern that never comes to its turn is given up', () => {
  const pattern = new Waiting('a');
  pattern.times = 100;
  expect(() => new GuardedRegex(pattern, 0).test('a')).toThrow(FilterError);
  expect(pattern.times).toBeGreaterThan(90);
});

test('while a pattern backtracks on many payloads others have their turn, and the answers are right', async () => {
  // 2^18 ways to fail: some milliseconds each.
  const texts = Array.from({ length: 100 }, (_, at) => 'a'.repeat(18) + (at % 10 === 0 ? '' : '!'));
  let turns = 0;
  const counter = setInterval(() => turns++, 0);
  const results = await new GuardedRegex(/^(a+)+$/, 0).testAll(texts, new TimeSlice());
  clearInterval(counter);
  expect(results).toEqual(texts.map((_, at) => at % 10 === 0));
  expect(turns).toBeGreaterThan(5);
});
