import { expect, test } from 'vitest';
import { FilterError } from '../../src/capture/filter/filter-error.ts';
import { GuardedRegex } from '../../src/capture/filter/guarded-regex.ts';

/** Stands for a process that the system lets wait for 150 ms while it tries a payload, `times` times. */
class Waiting extends RegExp {
  times = 0;
  override test(text: string): boolean {
    if (this.times-- > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 150);
    return super.test(text);
  }
}

test('a pattern that had to wait for the processor is tried again', () => {
  const pattern = new Waiting('a');
  pattern.times = 2;
  expect(new GuardedRegex(pattern, 0).testAll(['a', 'b'])).toEqual([true, false]);
});

test('a pattern that never comes to its turn is given up', () => {
  const pattern = new Waiting('a');
  pattern.times = 100;
  expect(() => new GuardedRegex(pattern, 0).test('a')).toThrow(FilterError);
  expect(pattern.times).toBeGreaterThan(90);
});
