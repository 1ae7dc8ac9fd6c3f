/** Names a text in its arena. Its owner gives it back to `release` once, and forgets it. */
export type KeptText = number;
export const NO_TEXT: KeptText = -1;

interface Block {
  readonly bytes: Buffer;
  /** The same memory, for the words before each text. */
  readonly words: Int32Array;
  top: number;
  /** Bytes of texts that were not released. */
  liveBytes: number;
}

const DEFAULT_BLOCK_BYTES = 1024 * 1024;
/** A text longer than this part of a block has a block of its own. */
const LARGE = 0.25;
/** A full block of which less than this part is alive is emptied into the current one. */
const SPARSE = 0.25;
/** Before each text in its block: its name and its length, in words. */
const HEAD_BYTES = 8;
/** What a block costs beside its bytes: the objects that stand for them. Measured. */
const BLOCK_COST_BYTES = 500;
const FIRST_PLACES = 64;

/**
 * Keeps many small texts outside of the JavaScript heap, without an object for any of them: what is known of sessions
 * comes and goes by the thousand, and in the heap it would wait for a full collection, with the heap at several times
 * what is alive. Blocks are filled one after another, freed when their last text goes, and emptied when few are left, so
 * that one old text does not hold a megabyte.
 */
export class TextArena {
  readonly #blockBytes: number;
  readonly #freed: (bytes: number) => void;
  readonly #blocks: (Block | null)[] = [];
  #current = -1;
  #spare: Block | null = null;
  #costBytes = 0;
  /** For each name: number of its block and offset there. For a free one: -1 and the next free one. */
  #places = new Int32Array(2 * FIRST_PLACES);
  #names = 0;
  #freeName = -1;

  /** @param options.freed told of memory that is nobody's any more */
  constructor(options: { readonly blockBytes?: number; readonly freed?: (bytes: number) => void } = {}) {
    this.#blockBytes = padded(options.blockBytes ?? DEFAULT_BLOCK_BYTES);
    this.#freed = options.freed ?? (() => undefined);
  }

  /** Memory of all blocks, the spare one too, and of the table of places. */
  get costBytes(): number {
    return this.#costBytes + this.#places.byteLength;
  }

  /** @param text every character below U+0100: bytes as latin1 */
  keep(text: string): KeptText {
    const size = padded(HEAD_BYTES + text.length);
    const number = this.#blockFor(size);
    const block = this.#blocks[number] as Block;
    const offset = block.top;
    const name = this.#takeName();
    block.words[offset >> 2] = name;
    block.words[(offset >> 2) + 1] = text.length;
    block.bytes.write(text, offset + HEAD_BYTES, 'latin1');
    this.#enter(name, number, size);
    return name;
  }

  read(name: KeptText): string {
    const { bytes, words } = this.#blocks[this.#places[2 * name] as number] as Block;
    const offset = this.#places[2 * name + 1] as number;
    const start = offset + HEAD_BYTES;
    return bytes.toString('latin1', start, start + (words[(offset >> 2) + 1] as number));
  }

  release(name: KeptText): void {
    const number = this.#places[2 * name] as number;
    const block = this.#blocks[number] as Block;
    const offset = this.#places[2 * name + 1] as number;
    block.liveBytes -= padded(HEAD_BYTES + (block.words[(offset >> 2) + 1] as number));
    this.#places[2 * name] = -1;
    this.#places[2 * name + 1] = this.#freeName;
    this.#freeName = name;
    if (number === this.#current && block.liveBytes === 0) block.top = 0;
    else if (number !== this.#current && block.liveBytes < block.bytes.length * SPARSE) this.#empty(number);
  }

  #takeName(): KeptText {
    const name = this.#freeName;
    if (name >= 0) {
      this.#freeName = this.#places[2 * name + 1] as number;
      return name;
    }
    if (2 * this.#names === this.#places.length) {
      const places = new Int32Array(2 * this.#places.length);
      places.set(this.#places);
      this.#places = places;
    }
    return this.#names++;
  }

  /** The text at the top of a block is now there under this name. */
  #enter(name: KeptText, number: number, size: number): void {
    const block = this.#blocks[number] as Block;
    this.#places[2 * name] = number;
    this.#places[2 * name + 1] = block.top;
    block.top += size;
    block.liveBytes += size;
  }

  #blockFor(size: number): number {
    if (size > this.#blockBytes * LARGE) return this.#append(size);
    const current = this.#blocks[this.#current];
    if (current != null && current.bytes.length - current.top >= size) return this.#current;
    const former = this.#current;
    this.#current = this.#append(this.#blockBytes);
    // What is left of it takes less than half of the new block, and a text that is not large the rest.
    if (current != null && current.liveBytes < current.bytes.length * SPARSE) this.#empty(former);
    return this.#current;
  }

  #append(length: number): number {
    const free = this.#blocks.indexOf(null);
    const number = free < 0 ? this.#blocks.length : free;
    this.#blocks[number] = this.#makeBlock(length);
    return number;
  }

  #makeBlock(length: number): Block {
    const spare = this.#spare;
    if (spare !== null && length === this.#blockBytes) {
      this.#spare = null;
      return spare;
    }
    const bytes = Buffer.allocUnsafeSlow(length);
    this.#costBytes += length + BLOCK_COST_BYTES;
    return { bytes, words: new Int32Array(bytes.buffer, 0, length / 4), top: 0, liveBytes: 0 };
  }

  /** Moves what is left of a full block, and frees it. */
  #empty(number: number): void {
    const block = this.#blocks[number] as Block;
    let next = 0;
    while (next < block.top && block.liveBytes > 0) {
      const offset = next;
      const name = block.words[offset >> 2] as number;
      const size = padded(HEAD_BYTES + (block.words[(offset >> 2) + 1] as number));
      next += size;
      if (this.#places[2 * name] !== number || this.#places[2 * name + 1] !== offset) continue;
      const target = this.#blockFor(size);
      const { bytes, top } = this.#blocks[target] as Block;
      block.bytes.copy(bytes, top, offset, offset + size);
      this.#enter(name, target, size);
      block.liveBytes -= size;
    }
    this.#blocks[number] = null;
    block.top = block.liveBytes = 0;
    if (this.#spare === null && block.bytes.length === this.#blockBytes) this.#spare = block;
    else this.#free(block);
  }

  #free({ bytes }: Block): void {
    this.#costBytes -= bytes.length + BLOCK_COST_BYTES;
    this.#freed(bytes.length);
  }

  /** Keeps no memory for texts to come. */
  trim(): void {
    if (this.#spare !== null) this.#free(this.#spare);
    this.#spare = null;
    const current = this.#blocks[this.#current];
    if (current == null || current.liveBytes > 0) return;
    this.#blocks[this.#current] = null;
    this.#current = -1;
    this.#free(current);
  }
}

/** Texts begin at a word, so that what stands before them can be read as words. */
function padded(length: number): number {
  return (length + 7) & ~7;
}
