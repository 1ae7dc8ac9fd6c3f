import { isUtf8 } from 'node:buffer';
import { Inflater, MESSAGE_TAIL, WINDOW_BYTES, type InflateResult } from '../protocol/inflater.ts';
import { Utf8Checker } from '../protocol/utf8-checker.ts';
import type { TimeSlice } from './time-slice.ts';

/** Work spent on one message: past so much output its length is no longer counted. */
export const MAX_INFLATED_BYTES = 4 * 2 ** 30;
/** Saved windows of one direction, unless told otherwise; past so many every other one is let go. */
const MAX_CHECKPOINTS = 48;
const FIRST_SPACING = 256;

/** One compressed message as the cursor is given it. */
export interface CompressedMessage {
  /** The payloads of its frames and then room for four bytes more; null where they are not (all) held. */
  readonly payload: Uint8Array | null;
  readonly text: boolean;
  /** Bytes in this direction before this message were missed: its window is not what its sender's was. */
  readonly afterGap: boolean;
}

/** Why there is nothing of a message. `pending`: its last byte has not come. */
export type Unreadable = 'pending' | 'not-held' | 'needs-history' | 'invalid';
/** `needs-history`: it points back into what is not held. */
export type InflateStatus = 'whole' | 'counted-in-part' | Unreadable;
export interface Inflated {
  readonly status: InflateStatus;
  /** The first bytes, as many as were asked for. */
  readonly bytes: Uint8Array;
  readonly totalLength: number;
  readonly invalidUtf8: boolean;
}

interface Checkpoint {
  readonly position: number;
  readonly window: Uint8Array;
  readonly historyLost: boolean;
}

/** What the cursor reads: the messages of one session, by position, both directions counted together. */
export interface CompressedSource {
  /** The oldest position that is still held. */
  readonly base: number;
  /** False for a message of the other direction and for one that is not compressed. */
  compressedHere(position: number): boolean;
  /** Null for a message whose last byte has not come. */
  load(position: number, slice: TimeSlice): Promise<CompressedMessage | null>;
  /** Called for each message that has been inflated, also for those that were passed on the way. */
  inflated(position: number, outcome: Inflated): void;
}

/**
 * Inflates the messages of one direction in any order. With context takeover each needs all before it: the windows of
 * some are kept, so that going back does not mean to start over.
 */
export class InflateCursor {
  readonly #source: CompressedSource;
  readonly #takeover: boolean;
  readonly #maxCheckpoints: number;
  readonly #inflater = new Inflater();
  readonly #utf8 = new Utf8Checker();
  #next = 0;
  #historyLost = false;
  /** The message at which it was lost; windows saved behind it are those of another walk, and may have theirs. */
  #lostAt = 0;
  #checkpoints: Checkpoint[] = [];
  #spacing = FIRST_SPACING;
  #sinceCheckpoint = 0;

  constructor(
    source: CompressedSource,
    options: { readonly contextTakeover: boolean; readonly maxCheckpoints?: number | undefined },
  ) {
    this.#source = source;
    this.#takeover = options.contextTakeover;
    this.#maxCheckpoints = Math.min(options.maxCheckpoints ?? MAX_CHECKPOINTS, MAX_CHECKPOINTS);
  }

  get bytes(): number {
    return 256 * 1024 + this.#checkpoints.length * WINDOW_BYTES;
  }

  /** It has a window with which a message at `position`, or a later one, can be inflated, whatever went before it. */
  reaches(position: number): boolean {
    if (!this.#takeover) return false;
    if (this.#next >= position && !this.#historyLost) return true;
    return this.#checkpoints.some((saved) => saved.position >= position && !saved.historyLost);
  }

  /** The message at `position`, with its first `keepBytes` bytes. */
  async inflate(position: number, keepBytes: number, slice: TimeSlice): Promise<Inflated> {
    if (!this.#takeover) {
      this.#inflater.reset();
      return this.#run(position, keepBytes, slice);
    }
    this.#seek(position);
    while (this.#next < position) {
      if (this.#source.compressedHere(this.#next)) {
        const { status } = await this.#run(this.#next, 0, slice);
        if (status === 'pending') return nothing('pending');
        this.#mark();
      }
      this.#next++;
      if (slice.over) await slice.pause();
    }
    const outcome = await this.#run(position, keepBytes, slice);
    if (outcome.status !== 'pending') {
      this.#mark();
      this.#next = position + 1;
    }
    return outcome;
  }

  /** Goes to the nearest place at or before `position` from which every message is held. */
  #seek(position: number): void {
    const { base } = this.#source;
    while (this.#checkpoints[0] !== undefined && this.#checkpoints[0].position < base) this.#checkpoints.shift();
    const saved = this.#checkpoints.findLast((checkpoint) => checkpoint.position <= position);
    const here = this.#next <= position && this.#next >= base;
    const better = saved?.historyLost === false && this.#historyLost && saved.position > this.#lostAt;
    if (here && !better && (saved === undefined || saved.position <= this.#next)) return;
    this.#sinceCheckpoint = 0;
    this.#next = saved?.position ?? base;
    this.#historyLost = saved?.historyLost ?? base > 0;
    this.#lostAt = 0;
    if (saved === undefined) this.#inflater.reset();
    else this.#inflater.restoreWindow(saved.window);
  }

  /** After a message: keeps the window where the last one kept is far enough behind. */
  #mark(): void {
    if (++this.#sinceCheckpoint < this.#spacing) return;
    this.#sinceCheckpoint = 0;
    const position = this.#next + 1;
    if (position <= (this.#checkpoints.at(-1)?.position ?? 0)) return;
    this.#checkpoints.push({ position, window: this.#inflater.saveWindow(), historyLost: this.#historyLost });
    if (this.#checkpoints.length <= this.#maxCheckpoints) return;
    this.#checkpoints = this.#checkpoints.filter((_, i) => i % 2 === 1);
    this.#spacing *= 2;
  }

  async #run(position: number, keepBytes: number, slice: TimeSlice): Promise<Inflated> {
    const message = await this.#source.load(position, slice);
    if (message === null) return nothing('pending');
    if (message.afterGap) this.#loseHistory(position);
    const outcome = message.payload === null ? nothing('not-held') : await this.#inflate(message, keepBytes, slice);
    if (outcome.status !== 'whole') this.#loseHistory(position);
    this.#source.inflated(position, outcome);
    return outcome;
  }

  #loseHistory(position: number): void {
    if (!this.#takeover) return;
    this.#inflater.reset();
    this.#lostAt = position;
    this.#historyLost = true;
  }

  async #inflate(message: CompressedMessage, keepBytes: number, slice: TimeSlice): Promise<Inflated> {
    const payload = message.payload as Uint8Array;
    // An empty payload is not what RFC 7692 §7.2.3.6 makes of an empty message, but it means nothing else.
    if (payload.length === MESSAGE_TAIL.length) return nothing('whole');
    payload.set(MESSAGE_TAIL, payload.length - MESSAGE_TAIL.length);
    this.#inflater.begin(payload);
    const kept: Uint8Array[] = [];
    let keptLength = 0;
    let totalLength = 0;
    let validUtf8 = true;
    let result: InflateResult = 'more';
    while (result === 'more' && totalLength < MAX_INFLATED_BYTES) {
      result = this.#inflater.step();
      const output = this.#inflater.output;
      if (keptLength < keepBytes && output.length > 0) {
        const part = output.slice(0, keepBytes - keptLength);
        kept.push(part);
        keptLength += part.length;
      }
      if (message.text && validUtf8) {
        validUtf8 =
          totalLength === 0 && result !== 'more' ? isUtf8(output) : this.#utf8.check(output, result !== 'more');
      }
      totalLength += output.length;
      if (result === 'more' && slice.over) await slice.pause();
    }
    this.#utf8.reset();
    return {
      status: result === 'needs-history' && this.#historyLost ? 'needs-history' : STATUS[result],
      bytes: kept.length === 1 ? (kept[0] as Uint8Array) : Buffer.concat(kept),
      totalLength,
      invalidUtf8: result === 'done' && !validUtf8,
    };
  }
}

/** To point back before the session's first byte is as wrong as any other nonsense. */
const STATUS: Readonly<Record<InflateResult, InflateStatus>> = {
  done: 'whole',
  more: 'counted-in-part',
  invalid: 'invalid',
  'needs-history': 'invalid',
};

/** What came out, or null where nothing of it can be relied on. */
export function readable({ status, bytes }: Inflated): Uint8Array | null {
  return unreadable(status) === null ? bytes : null;
}

/** Nobody will ever know what is in it. */
export const isLost = (why: Unreadable | null): boolean => why === 'not-held' || why === 'needs-history';

/** Why nothing of it can be relied on; null where that is not so. */
export function unreadable(status: InflateStatus): Unreadable | null {
  return status === 'whole' || status === 'counted-in-part' ? null : status;
}

function nothing(status: InflateStatus): Inflated {
  return { status, bytes: new Uint8Array(0), totalLength: 0, invalidUtf8: false };
}
