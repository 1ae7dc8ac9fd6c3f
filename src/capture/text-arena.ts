/** Where a text lies. Its owner keeps it, and gives it back to `release` once. */
export interface KeptText {
  block: Block;
  offset: number;
  readonly length: number;
}

interface Block {
  readonly bytes: Buffer;
  top: number;
  /** Bytes of texts that were not released. */
  liveBytes: number;
  readonly texts: Set<KeptText>;
}

const DEFAULT_BLOCK_BYTES = 1024 * 1024;
/** A text longer than this part of a block has a block of its own. */
const LARGE = 0.25;
/** A full block of which less than this part is alive is emptied into the current one. */
const SPARSE = 0.25;

/**
 * Keeps many small texts outside of the JavaScript heap: handshakes come and go by the thousand, and as strings they
 * would wait for a full collection, with the heap at twice what is alive. Blocks are filled one after another, freed
 * when their last text goes, and emptied when few are left, so that one old text does not hold a megabyte.
 */
export class TextArena {
  readonly #blockBytes: number;
  #current: Block | null = null;
  #spare: Buffer | null = null;
  #costBytes = 0;

  constructor(blockBytes: number = DEFAULT_BLOCK_BYTES) {
    this.#blockBytes = blockBytes;
  }

  get costBytes(): number {
    return this.#costBytes;
  }

  /** @param text every character below U+0100: bytes as latin1 */
  keep(text: string): KeptText {
    const block = this.#blockFor(text.length);
    const kept = { block, offset: block.top, length: text.length };
    block.bytes.write(text, block.top, 'latin1');
    this.#enter(kept);
    return kept;
  }

  read(kept: KeptText): string {
    return kept.block.bytes.toString('latin1', kept.offset, kept.offset + kept.length);
  }

  release(kept: KeptText): void {
    const { block } = kept;
    if (!block.texts.delete(kept)) return;
    block.liveBytes -= kept.length;
    if (block === this.#current) return;
    if (block.liveBytes < block.bytes.length * SPARSE) this.#empty(block);
  }

  #enter(kept: KeptText): void {
    const { block } = kept;
    block.top += kept.length;
    block.liveBytes += kept.length;
    block.texts.add(kept);
  }

  #blockFor(length: number): Block {
    const current = this.#current;
    if (length > this.#blockBytes * LARGE) return this.#append(length);
    if (current !== null && current.bytes.length - current.top >= length) return current;
    const block = (this.#current = this.#append(this.#blockBytes));
    // What is left of it takes less than half of the new block, and a text that is not large the rest.
    if (current !== null && current.liveBytes < current.bytes.length * SPARSE) this.#empty(current);
    return block;
  }

  #append(length: number): Block {
    this.#costBytes += length;
    return { bytes: this.#takeBytes(length), top: 0, liveBytes: 0, texts: new Set() };
  }

  /** Moves what is left of a full block, and frees it. */
  #empty(block: Block): void {
    for (const kept of block.texts) {
      const target = this.#blockFor(kept.length);
      block.bytes.copy(target.bytes, target.top, kept.offset, kept.offset + kept.length);
      kept.block = target;
      kept.offset = target.top;
      this.#enter(kept);
    }
    block.texts.clear();
    this.#costBytes -= block.bytes.length;
    if (block.bytes.length === this.#blockBytes) this.#spare = block.bytes;
  }

  #takeBytes(length: number): Buffer {
    const spare = this.#spare;
    if (spare === null || length !== this.#blockBytes) return Buffer.allocUnsafeSlow(length);
    this.#spare = null;
    return spare;
  }
}
