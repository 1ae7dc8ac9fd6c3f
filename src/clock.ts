/** Microseconds since the Unix epoch, never going back: the wall clock at the start plus the monotonic clock since. */
export function createClock(): () => number {
  const originUs = performance.timeOrigin * 1000;
  return () => originUs + performance.now() * 1000;
}
