import { randomFillSync } from 'node:crypto';

const KEYS_A_BATCH = 4096;

/**
 * Fresh masking keys (RFC 6455 §5.3: unpredictable, from a strong source of entropy), drawn a batch at a time: one
 * call into the random generator costs as much as a thousand keys.
 */
export class MaskingKeys {
  readonly #keys = new Int32Array(KEYS_A_BATCH);
  #next = KEYS_A_BATCH;
  readonly #fill: (keys: Int32Array) => void;

  constructor(fill: (keys: Int32Array) => void = randomFillSync) {
    this.#fill = fill;
  }

  /** Writes fresh keys to all of `target`. */
  fill(target: Int32Array): void {
    this.#fill(target);
  }

  /** A key as a signed 32-bit number, none of whose readings is favoured. */
  next(): number {
    if (this.#next === KEYS_A_BATCH) {
      this.#fill(this.#keys);
      this.#next = 0;
    }
    return this.#keys[this.#next++] as number;
  }
}
