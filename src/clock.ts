/**
 * Whole microseconds since the Unix epoch, never going back: the wall clock at the start plus the monotonic clock since.
 * Whole ones, because a number of this size with a fraction takes a microsecond to write as text.
 */
export function createClock(): () => number {
  const originUs = performance.timeOrigin * 1000;
  return () => Math.floor(originUs + performance.now() * 1000);
}

/** Milliseconds since `startedMs` of `performance.now()`, to the microsecond. */
export function elapsedMs(startedMs: number): number {
  return Math.round((performance.now() - startedMs) * 1000) / 1000;
}
