import { HuffmanCode } from './huffman.ts';

/** The farthest that DEFLATE can point back: RFC 1951 §3.2.5. Smaller negotiated windows are a part of it. */
export const WINDOW_BYTES = 32_768;
/** Output of one `step`, at most, in bytes. */
export const STEP_BYTES = 65_536;
/** Blocks read in one `step`, at most: they may be empty and yet cost time. */
const STEP_BLOCKS = 256;
const LONGEST_MATCH = 258;

/** RFC 7692 §7.2.2: what the sender took off each message's end. */
export const MESSAGE_TAIL: Readonly<Uint8Array> = Uint8Array.of(0x00, 0x00, 0xff, 0xff);

/**
 * What came of a step: more to do, the message is whole, its bytes are no DEFLATE data, or it points back to bytes
 * before those that this inflater has seen.
 */
export type InflateResult = 'more' | 'done' | 'invalid' | 'needs-history';

const State = { Header: 0, Stored: 1, Codes: 2 } as const;

/**
 * Inflates the messages of one direction one after another, in steps that are small enough for an event loop, and
 * keeps the window between them (RFC 7692 §7.2.2). It can be set back to any message whose window was saved.
 *
 * Node's zlib has no synchronous inflater that keeps its context and can stop in the middle of a message: with
 * `inflateRawSync` and a dictionary each message costs 20 microseconds, and its stream 100.
 * @see RFC 1951
 */
export class Inflater {
  readonly #out = new Uint8Array(WINDOW_BYTES + 2 * STEP_BYTES + LONGEST_MATCH);
  /** End of the output so far, in `#out`. */
  #end = 0;
  /** Where this step's output starts. */
  #start = 0;
  /** Bytes of `#out` before this one are not history. */
  #oldest = 0;

  #input: Uint8Array = new Uint8Array(0);
  #at = 0;
  #bits = 0;
  #bitCount = 0;
  #state: (typeof State)[keyof typeof State] = State.Header;
  #lastBlock = false;
  #storedLeft = 0;
  #literals = FIXED_LITERALS;
  #distances = FIXED_DISTANCES;
  readonly #ownLiterals = new HuffmanCode(286);
  readonly #ownDistances = new HuffmanCode(30);

  /** Forgets the window: each message stands alone (no_context_takeover), or the context was lost. */
  reset(): void {
    this.#end = this.#start = this.#oldest = 0;
  }

  /** The window as it is between two messages, at most 32 KiB, the caller's own copy. */
  saveWindow(): Uint8Array {
    return this.#out.slice(Math.max(this.#oldest, this.#end - WINDOW_BYTES), this.#end);
  }

  restoreWindow(window: Uint8Array): void {
    this.reset();
    this.#out.set(window.subarray(-WINDOW_BYTES));
    this.#end = this.#start = Math.min(window.length, WINDOW_BYTES);
  }

  /**
   * Begins a message.
   * @param compressed the payloads of its frames, then `MESSAGE_TAIL`. Borrowed until the message is done
   */
  begin(compressed: Uint8Array): void {
    this.#input = compressed;
    this.#at = 0;
    this.#bits = 0;
    this.#bitCount = 0;
    this.#state = State.Header;
    this.#lastBlock = false;
    this.#start = this.#end;
  }

  /** What the last step has put out. Valid until the next step. */
  get output(): Uint8Array {
    return this.#out.subarray(this.#start, this.#end);
  }

  step(): InflateResult {
    this.#slide();
    const limit = this.#start + STEP_BYTES;
    for (let blocks = 0; blocks < STEP_BLOCKS && this.#end < limit;) {
      if (this.#state === State.Header) {
        if (this.#ended()) return this.#finish('done');
        blocks++;
        if (!this.#readBlockHeader()) return this.#finish('invalid');
      } else {
        const result = this.#state === State.Stored ? this.#copyStored(limit) : this.#decodeCodes(limit);
        if (result === 'more') return 'more';
        if (result !== 'done') return this.#finish(result);
        this.#state = State.Header;
      }
    }
    return 'more';
  }

  /** After a last block (BFINAL) the rest of its byte is padding, and the tail alone may be left: RFC 7692 §7.2.3.4. */
  #ended(): boolean {
    if (this.#lastBlock) {
      this.#alignToByte();
      this.#lastBlock = false;
      if (this.#input.length - this.#at <= MESSAGE_TAIL.length) return true;
    }
    return this.#at >= this.#input.length && this.#bitCount === 0;
  }

  #finish(result: 'done' | 'invalid' | 'needs-history'): InflateResult {
    this.#input = new Uint8Array(0);
    return result;
  }

  /** Moves the window to the front where a step's output would not fit behind it. */
  #slide(): void {
    if (this.#end > WINDOW_BYTES + STEP_BYTES) {
      const shift = this.#end - WINDOW_BYTES;
      this.#out.copyWithin(0, shift, this.#end);
      this.#end -= shift;
      this.#oldest = Math.max(0, this.#oldest - shift);
    }
    this.#start = this.#end;
  }

  /** Gives the bits that were read ahead back, up to the next byte's start. */
  #alignToByte(): void {
    this.#at -= this.#bitCount >>> 3;
    this.#bits = 0;
    this.#bitCount = 0;
  }

  /** Reads `n` (at most 16) bits, or -1 past the end. */
  #take(n: number): number {
    while (this.#bitCount < n) {
      if (this.#at >= this.#input.length) return -1;
      this.#bits |= this.#input[this.#at++]! << this.#bitCount;
      this.#bitCount += 8;
    }
    const value = this.#bits & ((1 << n) - 1);
    this.#bits >>>= n;
    this.#bitCount -= n;
    return value;
  }

  #readBlockHeader(): boolean {
    const header = this.#take(3);
    if (header < 0) return false;
    this.#lastBlock = (header & 1) !== 0;
    const kind = header >>> 1;
    if (kind === 0) {
      this.#alignToByte();
      const length = this.#take(16);
      const check = this.#take(16);
      if (length < 0 || check < 0 || length !== (check ^ 0xffff)) return false;
      this.#storedLeft = length;
      this.#state = State.Stored;
      return true;
    }
    this.#state = State.Codes;
    if (kind === 1) {
      this.#literals = FIXED_LITERALS;
      this.#distances = FIXED_DISTANCES;
      return true;
    }
    return kind === 2 && this.#readDynamicCodes();
  }

  /** RFC 1951 §3.2.7 */
  #readDynamicCodes(): boolean {
    const counts = this.#take(14);
    if (counts < 0) return false;
    const literalCount = (counts & 31) + 257;
    const distanceCount = ((counts >>> 5) & 31) + 1;
    if (literalCount > 286 || distanceCount > 30) return false;
    LENGTHS.fill(0, 0, 19);
    for (let i = 0; i < (counts >>> 10) + 4; i++) {
      const length = this.#take(3);
      if (length < 0) return false;
      LENGTHS[LENGTH_ORDER[i]!] = length;
    }
    if (!LENGTH_CODE.build(LENGTHS, 0, 19)) return false;
    const total = literalCount + distanceCount;
    for (let i = 0; i < total;) {
      const symbol = this.#takeSymbol(LENGTH_CODE);
      if (symbol < 0) return false;
      if (symbol < 16) {
        LENGTHS[i++] = symbol;
        continue;
      }
      if (symbol === 16 && i === 0) return false;
      const value = symbol === 16 ? LENGTHS[i - 1]! : 0;
      const extra = symbol === 16 ? this.#take(2) : symbol === 17 ? this.#take(3) : this.#take(7);
      const repeat = extra + (symbol === 18 ? 11 : 3);
      if (extra < 0 || i + repeat > total) return false;
      LENGTHS.fill(value, i, i + repeat);
      i += repeat;
    }
    this.#literals = this.#ownLiterals;
    this.#distances = this.#ownDistances;
    // A block without an end-of-block code could never end.
    return (
      LENGTHS[256] !== 0 &&
      this.#literals.build(LENGTHS, 0, literalCount) &&
      this.#distances.build(LENGTHS, literalCount, distanceCount)
    );
  }

  #takeSymbol(code: HuffmanCode): number {
    while (this.#bitCount < 15 && this.#at < this.#input.length) {
      this.#bits |= this.#input[this.#at++]! << this.#bitCount;
      this.#bitCount += 8;
    }
    const entry = code.fast[this.#bits & 1023]! || code.find(this.#bits);
    const length = entry & 15;
    if (entry < 0 || length > this.#bitCount) return -1;
    this.#bits >>>= length;
    this.#bitCount -= length;
    return entry >>> 4;
  }

  #copyStored(limit: number): InflateResult {
    const n = Math.min(this.#storedLeft, limit - this.#end, this.#input.length - this.#at);
    this.#out.set(this.#input.subarray(this.#at, this.#at + n), this.#end);
    this.#at += n;
    this.#end += n;
    this.#storedLeft -= n;
    if (this.#storedLeft === 0) return 'done';
    return this.#at < this.#input.length ? 'more' : 'invalid';
  }

  /**
   * The hot loop: the fields live in locals while it runs. Past the input's end it reads zero bits, at most eight
   * bytes of them, and finds out afterwards.
   */
  #decodeCodes(limit: number): InflateResult {
    const { fast: literalFast } = this.#literals;
    const { fast: distanceFast } = this.#distances;
    const out = this.#out;
    const input = this.#input;
    const inputEnd = input.length;
    let end = this.#end;
    let at = this.#at;
    let bits = this.#bits;
    let bitCount = this.#bitCount;
    let result: InflateResult = 'more';

    while (end < limit) {
      while (bitCount <= 24) {
        bits |= (at < inputEnd ? input[at]! : 0) << bitCount;
        at++;
        bitCount += 8;
      }
      if (at > inputEnd + 8) {
        result = 'invalid';
        break;
      }
      let entry = literalFast[bits & 1023]!;
      if (entry === 0) entry = this.#literals.find(bits);
      if (entry < 0) {
        result = 'invalid';
        break;
      }
      bits >>>= entry & 15;
      bitCount -= entry & 15;
      const symbol = entry >>> 4;
      if (symbol < 256) {
        out[end++] = symbol;
        continue;
      }
      if (symbol === 256) {
        result = 'done';
        break;
      }
      if (symbol > 285) {
        result = 'invalid';
        break;
      }
      const lengthExtra = LENGTH_EXTRA[symbol - 257]!;
      const length = LENGTH_BASE[symbol - 257]! + (bits & ((1 << lengthExtra) - 1));
      bits >>>= lengthExtra;
      bitCount -= lengthExtra;

      while (bitCount <= 24) {
        bits |= (at < inputEnd ? input[at]! : 0) << bitCount;
        at++;
        bitCount += 8;
      }
      entry = distanceFast[bits & 1023]!;
      if (entry === 0) entry = this.#distances.find(bits);
      if (entry < 0 || entry >>> 4 > 29) {
        result = 'invalid';
        break;
      }
      bits >>>= entry & 15;
      bitCount -= entry & 15;
      while (bitCount <= 16) {
        bits |= (at < inputEnd ? input[at]! : 0) << bitCount;
        at++;
        bitCount += 8;
      }
      const distanceExtra = DISTANCE_EXTRA[entry >>> 4]!;
      const distance = DISTANCE_BASE[entry >>> 4]! + (bits & ((1 << distanceExtra) - 1));
      bits >>>= distanceExtra;
      bitCount -= distanceExtra;

      const from = end - distance;
      if (from < this.#oldest) {
        result = 'needs-history';
        break;
      }
      if (distance === 1) out.fill(out[from]!, end, end + length);
      else if (distance >= length && length > 48) out.copyWithin(end, from, from + length);
      else for (let i = 0; i < length; i++) out[end + i] = out[from + i]!;
      end += length;
    }

    if (at * 8 - bitCount > inputEnd * 8 && result !== 'needs-history') result = 'invalid';
    // Bits that were read ahead past the end are zeros that never were.
    if (at > inputEnd) {
      bitCount = Math.max(0, bitCount - (at - inputEnd) * 8);
      at = inputEnd;
    }
    this.#end = end;
    this.#at = at;
    this.#bits = bits;
    this.#bitCount = bitCount;
    return result;
  }
}

// RFC 1951 §3.2.5 and §3.2.7
const LENGTH_BASE = Uint16Array.of(
  ...[
    3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
  ],
);
const LENGTH_EXTRA = Uint8Array.of(
  ...[0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0],
);
const DISTANCE_EXTRA = Uint8Array.from({ length: 30 }, (_, i) => Math.max(0, (i >> 1) - 1));
const DISTANCE_BASE = new Uint16Array(30);
for (let i = 0, base = 1; i < 30; base += 1 << DISTANCE_EXTRA[i]!, i++) DISTANCE_BASE[i] = base;
const LENGTH_ORDER = Uint8Array.of(16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15);

/** Scratch for one block's code lengths: all is done with it before a step returns. */
const LENGTHS = new Uint8Array(286 + 30);
const LENGTH_CODE = new HuffmanCode(19);

// RFC 1951 §3.2.6
const FIXED_LITERALS = new HuffmanCode(288);
FIXED_LITERALS.build(
  Uint8Array.from({ length: 288 }, (_, i) => (i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8)),
  0,
  288,
);
const FIXED_DISTANCES = new HuffmanCode(32);
FIXED_DISTANCES.build(new Uint8Array(32).fill(5), 0, 32);
