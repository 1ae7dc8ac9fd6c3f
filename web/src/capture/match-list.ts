import type { FramePage } from '../../../src/contract/api.ts';
import type { FrameRow } from '../../../src/contract/frame.ts';

/** Asks for matching rows of one session, from an index on. */
export type FetchMatches = (from: number, limit: number, signal: AbortSignal) => Promise<FramePage>;

const PAGE_ROWS = 500;
/** Found without being asked; beyond that more is found when one scrolls there. */
const EAGER_ROWS = 20_000;
/** After a round that failed, or brought the search no further, nothing is asked for so long. */
const REST_MS = 1000;

/**
 * The frames of a session that pass a filter: their indexes, found page by page. The server does the filtering;
 * this remembers which rows it named, in order, and goes on from there when more frames have come.
 */
export class MatchList {
  readonly #fetch: FetchMatches;
  readonly #onRows: (rows: readonly FrameRow[]) => void;
  readonly #onError: (error: unknown) => void;
  readonly #abort = new AbortController();
  #indexes = new Uint32Array(1024);
  #length = 0;
  #scanned = 0;
  #busy = false;
  #reachedEnd = false;
  #restsUntilMs = 0;

  constructor(options: {
    readonly fetch: FetchMatches;
    readonly onRows: (rows: readonly FrameRow[]) => void;
    readonly onError: (error: unknown) => void;
    /** Frames before this one are not looked at. */
    readonly from?: number;
  }) {
    this.#scanned = options.from ?? 0;
    this.#fetch = options.fetch;
    this.#onRows = options.onRows;
    this.#onError = options.onError;
  }

  get length(): number {
    return this.#length;
  }

  /** Frames below this index have been looked at by the filter. */
  get scanned(): number {
    return this.#scanned;
  }

  get reachedEnd(): boolean {
    return this.#reachedEnd;
  }

  indexAt(position: number): number | undefined {
    return position < this.#length ? this.#indexes[position] : undefined;
  }

  /** Position of a frame among the matches, or of the first one after it. */
  positionOf(index: number): number {
    let low = 0;
    let high = this.#length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#indexes[middle] ?? 0) < index) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  stop(): void {
    this.#abort.abort();
  }

  /** Goes on searching up to `frameCount`, as far as position `wanted` needs it. */
  advance(frameCount: number, wanted: number): void {
    if (this.#busy || this.#abort.signal.aborted || this.#scanned >= frameCount) return;
    if (performance.now() < this.#restsUntilMs) return;
    if (this.#length > EAGER_ROWS && wanted < this.#length - PAGE_ROWS) return;
    this.#busy = true;
    void this.#page();
  }

  async #page(): Promise<void> {
    try {
      const page = await this.#fetch(this.#scanned, PAGE_ROWS, this.#abort.signal);
      if (this.#abort.signal.aborted) return;
      for (const row of page.frames) this.#push(row.index);
      const scanned = page.next ?? page.frameCount;
      if (scanned <= this.#scanned) this.#rest();
      this.#scanned = Math.max(this.#scanned, scanned);
      this.#reachedEnd = page.next === null;
      this.#busy = false;
      this.#onRows(page.frames);
    } catch (error) {
      this.#busy = false;
      this.#rest();
      if (!this.#abort.signal.aborted) this.#onError(error);
    }
  }

  #rest(): void {
    this.#restsUntilMs = performance.now() + REST_MS;
  }

  #push(index: number): void {
    if (this.#length > 0 && (this.#indexes[this.#length - 1] ?? 0) >= index) return;
    if (this.#length === this.#indexes.length) {
      const grown = new Uint32Array(this.#length * 2);
      grown.set(this.#indexes);
      this.#indexes = grown;
    }
    this.#indexes[this.#length] = index;
    this.#length += 1;
  }
}
