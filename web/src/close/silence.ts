/** How quiet a session was before it ended, and how quiet it had been and lived. */
export interface Silence {
  /** From the last frame that was no close frame to the end. */
  readonly beforeEndMs: number;
  /** The longest time between two frames before that. */
  readonly survivedMs: number;
  /** The idle timeout that somebody on the way seems to have, in whole seconds, or null where nothing points to one. */
  readonly guessS: number | null;
}

/** Shorter silences end connections for other reasons. */
const MIN_IDLE_MS = 4_000;

/**
 * A connection that ends after the longest silence of its life was probably ended by it.
 * @param timesUs of the frames that were no close frames, in order
 * @param endUs when the first close frame came, or the connection ended without one
 */
export function silenceBefore(timesUs: readonly number[], endUs: number): Silence | null {
  const last = timesUs.at(-1);
  if (last === undefined) return null;
  const beforeEndMs = Math.max(0, endUs - last) / 1000;
  let survivedMs = 0;
  for (let at = 1; at < timesUs.length; at += 1) {
    survivedMs = Math.max(survivedMs, ((timesUs[at] ?? 0) - (timesUs[at - 1] ?? 0)) / 1000);
  }
  const idle = beforeEndMs >= MIN_IDLE_MS && beforeEndMs > survivedMs;
  return { beforeEndMs, survivedMs, guessS: idle ? Math.round(beforeEndMs / 1000) : null };
}
