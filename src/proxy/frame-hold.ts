/** A frame longer than this is cut through even so: memory must not grow with it. */
export const MAX_HELD_FRAME_BYTES = 16 * 1024 * 1024;
/** What all sessions together may keep back; a frame that grows beyond it is cut through from there. */
export const MAX_HELD_BYTES = 64 * 1024 * 1024;

/** The memory of all that strict sessions keep back. */
export interface HeldBytes {
  total: number;
}

/**
 * Strict sessions: keeps the bytes of a frame back until it is whole, so that one that turns out to be wrong at its end
 * was never begun on the other side, where a close frame can then be said.
 */
export class FrameHold {
  readonly #held: HeldBytes;
  #frameBytes = 0;
  #bytes: Buffer = NOTHING;
  #length = 0;

  constructor(held: HeldBytes) {
    this.#held = held;
  }

  /** A frame is kept back. */
  get holds(): boolean {
    return this.#frameBytes > 0;
  }

  /** Whether a frame of this length, header included, may be kept back from its beginning on; then it is. */
  begin(frameBytes: number): boolean {
    if (frameBytes > MAX_HELD_FRAME_BYTES) return false;
    this.#frameBytes = frameBytes;
    return true;
  }

  /** Keeps a copy of more of it; false where there is no room: then nothing has changed. */
  keep(bytes: Uint8Array): boolean {
    const length = this.#length + bytes.length;
    if (length > this.#bytes.length) {
      // Doubling, for a frame that comes byte by byte.
      const capacity = Math.min(this.#frameBytes, Math.max(length, this.#bytes.length * 2));
      const total = this.#held.total - this.#bytes.length + capacity;
      if (total > MAX_HELD_BYTES) return false;
      this.#held.total = total;
      const grown = Buffer.allocUnsafeSlow(capacity);
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length = length;
    return true;
  }

  /** Gives out what was kept, and keeps nothing more. */
  flush(): Buffer {
    const kept = this.#bytes.subarray(0, this.#length);
    this.#held.total -= this.#bytes.length;
    this.#frameBytes = this.#length = 0;
    this.#bytes = NOTHING;
    return kept;
  }
}

const NOTHING = Buffer.alloc(0);
