import { expect, test } from 'vitest';
import { silenceBefore } from '../../../web/src/close/silence.ts';

const seconds = (...times: number[]): number[] => times.map((time) => time * 1e6);

test('an end after the longest silence of all is guessed to be an idle timeout', () => {
  expect(silenceBefore(seconds(0, 20, 45, 46), 106e6)).toEqual({ beforeEndMs: 60_000, survivedMs: 25_000, guessS: 60 });
});

test('an end after a silence that was survived before is none', () => {
  expect(silenceBefore(seconds(0, 90, 91), 151e6)).toMatchObject({ beforeEndMs: 60_000, guessS: null });
});

test('an end soon after a frame is none', () => {
  expect(silenceBefore(seconds(0, 0.1), 1e6)).toMatchObject({ guessS: null });
  expect(silenceBefore([], 1e6)).toBeNull();
});
