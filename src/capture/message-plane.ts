import type { Preview } from '../contract/frame.ts';
import { PREVIEW_BYTES } from '../contract/frame.ts';
import type { MessageRow } from '../contract/message.ts';
import { previewBytes } from '../contract/preview.ts';
import { isoMicros } from '../contract/time.ts';
import type { MessageViolationCode } from '../contract/violations.ts';
import type { CaptureReader } from './capture-reader.ts';
import type { Inflated } from './inflate-cursor.ts';
import { MessageFlag } from './message-columns.ts';
import type { MessageContent, MessageReader, MessageStart } from './message-reader.ts';
import { SessionMessages } from './session-messages.ts';
import { TimeSlice } from './time-slice.ts';

const MAX_CONTENT_BYTES = 8 * 2 ** 20;
const DEFAULT_MEMORY_BYTES = 32 * 2 ** 20;
/** How often sessions that are gone from the capture are looked for, in milliseconds. */
const SWEEP_MS = 1000;

interface Remembered {
  readonly messages: SessionMessages;
  /** Ends when what was asked before has been answered: two askers would move one window. */
  busy: Promise<unknown>;
}

/**
 * The message plane: walks a session's frames when somebody asks and remembers what it found, for the sessions asked
 * about last. `maxBytes` holds for all but the very last one.
 */
export class MessagePlane implements MessageReader {
  readonly #reader: CaptureReader;
  readonly #maxBytes: number;
  readonly #nowMs: () => number;
  /** Least recently asked about first. */
  readonly #sessions = new Map<string, Remembered>();
  #epoch = '';
  #sweptMs = 0;
  readonly #unsubscribe: () => void;

  constructor(reader: CaptureReader, options: { readonly maxBytes?: number; readonly nowMs?: () => number } = {}) {
    this.#reader = reader;
    this.#maxBytes = options.maxBytes ?? DEFAULT_MEMORY_BYTES;
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#unsubscribe = reader.subscribe(() => this.#sweep());
  }

  /** Memory of what is remembered. */
  get bytes(): number {
    let sum = 0;
    for (const { messages } of this.#sessions.values()) sum += messages.bytes;
    return sum;
  }

  /** Forgets everything and stops listening to the capture. */
  close(): void {
    this.#unsubscribe();
    this.#sessions.clear();
  }

  async messages(id: string, from: number, limit: number): Promise<MessageRow[] | undefined> {
    return this.#ask(id, async (messages, slice) => {
      const rows: MessageRow[] = [];
      const { columns } = messages;
      for (let at = Math.max(from, columns.base); at < columns.end && rows.length < limit; at++) {
        rows.push(await this.#row(id, messages, at, slice));
        if (slice.over) await slice.pause();
      }
      return rows;
    });
  }

  async messageOfFrame(id: string, frameIndex: number): Promise<MessageRow | undefined> {
    return this.#ask(id, async (messages, slice) => {
      const position = messages.positionOfFrame(frameIndex);
      return position < 0 ? undefined : this.#row(id, messages, position, slice);
    });
  }

  async content(
    id: string,
    messageIndex: number,
    maxBytes = MAX_CONTENT_BYTES,
  ): Promise<MessageContent | null | undefined> {
    return this.#ask(id, async (messages, slice) => {
      const { columns } = messages;
      if (messageIndex < columns.base || messageIndex >= columns.end) return undefined;
      if (!messages.isCompressed(messageIndex)) {
        const { bytes, whole } = messages.payload(messageIndex, maxBytes);
        const totalLength = columns.wireLength(messageIndex);
        if (bytes.length === 0 && !whole && totalLength > 0) return null;
        return { row: await this.#row(id, messages, messageIndex, slice), bytes, totalLength };
      }
      const outcome = await messages.inflate(messageIndex, Math.max(maxBytes, PREVIEW_BYTES), slice);
      const bytes = readable(outcome);
      if (bytes === null) return null;
      return {
        row: this.#makeRow(id, messages, messageIndex, bytes),
        bytes: bytes.subarray(0, maxBytes),
        totalLength: outcome.totalLength,
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
        if (position < 0 || !messages.isCompressed(position) || messages.columns.firstFrame(position) !== index)
          continue;
        const bytes = readable(await messages.inflate(position, maxBytes, slice));
        const totalLength = messages.columns.inflatedLength(position) ?? Infinity;
        contents.set(index, { bytes, totalLength, violations: violationsOf(messages.columns.flags(position)) });
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
    answer: (messages: SessionMessages, slice: TimeSlice) => Promise<T>,
  ): Promise<T | undefined> {
    const remembered = this.#remember(id);
    const answered = remembered.busy.then(async () => {
      const session = this.#reader.session(id);
      if (session === undefined) return undefined;
      const slice = new TimeSlice({ nowMs: this.#nowMs });
      await remembered.messages.catchUp(session, slice);
      return answer(remembered.messages, slice);
    });
    remembered.busy = answered.catch(() => undefined);
    try {
      return await answered;
    } finally {
      this.#shrink();
    }
  }

  #remember(id: string): Remembered {
    this.#checkEpoch();
    const remembered = this.#sessions.get(id) ?? {
      messages: new SessionMessages(this.#reader, id),
      busy: Promise.resolve(),
    };
    this.#sessions.delete(id);
    if (this.#reader.session(id) !== undefined) this.#sessions.set(id, remembered);
    return remembered;
  }

  #checkEpoch(): void {
    const { epoch } = this.#reader.status();
    if (epoch !== this.#epoch) this.#sessions.clear();
    this.#epoch = epoch;
  }

  /** Lets go of what is remembered of sessions that are no longer there. */
  #sweep(): void {
    if (this.#sessions.size === 0 || this.#nowMs() - this.#sweptMs < SWEEP_MS) return;
    this.#sweptMs = this.#nowMs();
    this.#checkEpoch();
    for (const id of this.#sessions.keys()) if (this.#reader.session(id) === undefined) this.#sessions.delete(id);
  }

  #shrink(): void {
    let bytes = this.bytes;
    for (const [id, { messages }] of this.#sessions) {
      if (bytes <= this.#maxBytes || this.#sessions.size === 1) return;
      bytes -= messages.bytes;
      this.#sessions.delete(id);
    }
  }

  async #row(id: string, messages: SessionMessages, position: number, slice: TimeSlice): Promise<MessageRow> {
    let start: Uint8Array | null;
    if (messages.isCompressed(position)) {
      start = readable(await messages.inflate(position, PREVIEW_BYTES, slice));
    } else {
      start = messages.start(position, PREVIEW_BYTES);
    }
    return this.#makeRow(id, messages, position, start);
  }

  #makeRow(id: string, messages: SessionMessages, position: number, start: Uint8Array | null): MessageRow {
    const { columns } = messages;
    const compressed = messages.isCompressed(position);
    const wireLength = columns.wireLength(position);
    const payloadLength = compressed ? columns.inflatedLength(position) : wireLength;
    let timeUs = 0;
    this.#reader.visitFrames(id, columns.firstFrame(position), 1, (row) => {
      if (row.index === columns.firstFrame(position)) timeUs = row.timeUs;
    });
    return {
      index: position,
      direction: messages.direction(position),
      type: (columns.flags(position) & MessageFlag.Binary) !== 0 ? 'binary' : 'text',
      firstFrame: columns.firstFrame(position),
      lastFrame: columns.lastFrame(position),
      frameCount: columns.frameCount(position),
      time: isoMicros(timeUs),
      compressed,
      complete: messages.isComplete(position),
      wireLength,
      payloadLength,
      violations: violationsOf(columns.flags(position)),
      preview: start === null ? null : previewBytes(start, payloadLength ?? Infinity),
    };
  }
}

function readable({ status, bytes }: Inflated): Uint8Array | null {
  return status === 'whole' || status === 'counted-in-part' ? bytes : null;
}

function violationsOf(flags: number): MessageViolationCode[] {
  const codes: MessageViolationCode[] = [];
  if ((flags & MessageFlag.InflateFailed) !== 0) codes.push('inflate-failed');
  if ((flags & MessageFlag.InvalidUtf8) !== 0) codes.push('message-invalid-utf8');
  return codes;
}
