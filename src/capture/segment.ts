/**
 * One piece of the log: a single buffer in which wire bytes grow from the front and frame rows from the back, until
 * they meet. It stands alone (offsets, no pointers), so that it can be dropped, copied or written out as it is.
 *
 * The back is cut into lines of 64 bytes, one cache line, counted from the end. A row is a line. As 64-bit floats: 0 seq ·
 * 1 time (us since the epoch) · 2 payload length · 3 stream offset. As 32-bit words: 8 session · 9 frame index · 10 bits
 * (contract/frame-bits.ts) · 11 masking key · 12 segment and 13 offset of the frame's first wire byte · 14 violations ·
 * 15 header length (bits 0-7) and, above them, 1 + the number of its span list where the frame's bytes do not lie in
 * one piece.
 *
 * Frames that came one after another in one chunk, whole messages and control frames with nothing wrong about them, share
 * a row: a run. Its row is the first frame's, but for the fields of `RunFloat` and `RunWord`, and stands for what all
 * have in common; the rest is in their headers, which the same segment holds. Lines with where they begin follow, 15
 * frames a line: words 14 down to 0 hold offsets from the run's first byte, word 15 how many lines back the row is,
 * below 0 as no row has it there.
 *
 * A frame's place is its line and its number in the run: places grow as sequence numbers do.
 */
export const ROW_BYTES = 64;
export const ROW_WORDS = ROW_BYTES / 4;
/** Frames that one run takes at most: the bits of a place below its line. */
const FRAME_BITS = 12;
export const FRAMES_A_RUN = 1 << FRAME_BITS;
const FRAMES_A_LINE = 15;
const BACK_WORD = 15;

export const RowFloat = { Seq: 0, TimeUs: 1, PayloadLength: 2, StreamOffset: 3 } as const;
export const RowWord = {
  Session: 8,
  Index: 9,
  Bits: 10,
  MaskingKey: 11,
  SlabSegment: 12,
  SlabOffset: 13,
  Violations: 14,
  Link: 15,
} as const;
/** The payload lengths of all its frames. */
export const RunFloat = { PayloadBytes: 2 } as const;
/** How many frames there are, and how many wire bytes they have. */
export const RunWord = { Count: 11, WireBytes: 14 } as const;

/** In a row's bits, beside contract/frame-bits.ts: the row repeats an earlier one whose frame has completed since. */
export const AGAIN_BIT = 1 << 24;
/** It stands for a run. */
export const RUN_BIT = 1 << 25;

/** The line of the row that a place belongs to, and the frame's number in its run. */
export const lineOf = (place: number): number => place >>> FRAME_BITS;
export const frameOf = (place: number): number => place & (FRAMES_A_RUN - 1);

/** Lines that hold where the frames of a run begin. */
export const linesForFrames = (count: number): number => Math.ceil(count / FRAMES_A_LINE);
/** How many frames of a run so many lines hold. */
export const framesInLines = (lines: number): number => Math.min(FRAMES_A_RUN, lines * FRAMES_A_LINE);

/** Where a frame's bytes lie when a read ended inside it: segment, offset, length, one after another. */
export type Spans = number[];

/** What a list of one span costs: the array, its three numbers, its place. What a second one adds (the engine makes room
 * for 22 numbers), and each after that. Measured on V8 11 to 13. */
export const SPAN_LIST_BYTES = 88;
export const SECOND_SPAN_BYTES = 160;
export const NEXT_SPAN_BYTES = 36;

/** What it costs that a session has rows in a segment: an entry here, and one there (residence.ts). Measured. */
export const TENANT_BYTES = 112;

/** A session whose rows are in this segment, told when the segment goes or is copied without another's rows. */
export interface SegmentTenant {
  segmentGone(segment: Segment): void;
  segmentMoved(old: Segment, fresh: Segment, without: number): boolean;
}

/**
 * Who writes to a session's rows. It lets go of a segment when told: the buffer may be used again for another, and a
 * write to a row that was there would fall into somebody else's bytes.
 */
export interface RowWriter {
  segmentGone(segment: Segment): void;
  segmentMoved(old: Segment, fresh: Segment): void;
  /** The session's rows were taken out of the log. */
  rowsGone(): void;
}

export function spanListBytes(spans: Spans): number {
  const more = Math.max(0, spans.length / 3 - 2);
  return SPAN_LIST_BYTES + (spans.length > 3 ? SECOND_SPAN_BYTES : 0) + more * NEXT_SPAN_BYTES;
}

export class Segment {
  readonly id: number;
  readonly buffer: ArrayBuffer;
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  readonly floats: Float64Array;
  readonly spans: Spans[] = [];
  /** Numbers of the sessions whose rows are here: whoever holds on to a segment holds no session. */
  readonly tenants: number[] = [];
  /** Bytes used at the front. */
  slabTop = 0;
  /** Lines used at the back. */
  lineCount = 0;
  /** Writes that still wait for a slow peer and read from `bytes`: while there are any, the buffer is not used again. */
  pins = 0;
  /** What the span lists cost. */
  spanBytes = 0;
  /** Frames whose rows are here, and the sum of the payload lengths of those that are whole. */
  frameCount = 0;
  payloadBytes = 0;

  /** @param buffer its length is a multiple of `ROW_BYTES` */
  constructor(id: number, buffer: ArrayBuffer) {
    this.id = id;
    this.buffer = buffer;
    this.bytes = new Uint8Array(buffer);
    this.words = new Int32Array(buffer);
    this.floats = new Float64Array(buffer);
  }

  /** Bytes between the slab and the rows. */
  get freeBytes(): number {
    return this.buffer.byteLength - this.slabTop - this.lineCount * ROW_BYTES;
  }
  /** What the segment costs in memory. */
  get costBytes(): number {
    return this.buffer.byteLength + this.spanBytes + this.tenants.length * TENANT_BYTES;
  }
  /** First 32-bit word of a line. */
  wordAt(line: number): number {
    return this.words.length - (line + 1) * ROW_WORDS;
  }
  /** One past the last place. */
  get endPlace(): number {
    return this.placeOf(this.lineCount);
  }
  /** The place of the first frame of the row at a line. */
  placeOf(line: number): number {
    return line << FRAME_BITS;
  }
  /** The place after `place`. */
  nextPlace(place: number): number {
    const line = lineOf(place);
    return frameOf(place) + 1 < this.framesAt(line) ? place + 1 : this.placeOf(line + this.linesAt(line));
  }
  /** The last place of the row that a place belongs to. */
  lastPlaceOfRow(place: number): number {
    const line = lineOf(place);
    return this.placeOf(line) + this.framesAt(line) - 1;
  }
  /** First word of the row that a place belongs to. */
  rowOf(place: number): number {
    return this.wordAt(lineOf(place));
  }
  /** How many frames the row at a line stands for. */
  framesAt(line: number): number {
    const word = this.wordAt(line);
    return this.#isRun(word) ? (this.words[word + RunWord.Count] as number) : 1;
  }
  /** How many lines the row at a line takes, its own among them. */
  linesAt(line: number): number {
    return this.#isRun(this.wordAt(line)) ? 1 + linesForFrames(this.framesAt(line)) : 1;
  }
  #isRun(word: number): boolean {
    return ((this.words[word + RowWord.Bits] as number) & RUN_BIT) !== 0;
  }
  /** Where a frame of the run begins whose row is at a line, counted from the run's first byte. */
  runOffset(line: number, frame: number): number {
    const at = this.wordAt(line + 1 + Math.floor(frame / FRAMES_A_LINE));
    return this.words[at + FRAMES_A_LINE - 1 - (frame % FRAMES_A_LINE)] as number;
  }
  /** Marks the lines that follow the run's row at `line`. */
  markRun(line: number, lines: number): void {
    for (let back = 1; back <= lines; back++) this.words[this.wordAt(line + back) + BACK_WORD] = -back;
  }
  /** The line of the row that a line belongs to. */
  #rowLine(line: number): number {
    return line + Math.min(0, this.words[this.wordAt(line) + BACK_WORD] as number);
  }
  indexAt(place: number): number {
    return ((this.words[this.rowOf(place) + RowWord.Index] as number) + frameOf(place)) >>> 0;
  }
  seqAt(place: number): number {
    return (this.floats[(this.rowOf(place) >> 1) + RowFloat.Seq] as number) + frameOf(place);
  }
  get lastSeq(): number {
    if (this.lineCount === 0) return 0;
    const line = this.#rowLine(this.lineCount - 1);
    return this.seqAt(this.placeOf(line) + this.framesAt(line) - 1);
  }
  /** First word of the row of a session's frame, which is in no run; -1 where it is not here. */
  wordOf(session: number, index: number): number {
    const { words } = this;
    for (let line = 0; line < this.lineCount; line += this.linesAt(line)) {
      const word = this.wordAt(line);
      if ((words[word + RowWord.Index] as number) >>> 0 !== index || words[word + RowWord.Session] !== session)
        continue;
      if (((words[word + RowWord.Bits] as number) & (AGAIN_BIT | RUN_BIT)) === 0) return word;
    }
    return -1;
  }
  /** The first place whose seq is above `seq`. */
  firstAfter(seq: number): number {
    let low = 0;
    let high = this.lineCount;
    while (low < high) {
      const line = this.#rowLine((low + high) >>> 1);
      const frames = this.framesAt(line);
      const first = this.seqAt(this.placeOf(line));
      if (first + frames - 1 <= seq) low = line + this.linesAt(line);
      else if (first > seq) high = line;
      else return this.placeOf(line) + seq - first + 1;
    }
    return this.placeOf(low);
  }
}
