import type { FramePage } from '../../../src/contract/api.ts';
import type { FrameRow } from '../../../src/contract/frame.ts';
import { ApiError, fetchFrames } from './api.ts';
import { Pulse } from './pulse.ts';

const PAGE_ROWS = 2000;
/** What could not be read is asked for again after so long. */
const AGAIN_MS = 2000;
/** Read without being asked; for more there is a button. */
export const EAGER_FRAMES = 100_000;

/** Takes frames in order and adds them up. */
export interface FrameSink {
  take(rows: readonly FrameRow[]): void;
  /** A row that was taken before its last byte had come, as it is now that it has. */
  complete(row: FrameRow, before: FrameRow): void;
}

/**
 * Reads the frames of a session once, page by page, into something that adds them up; nothing of them is kept.
 * Goes on where it was when more have come.
 */
export class FrameWalk<Sink extends FrameSink> {
  readonly sink: Sink;
  readonly pulse = new Pulse();
  /** Frames below this index have been read. */
  position = 0;
  /** How many of those were no longer held. */
  missed = 0;
  /** So many are read. */
  limit = EAGER_FRAMES;
  error: string | null = null;
  /** What was read before it had come whole, by index; null: it did not pass the filter then. */
  readonly #growing = new Map<number, FrameRow | null>();
  readonly #session: string;
  readonly #filter: string | null;
  #frameCount = 0;
  #running = false;
  /** `advance` was called, also while it was running. */
  #asked = false;
  #again: ReturnType<typeof setTimeout> | undefined;
  #wanted = false;

  constructor(session: string, sink: Sink, filter: string | null) {
    this.#session = session;
    this.#filter = filter;
    this.sink = sink;
  }

  /** Somebody looks: read on, up to `frameCount`. */
  advance(frameCount: number): void {
    this.#wanted = true;
    this.#frameCount = frameCount;
    this.#asked = true;
    if (!this.#running) void this.#run();
  }

  /** Nobody looks any more. */
  rest(): void {
    this.#wanted = false;
    clearTimeout(this.#again);
  }

  /** Whether it reads on where there are so many frames. */
  reaches(frameCount: number): boolean {
    return this.position < frameCount && this.position - this.missed < this.limit;
  }

  readAll(): void {
    this.limit = Number.POSITIVE_INFINITY;
    this.advance(this.#frameCount);
  }

  async #run(): Promise<void> {
    this.#running = true;
    clearTimeout(this.#again);
    try {
      do {
        this.#asked = false;
        while (this.#wanted && this.reaches(this.#frameCount)) await this.#read();
        if (this.#wanted && this.#growing.size > 0) await this.#lookAgain();
      } while (this.#wanted && this.#asked);
      this.error = null;
    } catch (error) {
      this.error = error instanceof ApiError ? error.message : 'The server cannot be reached.';
      this.#again = setTimeout(() => {
        if (this.#wanted) this.advance(this.#frameCount);
      }, AGAIN_MS);
    }
    this.#running = false;
    this.pulse.beat();
  }

  async #read(): Promise<void> {
    const page = await this.#fetch({ from: this.position, limit: PAGE_ROWS });
    this.sink.take(page.frames);
    this.missed += Math.max(0, page.firstHeldFrame - this.position);
    const taken = new Set(page.frames.map(({ index }) => index));
    for (const index of page.growing) if (!taken.has(index)) this.#growing.set(index, null);
    for (const row of page.frames) if (!row.complete) this.#growing.set(row.index, row);
    this.position = Math.max(this.position + 1, page.next ?? page.frameCount);
    this.error = null;
    this.pulse.beat();
  }

  /** One frame a direction at most is still coming in: few are looked at. */
  async #lookAgain(): Promise<void> {
    for (const [index, before] of this.#growing) {
      const page = await this.#fetch({ from: index, to: index + 1, limit: 1 });
      const row = page.frames.find((one) => one.index === index);
      if (row === undefined ? page.growing.includes(index) : !row.complete) continue;
      this.#growing.delete(index);
      if (row === undefined) continue;
      if (before === null) this.sink.take([row]);
      else this.sink.complete(row, before);
      this.pulse.beat();
    }
  }

  #fetch(page: { readonly from: number; readonly to?: number; readonly limit: number }): Promise<FramePage> {
    return fetchFrames(this.#session, this.#filter === null ? page : { ...page, filter: this.#filter });
  }
}
