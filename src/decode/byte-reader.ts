import { MAX_DEPTH, MAX_VALUES } from './value.ts';

/** The bytes are not what the decoder took them for. */
export class DecodeFailure extends Error {
  override readonly name = 'DecodeFailure';
}

/** Reads bytes one after another and fails instead of reading, growing or nesting without bound. */
export class ByteReader {
  readonly bytes: Uint8Array;
  at = 0;
  readonly #view: DataView;
  #values = 0;
  #depth = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get left(): number {
    return this.bytes.length - this.at;
  }
  get values(): number {
    return this.#values;
  }

  /** Counts one value more. */
  count(): void {
    if (++this.#values > MAX_VALUES) throw new DecodeFailure(`more than ${MAX_VALUES} values`);
  }
  /** Reads something that lies one level deeper. */
  nested<T>(read: () => T): T {
    if (++this.#depth > MAX_DEPTH) throw new DecodeFailure(`more than ${MAX_DEPTH} levels`);
    const value = read();
    this.#depth--;
    return value;
  }

  take(n: number): Uint8Array {
    if (n > this.left) throw new DecodeFailure('the bytes end too early');
    this.at += n;
    return this.bytes.subarray(this.at - n, this.at);
  }
  rest(): Uint8Array {
    return this.take(this.left);
  }
  text(n: number): string {
    const bytes = this.take(n);
    try {
      return UTF8.decode(bytes);
    } catch {
      throw new DecodeFailure('a text is not UTF-8');
    }
  }

  u8(): number {
    return this.#view.getUint8(this.#step(1));
  }
  u16(): number {
    return this.#view.getUint16(this.#step(2));
  }
  u32(): number {
    return this.#view.getUint32(this.#step(4));
  }
  u64(): bigint {
    return this.#view.getBigUint64(this.#step(8));
  }
  i8(): number {
    return this.#view.getInt8(this.#step(1));
  }
  i16(): number {
    return this.#view.getInt16(this.#step(2));
  }
  i32(): number {
    return this.#view.getInt32(this.#step(4));
  }
  i64(): bigint {
    return this.#view.getBigInt64(this.#step(8));
  }
  f32(littleEndian = false): number {
    return this.#view.getFloat32(this.#step(4), littleEndian);
  }
  f64(littleEndian = false): number {
    return this.#view.getFloat64(this.#step(8), littleEndian);
  }

  #step(n: number): number {
    if (n > this.left) throw new DecodeFailure('the bytes end too early');
    this.at += n;
    return this.at - n;
  }
}
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
