import { constants, createDeflateRaw, type DeflateRaw, type ZlibOptions } from 'node:zlib';

/** Compresses as an endpoint of permessage-deflate does: one context, flushed after each message, the tail taken off. */
export class PeerDeflate {
  readonly #deflate: DeflateRaw;

  constructor(options: ZlibOptions = {}) {
    this.#deflate = createDeflateRaw(options);
  }

  async compress(message: Uint8Array | string): Promise<Buffer> {
    const parts: Buffer[] = [];
    const collect = (part: Buffer): void => void parts.push(part);
    this.#deflate.on('data', collect);
    this.#deflate.write(message);
    await new Promise<void>((done) => this.#deflate.flush(constants.Z_SYNC_FLUSH, done));
    this.#deflate.off('data', collect);
    const whole = Buffer.concat(parts);
    return whole.subarray(0, whole.length - 4);
  }

  async compressAll(messages: readonly (Uint8Array | string)[]): Promise<Buffer[]> {
    const out: Buffer[] = [];
    for (const message of messages) out.push(await this.compress(message));
    this.#deflate.destroy();
    return out;
  }
}
