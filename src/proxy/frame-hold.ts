/** A frame longer than this is cut through even so: memory must not grow with it. */
export const MAX_HELD_FRAME_BYTES = 16 * 1024 * 1024;
/** What all sessions together may keep back; a frame that does not fit any more is cut through. */
const MAX_HELD_BYTES = 64 * 1024 * 1024;

/** How much strict sessions keep back, or have promised to. */
export interface HeldBytes {
  total: number;
}

/**
 * Strict sessions: keeps the bytes of a frame back until it is whole, so that one that turns out to be wrong at its end
 * was never begun on the other side, where a close frame can then be said.
 */
export class FrameHold {
  readonly #held: HeldBytes;
  #reservedBytes = 0;
  #bytes: Buffer = NOTHING;
  #length = 0;

  constructor(held: HeldBytes) {
    this.#held = held;
  }

  /** A frame is kept back. */
  get holds(): boolean {
    return this.#reservedBytes > 0;
  }

  /** Whether a frame of this length, header included, may be kept back from its beginning on; then it is. */
  begin(frameBytes: number): boolean {
    if (frameBytes > MAX_HELD_FRAME_BYTES || this.#held.total + frameBytes > MAX_HELD_BYTES) return false;
    this.#reservedBytes = frameBytes;
    this.#held.total += frameBytes;
    return true;
  }

  /** Keeps a copy of more of it. */
  keep(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length > this.#bytes.length) {
      // Doubling, for a frame that comes byte by byte.
      const grown = Buffer.allocUnsafeSlow(Math.min(this.#reservedBytes, Math.max(length, this.#bytes.length * 2)));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length = length;
  }

  /** Gives out what was kept, and keeps nothing more. */
  flush(): Buffer {
    const kept = this.#bytes.subarray(0, this.#length);
    this.#held.total -= this.#reservedBytes;
    this.#reservedBytes = this.#length = 0;
    this.#bytes = NOTHING;
    return kept;
  }
}

const NOTHING = Buffer.alloc(0);
