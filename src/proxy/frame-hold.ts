/** A frame longer than this is cut through even so: memory must not grow with it. */
export const MAX_HELD_FRAME_BYTES = 1024 * 1024;

/**
 * Strict sessions: keeps the bytes of a frame back until it is whole, so that one that turns out to be wrong at its end
 * was never begun on the other side, where a close frame can then be said.
 */
export class FrameHold {
  #parts: Buffer[] = [];

  /** Bytes of a frame wait. */
  get holds(): boolean {
    return this.#parts.length > 0;
  }

  /**
   * What may go of what waited and of `bytes`, as a copy.
   * @param keepFrom where in `bytes` a frame begins, or goes on, that is not whole; their length where none is
   */
  pass(bytes: Uint8Array, keepFrom: number): Buffer {
    if (keepFrom === 0) {
      if (bytes.length > 0) this.#parts.push(Buffer.from(bytes));
      return Buffer.alloc(0);
    }
    const passed = Buffer.concat([...this.#parts, bytes.subarray(0, keepFrom)]);
    this.#parts = keepFrom < bytes.length ? [Buffer.from(bytes.subarray(keepFrom))] : [];
    return passed;
  }

  /** Gives out what waits. */
  flush(): Buffer {
    const waited = Buffer.concat(this.#parts);
    this.#parts = [];
    return waited;
  }
}
