/** Waits this long for the scrolling to settle before it asks. */
const SETTLE_MS = 40;
/** Where rows come in by themselves and one watches, they are asked for together, a few times a second. */
const GATHER_MS = 200;
/** Rows asked for beyond the visible ones, on either side. */
const MARGIN_ROWS = 60;
const MAX_ROWS = 500;
/** The same range is not asked for again sooner: the server may not have it. */
const REPEAT_MS = 1000;
const NOTHING_ASKED = { from: -1, to: -1, atMs: 0 };

/**
 * Fetches what is looked at and not held: one request for a visible window, never one for a row, and one at a time.
 * Only the newest wish counts; it waits for the request under way, so that a list that moves on still gets its rows.
 */
export class RangeLoader {
  readonly #missing: (from: number, to: number) => { readonly from: number; readonly to: number } | null;
  readonly #fetch: (from: number, limit: number, signal: AbortSignal) => Promise<void>;
  readonly #onError: (error: unknown) => void;
  #wish: { readonly from: number; readonly to: number } | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Asks for a range again that was asked for a moment ago, unless another is wanted by then. */
  #retry: ReturnType<typeof setTimeout> | undefined;
  #running: AbortController | null = null;
  #asked: { readonly from: number; readonly to: number; readonly atMs: number } = NOTHING_ASKED;
  /** Nothing was looked at before: there is no scrolling to settle. */
  #atOnce = true;
  #pauseMs = SETTLE_MS;

  constructor(options: {
    readonly missing: (from: number, to: number) => { readonly from: number; readonly to: number } | null;
    readonly fetch: (from: number, limit: number, signal: AbortSignal) => Promise<void>;
    readonly onError: (error: unknown) => void;
  }) {
    this.#missing = options.missing;
    this.#fetch = options.fetch;
    this.#onError = options.onError;
  }

  /** These rows are visible; `floor` and `end` bound what exists. `gathers`: more of them come in all the time. */
  want(
    first: number,
    last: number,
    { floor, end, gathers = false }: { readonly floor: number; readonly end: number; readonly gathers?: boolean },
  ): void {
    clearTimeout(this.#retry);
    this.#wish = null;
    if (this.#missing(Math.max(first, floor), Math.min(last, end)) === null) return;
    this.#wish = { from: Math.max(first - MARGIN_ROWS, floor), to: Math.min(last + MARGIN_ROWS, end) };
    const pauseMs = gathers ? GATHER_MS : SETTLE_MS;
    if (this.#atOnce && this.#running === null) this.#ask();
    else if (this.#timer === undefined || pauseMs < this.#pauseMs) this.#askIn(pauseMs);
    this.#atOnce = false;
  }

  #askIn(pauseMs: number): void {
    clearTimeout(this.#timer);
    this.#pauseMs = pauseMs;
    this.#timer = setTimeout(() => this.#ask(), pauseMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#retry);
    this.#timer = undefined;
    this.#wish = null;
    this.#asked = NOTHING_ASKED;
    this.#running?.abort();
    this.#atOnce = true;
  }

  #ask(): void {
    this.#timer = undefined;
    if (this.#running !== null) return;
    const wish = this.#wish;
    this.#wish = null;
    const range = wish === null ? null : this.#missing(wish.from, wish.to);
    if (range === null) return;
    const now = Date.now();
    const again = range.from === this.#asked.from && range.to === this.#asked.to;
    const waitMs = this.#asked.atMs + REPEAT_MS - now;
    if (again && waitMs > 0) {
      // It may have changed since, as a frame does that has come whole: it is asked for then, not never.
      this.#retry = setTimeout(() => {
        this.#wish ??= wish;
        this.#ask();
      }, waitMs);
      return;
    }
    this.#asked = { ...range, atMs: now };
    const abort = new AbortController();
    this.#running = abort;
    this.#fetch(range.from, Math.min(range.to - range.from, MAX_ROWS), abort.signal)
      .catch((error: unknown) => {
        if (!abort.signal.aborted) this.#onError(error);
      })
      .finally(() => {
        this.#running = null;
        // Also where it was given up: what is wished for now is wished since.
        if (this.#wish !== null && this.#timer === undefined) this.#askIn(this.#pauseMs);
      });
  }
}
