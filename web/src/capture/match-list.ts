import type { IndexPage } from '../../../src/contract/api.ts';
import { ApiError } from './api.ts';

/** What a filter's search answers: rows that pass, and how far it has come. */
export interface MatchPage<Row> extends Omit<IndexPage, 'indexes'> {
  readonly rows: readonly Row[];
}
/** Asks for what passes in one session, from an index on. */
export interface MatchSource<Row> {
  /** With its rows, and up to `to` where that is said. */
  readonly rows: (from: number, limit: number, signal: AbortSignal, to?: number) => Promise<MatchPage<Row>>;
  readonly indexes: (from: number, signal: AbortSignal) => Promise<IndexPage>;
}

/** So many come with their rows, to be shown at once; of more the rows that are looked at are fetched. */
const PAGE_ROWS = 500;
/** After a round that failed, or brought the search no further, nothing is asked for so long. */
const REST_MS = 1000;

/**
 * The frames, or messages, of a session that pass a filter: their indexes, found page by page. The server does the
 * filtering; this remembers which rows it named, in order, and goes on from there when more have come.
 */
export class MatchList<Row extends { readonly index: number }> {
  readonly #source: MatchSource<Row>;
  readonly #onRows: (rows: readonly Row[]) => void;
  readonly #onError: (error: unknown) => void;
  readonly #abort = new AbortController();
  #indexes = new Uint32Array(1024);
  /** How many the array holds; before them come those that have been let go, which keep their positions. */
  #kept = 0;
  #gone = 0;
  #scanned = 0;
  #busy = false;
  #restsUntilMs = 0;
  /** The server cannot read the filter: to ask again would change nothing. */
  #refused = false;
  #unreadable = 0;
  /** What was looked at before it had come whole. */
  #growing: readonly number[] = [];
  #lookAgainMs = 0;

  constructor(options: {
    readonly source: MatchSource<Row>;
    readonly onRows: (rows: readonly Row[]) => void;
    readonly onError: (error: unknown) => void;
    /** What comes before this one is not looked at. */
    readonly from?: number;
  }) {
    this.#scanned = options.from ?? 0;
    this.#source = options.source;
    this.#onRows = options.onRows;
    this.#onError = options.onError;
  }

  get length(): number {
    return this.#gone + this.#kept;
  }

  /** What has an index below this one has been looked at by the filter. */
  get scanned(): number {
    return this.#scanned;
  }

  /** How many of those could not be read. */
  get unreadable(): number {
    return this.#unreadable;
  }

  /** `advance` is to be called again, also if nothing comes meanwhile: something was looked at too early, or failed. */
  get waits(): boolean {
    return !this.#refused && (this.#growing.length > 0 || performance.now() < this.#restsUntilMs);
  }

  indexAt(position: number): number | undefined {
    return position < this.length ? this.#indexes[position - this.#gone] : undefined;
  }

  /** Position of an index among the matches, or of the first one after it. */
  positionOf(index: number): number {
    let low = 0;
    let high = this.#kept;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#indexes[middle] ?? 0) < index) low = middle + 1;
      else high = middle;
    }
    return this.#gone + low;
  }

  stop(): void {
    this.#abort.abort();
  }

  /** Goes on searching up to `count`. What lies before `firstHeld` has been evicted: nobody lists it any more. */
  advance(count: number, firstHeld: number): void {
    this.#letGo(firstHeld);
    const nowMs = performance.now();
    if (this.#busy || this.#refused || this.#abort.signal.aborted || nowMs < this.#restsUntilMs) return;
    const few = this.length < PAGE_ROWS || count - this.#scanned <= PAGE_ROWS;
    if (this.#scanned < count) void this.#ask(() => (few ? this.#rowPage() : this.#indexPage()));
    else if (this.#growing.length > 0 && nowMs >= this.#lookAgainMs) void this.#ask(() => this.#lookAgain());
  }

  async #ask(ask: () => Promise<readonly Row[]>): Promise<void> {
    this.#busy = true;
    try {
      const rows = await ask();
      if (this.#abort.signal.aborted) return;
      this.#busy = false;
      this.#onRows(rows);
    } catch (error) {
      this.#busy = false;
      this.#refused = error instanceof ApiError && error.status === 400;
      this.#rest();
      if (!this.#abort.signal.aborted) this.#onError(error);
    }
  }

  async #rowPage(): Promise<readonly Row[]> {
    const page = await this.#source.rows(this.#scanned, PAGE_ROWS, this.#abort.signal);
    for (const { index } of page.rows) this.#settle(index, true);
    this.#goOn(page);
    return page.rows;
  }

  async #indexPage(): Promise<readonly Row[]> {
    const page = await this.#source.indexes(this.#scanned, this.#abort.signal);
    for (const index of page.indexes) this.#settle(index, true);
    this.#goOn(page);
    return [];
  }

  #goOn(page: Omit<IndexPage, 'indexes'>): void {
    this.#unreadable += page.unreadable;
    const scanned = page.next ?? page.end;
    if (scanned <= this.#scanned) this.#rest();
    this.#scanned = Math.max(this.#scanned, scanned);
    this.#growing = [...new Set([...this.#growing, ...page.growing])].filter((index) => index < this.#scanned);
  }

  /** What was looked at too early is put to the filter again, until it has come whole. */
  async #lookAgain(): Promise<readonly Row[]> {
    this.#lookAgainMs = performance.now() + REST_MS;
    const found: Row[] = [];
    for (const index of this.#growing) {
      const page = await this.#source.rows(index, 1, this.#abort.signal, index + 1);
      const row = page.rows.find((one) => one.index === index);
      this.#settle(index, row !== undefined);
      if (row !== undefined) found.push(row);
      if (page.growing.includes(index)) continue;
      this.#growing = this.#growing.filter((one) => one !== index);
      this.#unreadable += page.unreadable;
    }
    return found;
  }

  #letGo(firstHeld: number): void {
    const evicted = this.positionOf(firstHeld) - this.#gone;
    // A copy each time that half of them have gone.
    if (evicted < 1024 || evicted < this.#kept / 2) return;
    this.#indexes.copyWithin(0, evicted, this.#kept);
    this.#kept -= evicted;
    this.#gone += evicted;
  }

  #rest(): void {
    this.#restsUntilMs = performance.now() + REST_MS;
  }

  /** Takes an index in at its place, or out. */
  #settle(index: number, passes: boolean): void {
    const at = this.positionOf(index) - this.#gone;
    const known = at < this.#kept && this.#indexes[at] === index;
    if (known === passes) return;
    if (!passes) {
      this.#indexes.copyWithin(at, at + 1, this.#kept);
      this.#kept -= 1;
      return;
    }
    if (this.#kept === this.#indexes.length) {
      const grown = new Uint32Array(this.#kept * 2);
      grown.set(this.#indexes);
      this.#indexes = grown;
    }
    this.#indexes.copyWithin(at + 1, at, this.#kept);
    this.#indexes[at] = index;
    this.#kept += 1;
  }
}
