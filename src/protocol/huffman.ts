/** Codes of at most this many bits are found by one look-up. */
const FAST_BITS = 10;
const FAST_SIZE = 1 << FAST_BITS;
const MAX_BITS = 15;

/** One canonical Huffman code, ready to decode: RFC 1951 §3.2.2. Made once and filled again for each block. */
export class HuffmanCode {
  /** By the next ten bits: symbol << 4 | code length, or 0 where the code is longer or does not exist. */
  readonly fast = new Uint16Array(FAST_SIZE);
  readonly #count = new Uint16Array(MAX_BITS + 1);
  readonly #symbols: Uint16Array;
  readonly #offsets = new Uint16Array(MAX_BITS + 1);

  constructor(symbolCount: number) {
    this.#symbols = new Uint16Array(symbolCount);
  }

  /**
   * Takes the code lengths of symbols 0..n-1, in bits, from `lengths[from..from+n]`.
   * False for lengths that are no code: too many of one length, or an incomplete set of more than a single bit
   * (zlib's rule, which every implementation that people use shares).
   */
  build(lengths: Uint8Array, from: number, n: number): boolean {
    const count = this.#count.fill(0);
    for (let i = 0; i < n; i++) count[lengths[from + i]!]!++;
    count[0] = 0;
    let left = 1;
    let longest = 0;
    for (let bits = 1; bits <= MAX_BITS; bits++) {
      left = left * 2 - count[bits]!;
      if (left < 0) return false;
      if (count[bits] !== 0) longest = bits;
    }
    if (left > 0 && longest > 1) return false;
    const offsets = this.#offsets;
    offsets[1] = 0;
    for (let bits = 1; bits < MAX_BITS; bits++) offsets[bits + 1] = offsets[bits]! + count[bits]!;
    for (let i = 0; i < n; i++) {
      const bits = lengths[from + i]!;
      if (bits !== 0) this.#symbols[offsets[bits]!++] = i;
    }
    this.#fillFast();
    return true;
  }

  #fillFast(): void {
    const fast = this.fast.fill(0);
    let code = 0;
    let next = 0;
    for (let bits = 1; bits <= FAST_BITS; bits++) {
      for (let i = this.#count[bits]!; i > 0; i--, code++) {
        const entry = (this.#symbols[next++]! << 4) | bits;
        for (let at = reverse(code, bits); at < FAST_SIZE; at += 1 << bits) fast[at] = entry;
      }
      code <<= 1;
    }
  }

  /** The slow way, for codes that `fast` does not hold: symbol << 4 | code length, or -1 for bits that are no code. */
  find(bitBuffer: number): number {
    let code = 0;
    let first = 0;
    let index = 0;
    for (let bits = 1; bits <= MAX_BITS; bits++) {
      code |= (bitBuffer >>> (bits - 1)) & 1;
      const count = this.#count[bits]!;
      if (code - count < first) return (this.#symbols[index + code - first]! << 4) | bits;
      index += count;
      first = (first + count) << 1;
      code <<= 1;
    }
    return -1;
  }
}

function reverse(code: number, bits: number): number {
  let reversed = 0;
  for (let i = 0; i < bits; i++) reversed |= ((code >>> i) & 1) << (bits - 1 - i);
  return reversed;
}
