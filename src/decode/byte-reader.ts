import { MAX_DEPTH, MAX_VALUES } from './value.ts';

/** The bytes are not what the decoder took them for. */
export class DecodeFailure extends Error {
  override readonly name = 'DecodeFailure';
}

/** The bytes go on, but as much of them was read as may be: what was read till then stands. */
export class DecodeLimit extends DecodeFailure {}

/** What a reader and its parts have read together. */
interface Spent {
  values: number;
  depth: number;
  readonly maxValues: number;
}

/** Reads bytes one after another and fails instead of reading, growing or nesting without bound. */
export class ByteReader {
  readonly bytes: Uint8Array;
  at = 0;
  readonly #view: DataView;
  readonly #spent: Spent;

  constructor(bytes: Uint8Array, { maxValues = MAX_VALUES, spent }: { maxValues?: number; spent?: Spent } = {}) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#spent = spent ?? { values: 0, depth: 0, maxValues };
  }

  get left(): number {
    return this.bytes.length - this.at;
  }
  get values(): number {
    return this.#spent.values;
  }

  /** No value more may be read. */
  get exhausted(): boolean {
    return this.#spent.values >= this.#spent.maxValues;
  }

  /** Counts one value more, or what costs as much as several. */
  count(values = 1): void {
    const spent = this.#spent;
    if ((spent.values += values) > spent.maxValues) throw new DecodeLimit(`more than ${spent.maxValues} values`);
  }
  /** Reads something that lies one level deeper. */
  nested<T>(read: () => T): T {
    if (++this.#spent.depth > MAX_DEPTH) {
      this.#spent.depth--;
      throw new DecodeLimit(`more than ${MAX_DEPTH} levels`);
    }
    try {
      return read();
    } finally {
      this.#spent.depth--;
    }
  }
  /** Reads these bytes with a reader of their own, whose values and levels count with this one's. */
  inside(bytes: Uint8Array): ByteReader {
    return new ByteReader(bytes, { spent: this.#spent });
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
  u32(littleEndian = false): number {
    return this.#view.getUint32(this.#step(4), littleEndian);
  }
  u64(littleEndian = false): bigint {
    return this.#view.getBigUint64(this.#step(8), littleEndian);
  }
  i8(): number {
    return this.#view.getInt8(this.#step(1));
  }
  i16(): number {
    return this.#view.getInt16(this.#step(2));
  }
  i32(littleEndian = false): number {
    return this.#view.getInt32(this.#step(4), littleEndian);
  }
  i64(littleEndian = false): bigint {
    return this.#view.getBigInt64(this.#step(8), littleEndian);
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
