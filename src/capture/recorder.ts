import { FrameBit } from '../contract/frame-bits.ts';
import { ViolationBit } from '../contract/violations.ts';
import type { FrameScanner } from '../protocol/frame-scanner.ts';
import type { FrameLog } from './frame-log.ts';
import { AGAIN_BIT, ROW_WORDS, RowFloat, RowWord, type Segment } from './segment.ts';
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

/** Where one frame stands that has begun and not ended. */
interface OpenFrame {
  segment: Segment;
  word: number;
  spans: number;
  index: number;
  keptBytes: number;
}

/**
 * Puts one direction's frames into the log: a row for each, the wire bytes as they came. For each chunk: `keepChunk`,
 * then `record` for each piece that the scanner finds in it, then `endChunk`.
 */
export class Recorder {
  readonly #host: RecorderHost;
  readonly #session: SessionRecord;
  readonly #side: 0 | 1;
  #timeUs = 0;
  #kept = false;
  #segment: Segment;
  #offset = 0;
  #open: OpenFrame | null = null;
  /** Where the next rows go, and whether the session is entered there. */
  #rowSegment: Segment | null = null;
  #words: Int32Array;
  #floats: Float64Array;
  /** The row of the frame that began last; `#lastSegment` null where it has none. */
  #lastSegment: Segment | null = null;
  #lastWord = 0;
  /** Index of the frame that began last. */
  lastIndex = -1;
  /** Frames and payload bytes that are not in the session's and the segment's sums yet. */
  #newFrames = 0;
  #newBytes = 0;
  /** Bytes of a header that is not whole yet: segment, offset, length, one after another. */
  #headerSpans: [Segment, number, number][] = [];

  constructor(host: RecorderHost, session: SessionRecord, direction: 'client-to-server' | 'server-to-client') {
    this.#host = host;
    this.#session = session;
    this.#side = direction === 'client-to-server' ? 0 : 1;
    this.#segment = host.log.current;
    this.#words = this.#segment.words;
    this.#floats = this.#segment.floats;
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
    log.keep(bytes, length);
    this.#segment = log.keptSegment;
    this.#offset = log.keptOffset;
    return this.#segment;
  }
  /** Where in its segment the chunk lies that was kept last. */
  get keptOffset(): number {
    return this.#offset;
  }

  /** Not wanted: what lies wholly inside a payload of which enough is held. */
  #wanted(scanner: FrameScanner, length: number): boolean {
    if (!scanner.inFrame || this.#open === null) return true;
    const done = scanner.payloadDone + scanner.payloadEnd - scanner.payloadStart;
    return this.#open.keptBytes < this.#host.payloadLimitBytes || scanner.payloadLength - done < length;
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
    this.#newFrames++;
    this.#newBytes += scanner.payloadLength;
    const violations = scanner.violations;
    if (violations !== 0) session.frameViolations(violations, this.#side === 0 ? 'client' : 'server', index);
    const host = this.#host;
    if (!host.recording || session.gone) {
      this.#open = null;
      this.#lastSegment = null;
      this.#headerSpans.length = 0;
      return;
    }

    const log = host.log;
    const word = log.addRow();
    if (log.current !== this.#rowSegment) this.#enter(log.current, index, scanner.payloadLength);
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
      (this.#kept ? 0 : FrameBit.PayloadCut);
    words[word + RowWord.MaskingKey] = scanner.maskingKey;
    words[word + RowWord.SlabSegment] = this.#segment.id;
    words[word + RowWord.SlabOffset] = this.#offset + start;
    words[word + RowWord.Violations] = violations;
    words[word + RowWord.Link] = scanner.headerLength;
    this.#lastWord = word;
    this.#lastSegment = this.#rowSegment;
    if (!ends || start < 0) this.#beginSpans(scanner, { segment: log.current, word, index });
  }

  /** The log has begun a segment since the last row. */
  #enter(segment: Segment, index: number, payloadLength: number): void {
    // The frame that is being noted is counted in the new segment, those before it in theirs.
    this.#newFrames--;
    this.#newBytes -= payloadLength;
    this.#flush();
    this.#newFrames = 1;
    this.#newBytes = payloadLength;
    this.#rowSegment = segment;
    this.#words = segment.words;
    this.#floats = segment.floats;
    const session = this.#session;
    const place = session.residence[session.residence.length - 1];
    if (place?.segment === segment) return;
    session.residence.push({ segment, firstIndex: index });
    segment.tenants.push(session);
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
  #beginSpans(scanner: FrameScanner, row: { segment: Segment; word: number; index: number }): void {
    const log = this.#host.log;
    const spans = log.addSpans(row.segment);
    row.segment.words[row.word + RowWord.Link] = scanner.headerLength | ((spans + 1) << 8);
    for (const [segment, offset, length] of this.#headerSpans) log.addSpan(row.segment, spans, segment, offset, length);
    this.#headerSpans.length = 0;
    const start = Math.max(0, scanner.payloadStart - scanner.headerLength);
    if (this.#kept && scanner.payloadEnd > start) {
      log.addSpan(row.segment, spans, this.#segment, this.#offset + start, scanner.payloadEnd - start);
    }
    const open = { ...row, spans, keptBytes: scanner.payloadEnd - scanner.payloadStart };
    this.#open = scanner.ends ? null : open;
  }

  #continue(scanner: FrameScanner): void {
    const open = this.#open;
    if (open === null) return;
    const length = scanner.payloadEnd - scanner.payloadStart;
    if (this.#kept) {
      this.#host.log.addSpan(open.segment, open.spans, this.#segment, this.#offset + scanner.payloadStart, length);
      open.keptBytes += length;
    }
    if (!scanner.ends) return;
    const cut = open.keptBytes < scanner.payloadLength ? FrameBit.PayloadCut : 0;
    this.#amend(open, FrameBit.Complete | cut, 0);
    this.#open = null;
  }

  /** Marks the frame that `record` saw last; `bits` as in contract/violations.ts. */
  violate(bits: number): void {
    const session = this.#session;
    session.frameViolations(bits, this.#side === 0 ? 'client' : 'server', this.lastIndex);
    if (this.#lastSegment !== null) this.#amend({ segment: this.#lastSegment, word: this.#lastWord }, 0, bits);
  }

  /** The chunk is done; notes the bytes of a header that it ended in. */
  endChunk(scanner: FrameScanner, length: number): void {
    this.#flush();
    this.#host.frameSeen(this.#session);
    const held = scanner.heldHeaderBytes;
    if (held === 0 || !this.#kept) return;
    const inThisChunk = Math.min(held, length);
    this.#headerSpans.push([this.#segment, this.#offset + length - inThisChunk, inThisChunk]);
  }

  /** The direction has ended: a frame that has not is marked. */
  end(): void {
    const open = this.#open;
    this.#open = null;
    if (open === null) return;
    const bits = ViolationBit['truncated-frame'];
    this.#session.frameViolations(bits, this.#side === 0 ? 'client' : 'server', open.index);
    this.#amend(open, FrameBit.PayloadCut, bits);
  }

  /** Writes to a row, and, if somebody may have read it already, repeats it. */
  #amend(row: { segment: Segment; word: number }, bits: number, violations: number): void {
    const { segment, word } = row;
    const { words, floats } = segment;
    words[word + RowWord.Bits] = (words[word + RowWord.Bits] as number) | bits;
    words[word + RowWord.Violations] = (words[word + RowWord.Violations] as number) | violations;
    const host = this.#host;
    if ((floats[(word >> 1) + RowFloat.Seq] as number) > host.readSeq || !host.recording || this.#session.gone) return;
    const again = host.log.addRow();
    const target = host.log.current;
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
}
