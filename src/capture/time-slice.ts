import { setImmediate as nextTurn } from 'node:timers/promises';

/** How long work that nobody waits for may keep the event loop from its frames, in milliseconds. */
const SLICE_MS = 5;

/** Cuts long work into slices: `if (slice.over) await slice.pause();` between two steps. */
export class TimeSlice {
  readonly #signal: AbortSignal | undefined;
  readonly #nowMs: () => number;
  readonly #onPause: () => void;
  #endMs: number;

  /** @param options.onPause called before others have their turn */
  constructor(
    options: {
      readonly signal?: AbortSignal | undefined;
      readonly nowMs?: () => number;
      readonly onPause?: () => void;
    } = {},
  ) {
    this.#signal = options.signal;
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#onPause = options.onPause ?? (() => undefined);
    this.#endMs = this.#nowMs() + SLICE_MS;
  }

  get over(): boolean {
    return this.#nowMs() >= this.#endMs;
  }

  /**
   * Lets the event loop turn once, then starts a new slice.
   * @throws the signal's reason once it is aborted
   */
  async pause(): Promise<void> {
    this.#signal?.throwIfAborted();
    this.#onPause();
    await nextTurn();
    this.#signal?.throwIfAborted();
    this.#endMs = this.#nowMs() + SLICE_MS;
  }
}
