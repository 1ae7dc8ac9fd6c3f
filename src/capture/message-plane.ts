import type { Preview } from '../contract/frame.ts';
import { PREVIEW_BYTES } from '../contract/frame.ts';
import type { MessageRow } from '../contract/message.ts';
import { previewBytes } from '../contract/preview.ts';
import type { SessionDetail } from '../contract/session.ts';
import { WINDOW_BYTES } from '../protocol/inflater.ts';
import type { CaptureReader } from './capture-reader.ts';
import type { Guest, Lodging } from './guests.ts';
import type { Filter } from './filter.ts';
import { readable, unreadable } from './inflate-cursor.ts';
import { violationsOf } from './message-columns.ts';
import type {
  MessageContent,
  MessageMatches,
  MessageReader,
  MessageStart,
  MessageStretch,
  NoContent,
} from './message-reader.ts';
import { messageRow, readMessageRow } from './message-row.ts';
import { searchMessages } from './message-search.ts';
import { SessionMessages } from './session-messages.ts';
import { TimeSlice } from './time-slice.ts';

const MAX_CONTENT_BYTES = 8 * 2 ** 20;
const DEFAULT_MEMORY_BYTES = 32 * 2 ** 20;
/** Parts of the capture's budget: the plane takes one of so many at most. */
const SHARE = 8;
const LEAST_KEPT_BYTES = 2 ** 20;
/** What nobody has asked for in so long goes first when the capture needs room, in milliseconds. */
const IDLE_MS = 10_000;
/** What could not be found out again stays for longer. */
const NEEDED_IDLE_MS = 600_000;

interface Remembered {
  readonly messages: SessionMessages;
  /** Ends when what was asked before has been answered: two askers would move one window. */
  busy: Promise<unknown>;
  askers: number;
  askedMs: number;
  /** What is counted for it. */
  bytes: number;
}

/** What the plane may take of a capture with this budget. */
export function planeBytes(budgetBytes: number): number {
  return Math.min(DEFAULT_MEMORY_BYTES, Math.floor(budgetBytes / SHARE));
}

/**
 * The message plane: walks a session's frames when somebody asks and remembers what it found, for the sessions asked
 * about last. `maxBytes` holds for all but the very last one, which is let go too where they are less than 1 MiB.
 */
export class MessagePlane implements MessageReader, Guest {
  readonly #reader: CaptureReader;
  readonly #maxBytes: number;
  readonly #nowMs: () => number;
  /** Least recently asked about first. */
  readonly #sessions = new Map<string, Remembered>();
  readonly #lodging: Lodging;
  #bytes = 0;

  constructor(reader: CaptureReader, options: { readonly maxBytes?: number; readonly nowMs?: () => number } = {}) {
    this.#reader = reader;
    this.#maxBytes = options.maxBytes ?? DEFAULT_MEMORY_BYTES;
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#lodging = reader.admit(this);
  }

  /** Memory of what is remembered. */
  get costBytes(): number {
    return this.#bytes;
  }

  /** Lets go of the sessions that nobody has asked about lately. */
  makeRoom(): void {
    const nowMs = this.#nowMs();
    for (const [id, { askers, askedMs, messages }] of this.#sessions) {
      const idleMs = askers === 0 ? nowMs - askedMs : 0;
      if (idleMs > NEEDED_IDLE_MS || (idleMs > IDLE_MS && !messages.isNeeded)) this.forget(id);
    }
  }

  forget(id: string): void {
    const remembered = this.#sessions.get(id);
    if (remembered === undefined) return;
    this.#sessions.delete(id);
    this.#bytes -= remembered.bytes;
    remembered.bytes = 0;
  }

  forgetAll(): void {
    for (const id of [...this.#sessions.keys()]) this.forget(id);
  }

  /** Forgets everything, and is no part of the capture any more. */
  close(): void {
    this.#lodging.leave();
    this.forgetAll();
  }

  async messages(id: string, from: number, limit: number): Promise<MessageRow[] | undefined> {
    return this.#ask(id, async (messages, slice) => {
      const rows: MessageRow[] = [];
      const { columns } = messages;
      for (let at = Math.max(from, columns.base); at < columns.end && rows.length < limit; at++) {
        rows.push(await readMessageRow(this.#reader, messages, at, slice));
        if (slice.over) await slice.pause();
      }
      return rows;
    });
  }

  async search(id: string, filter: Filter | null, stretch: MessageStretch): Promise<MessageMatches | undefined> {
    return this.#ask(id, async (messages, slice, session) => {
      // Before the search: what comes whole meanwhile may have been looked at too early.
      const growing = session.state === 'open' ? messages.growing : [];
      const { found, next, unreadable } = await searchMessages(messages, { session, filter, stretch, slice });
      const indexes = found.map(({ position }) => position);
      const shown = stretch.rows === false ? [] : found;
      const rows = shown.map(({ position, inflated }) => {
        const start = messages.frames.isCompressed(position)
          ? inflated
          : messages.frames.start(position, PREVIEW_BYTES);
        return messageRow(this.#reader, messages, position, start);
      });
      const { base, end } = messages.columns;
      return { indexes, rows, next, first: base, end, growing, unreadable };
    });
  }

  async messageOfFrame(id: string, frameIndex: number): Promise<MessageRow | undefined> {
    return this.#ask(id, async (messages, slice) => {
      const position = messages.positionOfFrame(frameIndex);
      return position < 0 ? undefined : readMessageRow(this.#reader, messages, position, slice);
    });
  }

  async content(
    id: string,
    messageIndex: number,
    maxBytes = MAX_CONTENT_BYTES,
  ): Promise<MessageContent | NoContent | undefined> {
    return this.#ask(id, async (messages, slice, session) => {
      const { columns } = messages;
      const growing = session.state === 'open' && messages.growing.includes(messageIndex);
      if (messageIndex < columns.base || messageIndex >= columns.end) return undefined;
      if (!messages.frames.isCompressed(messageIndex)) {
        const { bytes, whole } = await messages.frames.payload(messageIndex, maxBytes, slice);
        const totalLength = columns.wireLength(messageIndex);
        if (bytes.length === 0 && !whole && totalLength > 0) return { bytes: null, why: 'not-held', growing };
        return { row: await readMessageRow(this.#reader, messages, messageIndex, slice), bytes, totalLength, growing };
      }
      const outcome = await messages.inflate(messageIndex, Math.max(maxBytes, PREVIEW_BYTES), slice);
      const why = unreadable(outcome.status);
      if (why !== null) return { bytes: null, why, growing };
      return {
        row: messageRow(this.#reader, messages, messageIndex, outcome.bytes),
        bytes: outcome.bytes.subarray(0, maxBytes),
        totalLength: outcome.totalLength,
        growing,
        ...(outcome.status === 'counted-in-part' ? { atLeast: true as const } : {}),
      };
    });
  }

  async contents(
    id: string,
    frameIndexes: readonly number[],
    maxBytes: number,
  ): Promise<ReadonlyMap<number, MessageStart>> {
    const contents = new Map<number, MessageStart>();
    await this.#ask(id, async (messages, slice) => {
      for (const index of [...frameIndexes].sort((a, b) => a - b)) {
        const position = messages.positionOfFrame(index);
        // A later fragment has nothing of its own: where its part begins is known only after inflating all of it.
        if (position < 0 || !messages.frames.isCompressed(position) || messages.columns.firstFrame(position) !== index)
          continue;
        const inflated = await messages.inflate(position, maxBytes, slice);
        contents.set(index, {
          bytes: readable(inflated),
          totalLength: messages.columns.inflatedLength(position) ?? Infinity,
          violations: violationsOf(messages.columns.flags(position)),
          why: unreadable(inflated.status),
        });
        if (slice.over) await slice.pause();
      }
    });
    return contents;
  }

  async previews(id: string, frameIndexes: readonly number[]): Promise<ReadonlyMap<number, Preview>> {
    const previews = new Map<number, Preview>();
    for (const [index, { bytes, totalLength }] of await this.contents(id, frameIndexes, PREVIEW_BYTES)) {
      if (bytes !== null) previews.set(index, previewBytes(bytes, totalLength));
    }
    return previews;
  }

  async #ask<T>(
    id: string,
    answer: (messages: SessionMessages, slice: TimeSlice, session: SessionDetail) => Promise<T>,
  ): Promise<T | undefined> {
    const remembered = this.#remember(id);
    remembered.askers++;
    const answered = remembered.busy.then(async () => {
      const session = this.#reader.session(id);
      if (session === undefined) return undefined;
      const slice = new TimeSlice({ nowMs: this.#nowMs, onPause: () => this.#count(id, remembered) });
      await remembered.messages.catchUp(session, slice);
      return answer(remembered.messages, slice, session);
    });
    remembered.busy = answered.catch(() => undefined);
    try {
      return await answered;
    } finally {
      remembered.askers--;
      remembered.askedMs = this.#nowMs();
      this.#count(id, remembered);
      this.#shrink();
      this.#lodging.grown();
    }
  }

  #remember(id: string): Remembered {
    const remembered = this.#sessions.get(id) ?? {
      messages: new SessionMessages(this.#reader, id, {
        maxWindows: Math.max(2, Math.floor(this.#maxBytes / 4 / WINDOW_BYTES)),
      }),
      busy: Promise.resolve(),
      askers: 0,
      askedMs: 0,
      bytes: 0,
    };
    this.forget(id);
    if (!this.#reader.has(id)) return remembered;
    this.#sessions.set(id, remembered);
    this.#count(id, remembered);
    return remembered;
  }

  /** Counts what is remembered of a session anew, unless it has been let go. */
  #count(id: string, remembered: Remembered): void {
    if (this.#sessions.get(id) !== remembered) return;
    this.#bytes -= remembered.bytes;
    remembered.bytes = remembered.messages.bytes;
    this.#bytes += remembered.bytes;
  }

  #shrink(): void {
    for (const [id, { askers }] of this.#sessions) {
      if (this.#bytes <= this.#maxBytes || (this.#sessions.size === 1 && this.#maxBytes >= LEAST_KEPT_BYTES)) return;
      if (askers === 0) this.forget(id);
    }
  }
}
