import { PayloadText, TEXT_BYTES } from './filter/candidate.ts';

/** Payloads held at a time, in bytes. */
const PAGE_BYTES = 1024 * 1024;
/** Compressed messages inflated at a time: what they may come to is not known before. */
export const PAGE_INFLATED = 256;

/** The payloads that one stretch of a search looks at, one after another in one buffer. */
export class PayloadArena {
  /** The one that nobody uses: short searches follow each other by the thousand. */
  static #spare: PayloadArena | null = null;
  readonly #bytes = Buffer.allocUnsafeSlow(PAGE_BYTES + TEXT_BYTES);
  #end = 0;

  /** An empty arena, for a search that gives it back. */
  static take(): PayloadArena {
    const arena = PayloadArena.#spare ?? new PayloadArena();
    PayloadArena.#spare = null;
    return arena;
  }
  /** Nothing that was taken into it is read any more. */
  giveBack(): void {
    this.clear();
    PayloadArena.#spare = this;
  }

  get full(): boolean {
    return this.#end >= PAGE_BYTES;
  }
  clear(): void {
    this.#end = 0;
  }
  /**
   * Takes the start of a payload of `length` bytes; null where not even that is held.
   * @param copy writes at most so many bytes to a place, and says how many
   */
  take(length: number, copy: (target: Buffer, at: number, maxBytes: number) => number): PayloadText | null {
    const start = this.#end;
    const copied = copy(this.#bytes, start, Math.min(length, TEXT_BYTES));
    if (copied === 0 && length > 0) return null;
    this.#end += copied;
    return new PayloadText(this.#bytes, [], { start, end: this.#end });
  }
}
