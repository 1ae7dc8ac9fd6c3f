import { FrameBit } from '../contract/frame-bits.ts';
import { ViolationBit } from '../contract/violations.ts';
import type { FrameScanner } from '../protocol/frame-scanner.ts';
import type { FrameLog } from './frame-log.ts';
import { placesWith } from './residence.ts';
import {
  AGAIN_BIT,
  framesInLines,
  ROW_BYTES,
  ROW_WORDS,
  RowFloat,
  RowWord,
  RUN_BIT,
  RunFloat,
  RunWord,
  type RowWriter,
  type Segment,
} from './segment.ts';
import type { SessionRecord } from './session-record.ts';

/** What a recorder needs of the store. */
export interface RecorderHost {
  readonly log: FrameLog;
  readonly clock: () => number;
  readonly recording: boolean;
  readonly payloadLimitBytes: number;
  /** The number that was given last. */
  seq: number;
  /** The highest sequence number that anybody has read: a row above it may still be written to in silence. */
  readonly readSeq: number;
  frameSeen(session: SessionRecord): void;
}

/** Frames that came one after another in a chunk: whole messages, pings and pongs, with nothing wrong about them. */
export interface Run {
  readonly count: number;
  /** How many of them are control frames. */
  readonly controls: number;
  /** Where in the chunk the first one begins and the last one ends. */
  readonly start: number;
  readonly end: number;
  readonly payloadBytes: number;
  /** Where they begin: the lines of segment.ts that follow a run's row. */
  readonly lines: Uint8Array;
}

/** No frame that is whole in a read is longer: with a limit from here on none of them is cut. */
const WHOLE_PAYLOAD_BYTES = 256 * 1024;
/** Up to here a frame that came in pieces is copied to lie in one. */
const SMALL_FRAME_BYTES = 1024;
/**
 * So much of a chunk's length is kept free beside it, as a shift, that its frames are one run: a quarter for frames of
 * 18 bytes and more, a 64th for those of `LARGE_FRAME_BYTES`.
 */
const SMALL_FRAMES = 2;
const LARGE_FRAMES = 6;
const LARGE_FRAME_BYTES = 1024;
const NO_WORDS = new Int32Array(0);
const NO_FLOATS = new Float64Array(0);

/**
 * Puts one direction's frames into the log: a row for each, the wire bytes as they came. For each chunk: `keepChunk`,
 * then `record` for each piece that the scanner finds in it, then `endChunk`.
 */
export class Recorder implements RowWriter {
  readonly #host: RecorderHost;
  readonly #session: SessionRecord;
  readonly #side: 0 | 1;
  readonly #party: 'client' | 'server';
  #timeUs = 0;
  /** The chunk is in the slab: in the segment of this id, from this offset. */
  #kept = false;
  #chunkSegment = 0;
  #offset = 0;
  /** Where the next rows go, and whether the session is entered there. */
  #rowSegment: Segment | null = null;
  #words: Int32Array = NO_WORDS;
  #floats: Float64Array = NO_FLOATS;
  /** The row of the frame that began last; `#lastSegment` null where it has none, or has it no longer. */
  #lastSegment: Segment | null = null;
  #lastWord = 0;
  /** Index of the frame that began last. */
  lastIndex = -1;
  /** Of the frame that began last, where it came in pieces: its span list, payload bytes held, whether some are missing. */
  #spans = 0;
  #heldBytes = 0;
  #holed = false;
  /** Frames and payload bytes that are not in the session's and the segment's sums yet. */
  #newFrames = 0;
  #newBytes = 0;

  constructor(host: RecorderHost, session: SessionRecord, direction: 'client-to-server' | 'server-to-client') {
    this.#host = host;
    this.#session = session;
    this.#side = direction === 'client-to-server' ? 0 : 1;
    this.#party = direction === 'client-to-server' ? 'client' : 'server';
    session.writers.push(this);
  }

  /**
   * Copies a chunk of wire bytes into the slab, unless nothing of it is wanted.
   * @returns the segment and offset where it stays, for as long as the segment is pinned; null where it was not kept
   */
  keepChunk(bytes: Uint8Array, length: number, scanner: FrameScanner): Segment | null {
    this.#timeUs = this.#host.clock();
    this.#kept = this.#host.recording && !this.#session.gone && this.#wanted(scanner, length);
    if (!this.#kept) return null;
    const log = this.#host.log;
    // After a large frame comes another, most likely: then there is little to note of what is in the chunk.
    log.keep(bytes, length, length >> (scanner.payloadLength < LARGE_FRAME_BYTES ? SMALL_FRAMES : LARGE_FRAMES));
    this.#chunkSegment = log.keptSegment.id;
    this.#offset = log.keptOffset;
    return log.keptSegment;
  }
  /** The log whose segments waiting writes read from. */
  get log(): FrameLog {
    return this.#host.log;
  }
  /** Where in its segment the chunk lies that was kept last. */
  get keptOffset(): number {
    return this.#offset;
  }

  /** Not wanted: what lies wholly inside a payload of which enough is held, or nothing more can be. */
  #wanted(scanner: FrameScanner, length: number): boolean {
    if (!scanner.inFrame) return true;
    const done = scanner.payloadDone + scanner.payloadEnd - scanner.payloadStart;
    if (scanner.payloadLength - done < length) return true;
    return this.#lastSegment !== null && !this.#holed && this.#heldBytes < this.#host.payloadLimitBytes;
  }

  /** Notes the piece that `scanner` stands at. */
  record(scanner: FrameScanner): void {
    if (scanner.begins) this.#begin(scanner);
    else this.#continue(scanner);
  }

  #begin(scanner: FrameScanner): void {
    const session = this.#session;
    const index = session.frameCount++;
    this.lastIndex = index;
    const violations = scanner.violations;
    if (violations !== 0) session.frameViolations(violations, this.#party, index);
    if (!this.#kept) {
      session.frames[this.#side]++;
      session.bytes[this.#side] += scanner.payloadEnd - scanner.payloadStart;
      if (session.firstFrameUs === null) session.firstFrameUs = this.#timeUs;
      this.#lastSegment = null;
      return;
    }

    const host = this.#host;
    const log = host.log;
    const word = log.addRow();
    if (log.current !== this.#rowSegment) this.#enter(log.current, index);
    if (beginsMessage(scanner.byte0)) session.messageCount++;
    this.#newFrames++;
    const words = this.#words;
    const floats = this.#floats;
    const float = word >> 1;
    const byte0 = scanner.byte0;
    const start = scanner.payloadStart - scanner.headerLength;
    const ends = scanner.ends;
    floats[float + RowFloat.Seq] = ++host.seq;
    floats[float + RowFloat.TimeUs] = this.#timeUs;
    floats[float + RowFloat.PayloadLength] = scanner.payloadLength;
    floats[float + RowFloat.StreamOffset] = scanner.streamOffset;
    words[word + RowWord.Session] = session.number;
    words[word + RowWord.Index] = index;
    words[word + RowWord.Bits] =
      byte0 |
      (scanner.byte1 << 8) |
      (this.#side << 16) |
      (ends ? FrameBit.Complete : 0) |
      (scanner.messageCompressed && (byte0 & 0x0f) < 3 ? FrameBit.Compressed : 0) |
      (scanner.payloadLength > host.payloadLimitBytes ? FrameBit.PayloadCut : 0);
    words[word + RowWord.MaskingKey] = scanner.maskingKey;
    words[word + RowWord.SlabSegment] = this.#chunkSegment;
    words[word + RowWord.SlabOffset] = this.#offset + start;
    words[word + RowWord.Violations] = violations;
    words[word + RowWord.Link] = scanner.headerLength;
    this.#lastWord = word;
    this.#lastSegment = this.#rowSegment;
    if (ends && start >= 0) this.#newBytes += scanner.payloadLength;
    else this.#beginSpans(scanner, log.current);
  }

  /** How many frames of this chunk `recordRun` takes now; 0 where they have to be recorded one by one. */
  get runRoom(): number {
    const { log, payloadLimitBytes } = this.#host;
    // Of a run all that is known lies in its own segment.
    if (!this.#kept || log.current.id !== this.#chunkSegment || payloadLimitBytes < WHOLE_PAYLOAD_BYTES) return 0;
    return Math.max(0, framesInLines(Math.floor(log.current.freeBytes / ROW_BYTES) - 1));
  }

  /**
   * Records the frames of a run, not more than `runRoom` said.
   * @param chunkOffset stream offset of the chunk's first byte
   */
  recordRun(run: Run, chunkOffset: number): void {
    const session = this.#session;
    const host = this.#host;
    const { count, start } = run;
    const word = host.log.addRun(count, run.lines);
    if (host.log.current !== this.#rowSegment) this.#enter(host.log.current, session.frameCount);
    const words = this.#words;
    const floats = this.#floats;
    const float = word >> 1;
    floats[float + RowFloat.Seq] = host.seq + 1;
    floats[float + RowFloat.TimeUs] = this.#timeUs;
    floats[float + RunFloat.PayloadBytes] = run.payloadBytes;
    floats[float + RowFloat.StreamOffset] = chunkOffset + start;
    words[word + RowWord.Session] = session.number;
    words[word + RowWord.Index] = session.frameCount;
    words[word + RowWord.Bits] = (this.#side << 16) | FrameBit.Complete | RUN_BIT;
    words[word + RunWord.Count] = count;
    words[word + RowWord.SlabSegment] = this.#chunkSegment;
    words[word + RowWord.SlabOffset] = this.#offset + start;
    words[word + RunWord.WireBytes] = run.end - start;
    words[word + RowWord.Link] = 0;
    host.seq += count;
    session.frameCount += count;
    session.messageCount += count - run.controls;
    this.lastIndex = session.frameCount - 1;
    // Nothing more comes of a frame that was whole.
    this.#lastSegment = null;
    this.#newFrames += count;
    this.#newBytes += run.payloadBytes;
  }

  /** The log has begun a segment since the last row. */
  #enter(segment: Segment, index: number): void {
    // The frames before are counted in their own segment.
    this.#flush();
    this.#rowSegment = segment;
    this.#words = segment.words;
    this.#floats = segment.floats;
    const session = this.#session;
    const place = session.residence.at(-1);
    if (place?.segment === segment) return;
    session.residence = placesWith(session.residence, {
      segment,
      firstIndex: index,
      messagesBefore: session.messageCount,
    });
    this.#host.log.addTenant(segment, session.number);
    if (session.firstFrameUs === null) session.firstFrameUs = this.#timeUs;
  }

  /** Adds what is new to the sums. */
  #flush(): void {
    const session = this.#session;
    session.frames[this.#side] += this.#newFrames;
    session.bytes[this.#side] += this.#newBytes;
    if (this.#rowSegment !== null) {
      this.#rowSegment.frameCount += this.#newFrames;
      this.#rowSegment.payloadBytes += this.#newBytes;
    }
    this.#newFrames = 0;
    this.#newBytes = 0;
  }

  /** The frame's bytes lie in more than one chunk: list where. */
  #beginSpans(scanner: FrameScanner, segment: Segment): void {
    const log = this.#host.log;
    const { headerLength, payloadStart, payloadEnd } = scanner;
    const start = payloadStart - headerLength;
    const from = Math.max(0, start);
    // Before anything is kept: to make room for it may cost the row its segment.
    segment.words[this.#lastWord + RowWord.Link] = headerLength | ((segment.spans.length + 1) << 8);
    let list: number;
    if (start < 0) {
      // The header's first bytes came in chunks that may be gone: a copy of them costs less than to look after those.
      log.keep(scanner.heldHeader, -start);
      list = log.addSpans(segment, log.keptSegment.id, log.keptOffset, -start);
      if (payloadEnd > from) log.addSpan(segment, list, this.#chunkSegment, this.#offset + from, payloadEnd - from);
    } else list = log.addSpans(segment, this.#chunkSegment, this.#offset + from, payloadEnd - from);
    this.#spans = list;
    this.#heldBytes = payloadEnd - payloadStart;
    this.#holed = false;
    this.#session.bytes[this.#side] += payloadEnd - payloadStart;
    if (!scanner.ends) return;
    segment.payloadBytes += scanner.payloadLength;
    this.#straighten(segment, scanner);
  }

  #continue(scanner: FrameScanner): void {
    const length = scanner.payloadEnd - scanner.payloadStart;
    this.#session.bytes[this.#side] += length;
    const segment = this.#lastSegment;
    if (segment === null) return;
    if (!this.#kept) this.#holed = true;
    // What comes after a hole cannot be read: the list says where bytes lie, not which.
    if (!this.#holed) {
      this.#host.log.addSpan(segment, this.#spans, this.#chunkSegment, this.#offset + scanner.payloadStart, length);
      this.#heldBytes += length;
    }
    if (!scanner.ends) return;
    segment.payloadBytes += scanner.payloadLength;
    const cut = this.#heldBytes < scanner.payloadLength ? FrameBit.PayloadCut : 0;
    if (cut === 0) this.#straighten(segment, scanner);
    this.#amend(FrameBit.Complete | cut, 0);
  }

  /**
   * A frame that lies in one piece needs no list of pieces; a small one that does not is copied to one, which costs less
   * than its list. So only large frames have lists.
   */
  #straighten(segment: Segment, scanner: FrameScanner): void {
    const spans = segment.spans[this.#spans];
    if (spans === undefined) return;
    let offset = spans[1] as number;
    if (spans.length !== 3 || spans[0] !== segment.id) {
      const copied = scanner.headerLength + scanner.payloadLength <= SMALL_FRAME_BYTES && this.#copyWhole(spans);
      // To make room for the copy may have cost the row its segment, and a copy elsewhere is none that a row points to.
      if (!copied || this.#lastSegment !== segment || this.#host.log.keptSegment !== segment) return;
      offset = this.#host.log.keptOffset;
    }
    segment.words[this.#lastWord + RowWord.SlabSegment] = segment.id;
    segment.words[this.#lastWord + RowWord.SlabOffset] = offset;
    segment.words[this.#lastWord + RowWord.Link] = scanner.headerLength;
    this.#host.log.dropSpans(segment, this.#spans);
  }

  /** Keeps a copy of all the bytes that `spans` names; false where some are gone. */
  #copyWhole(spans: readonly number[]): boolean {
    const { log } = this.#host;
    const whole = new Uint8Array(SMALL_FRAME_BYTES);
    let length = 0;
    for (let i = 0; i < spans.length; i += 3) {
      const slab = log.segment(spans[i] as number);
      if (slab === undefined) return false;
      const start = spans[i + 1] as number;
      whole.set(slab.bytes.subarray(start, start + (spans[i + 2] as number)), length);
      length += spans[i + 2] as number;
    }
    log.keep(whole, length);
    return true;
  }

  /** Marks the frame that `record` saw last; `bits` as in contract/violations.ts. */
  violate(bits: number): void {
    this.#session.frameViolations(bits, this.#party, this.lastIndex);
    this.#amend(0, bits);
  }

  /** A close frame has passed. What came before it in its chunk is heard first. */
  closeFrame(scanner: FrameScanner, close: { readonly code: number | null; readonly reason: string }): void {
    this.breakSilence(scanner);
    const frame = { code: close.code, reason: close.reason, frameIndex: this.lastIndex };
    this.#session.closeFrame(this.#party, frame, this.#timeUs);
  }

  /** What the chunk has brought so far is heard, if it is anything but a close frame. */
  breakSilence(scanner: FrameScanner): void {
    if (scanner.spoke) this.#session.heard(this.#timeUs);
  }

  /** The chunk is done. */
  endChunk(scanner: FrameScanner): void {
    this.#flush();
    this.breakSilence(scanner);
    this.#host.frameSeen(this.#session);
  }

  /** The direction has ended: a frame that has not is marked. */
  end(scanner: FrameScanner): void {
    const bits = ViolationBit['truncated-frame'];
    if (scanner.heldHeaderBytes > 0) this.#session.frameViolations(bits, this.#party, null);
    if (!scanner.inFrame) return;
    this.#session.frameViolations(bits, this.#party, this.lastIndex);
    this.#amend(FrameBit.PayloadCut, bits);
  }

  /** Writes to the last frame's row, and, if somebody may have read it already, repeats it. */
  #amend(bits: number, violations: number): void {
    const segment = this.#lastSegment;
    if (segment === null) return;
    const word = this.#lastWord;
    const { words, floats } = segment;
    words[word + RowWord.Bits] = (words[word + RowWord.Bits] as number) | bits;
    words[word + RowWord.Violations] = (words[word + RowWord.Violations] as number) | violations;
    const host = this.#host;
    if ((floats[(word >> 1) + RowFloat.Seq] as number) > host.readSeq) return;
    const again = host.log.addRow();
    const target = host.log.current;
    // Also where only this row lies there, for the session to be found there when it is deleted.
    if (target !== this.#rowSegment) this.#enter(target, this.#session.frameCount);
    target.words.set(words.subarray(word, word + ROW_WORDS), again);
    target.words[again + RowWord.Bits] = (target.words[again + RowWord.Bits] as number) | AGAIN_BIT;
    target.floats[(again >> 1) + RowFloat.Seq] = ++host.seq;
    const list = (words[word + RowWord.Link] as number) >>> 8;
    const spans = list === 0 ? undefined : segment.spans[list - 1];
    if (spans !== undefined) {
      const headerLength = (words[word + RowWord.Link] as number) & 0xff;
      target.words[again + RowWord.Link] = headerLength | (target.spans.push(spans) << 8);
    }
  }

  // What the log tells

  segmentGone(segment: Segment): void {
    if (this.#lastSegment === segment) this.#lastSegment = null;
    if (this.#rowSegment === segment) this.#leave();
  }

  segmentMoved(old: Segment, fresh: Segment): void {
    if (this.#rowSegment === old) this.#leave();
    if (this.#lastSegment !== old) return;
    this.#lastWord = fresh.wordOf(this.#session.number, this.lastIndex);
    this.#lastSegment = this.#lastWord < 0 ? null : fresh;
    this.#spans = this.#lastSegment === null ? 0 : ((fresh.words[this.#lastWord + RowWord.Link] as number) >>> 8) - 1;
  }

  rowsGone(): void {
    this.#lastSegment = null;
    this.#leave();
  }

  /** Lets go of the segment that rows went to. */
  #leave(): void {
    this.#flush();
    this.#rowSegment = null;
    this.#words = NO_WORDS;
    this.#floats = NO_FLOATS;
  }
}

/** By the first byte of its header: text or binary. */
const beginsMessage = (byte0: number): boolean => ((byte0 & 0x0f) - 1) >>> 0 < 2;
