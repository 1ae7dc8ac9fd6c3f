import { randomFillSync } from 'node:crypto';

/** RFC 6455 §4.1: 16 random bytes, in Base64. */
const KEY_BYTES = 16;
const KEYS_AT_ONCE = 256;

/** Keys for our own opening handshakes. Random bytes are drawn many at once: one by one they cost more than the rest. */
export class HandshakeKeys {
  readonly #pool = Buffer.alloc(KEY_BYTES * KEYS_AT_ONCE);
  #at = this.#pool.length;

  next(): string {
    if (this.#at === this.#pool.length) {
      randomFillSync(this.#pool);
      this.#at = 0;
    }
    this.#at += KEY_BYTES;
    return this.#pool.toString('base64', this.#at - KEY_BYTES, this.#at);
  }
}
