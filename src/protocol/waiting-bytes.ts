/** The memory of all that strict sessions keep back. */
export interface HeldBytes {
  total: number;
}

/** Bytes that wait for those after them, in one buffer that doubles. Counted with those of all sessions. */
export class WaitingBytes {
  readonly #held: HeldBytes;
  readonly #maxHeldBytes: number;
  #bytes: Buffer = NOTHING;
  #length = 0;

  /** @param maxHeldBytes what all sessions together may hold for these to become more */
  constructor(held: HeldBytes, maxHeldBytes: number) {
    this.#held = held;
    this.#maxHeldBytes = maxHeldBytes;
  }

  get length(): number {
    return this.#length;
  }

  /**
   * Takes a copy of more bytes; false where there is no room: then nothing has changed.
   * @param mostBytes how many there will be in the end at most
   */
  append(bytes: Uint8Array, mostBytes: number): boolean {
    const length = this.#length + bytes.length;
    if (length > this.#bytes.length) {
      // Doubling, for what comes byte by byte.
      const capacity = Math.min(mostBytes, Math.max(length, this.#bytes.length * 2));
      const total = this.#held.total - this.#bytes.length + capacity;
      if (total > this.#maxHeldBytes) return false;
      this.#held.total = total;
      const grown = Buffer.allocUnsafeSlow(capacity);
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length = length;
    return true;
  }

  /** Gives out all of them, and holds nothing more. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#length);
    this.#held.total -= this.#bytes.length;
    this.#length = 0;
    this.#bytes = NOTHING;
    return taken;
  }
}

const NOTHING = Buffer.alloc(0);
