import type { FrameRow } from '../../../src/contract/frame.ts';
import { fetchFrames } from './api.ts';
import { Pulse } from './pulse.ts';

const PAGE_ROWS = 2000;
/** Read without being asked; for more there is a button. */
export const EAGER_FRAMES = 100_000;

/** Takes frames in order and adds them up. */
export interface FrameSink {
  take(rows: readonly FrameRow[]): void;
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
  limit = EAGER_FRAMES;
  error: string | null = null;
  readonly #session: string;
  readonly #filter: string | null;
  #frameCount = 0;
  #running = false;
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
    if (!this.#running) void this.#run();
  }

  /** Nobody looks any more. */
  rest(): void {
    this.#wanted = false;
  }

  readAll(): void {
    this.limit = Number.POSITIVE_INFINITY;
    this.advance(this.#frameCount);
  }

  async #run(): Promise<void> {
    this.#running = true;
    try {
      while (this.#wanted && this.position < Math.min(this.#frameCount, this.limit)) {
        const page = await fetchFrames(this.#session, {
          from: this.position,
          limit: PAGE_ROWS,
          ...(this.#filter !== null && { filter: this.#filter }),
        });
        this.sink.take(page.frames);
        this.position = Math.max(this.position + 1, page.next ?? page.frameCount);
        this.error = null;
        this.pulse.beat();
      }
    } catch (error) {
      this.error = error instanceof Error ? error.message : String(error);
      this.pulse.beat();
    }
    this.#running = false;
  }
}
