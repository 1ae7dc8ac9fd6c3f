/**
 * One piece of the log: a single buffer in which wire bytes grow from the front and frame rows from the back, until
 * they meet. It stands alone (offsets, no pointers), so that it can be dropped, copied or written out as it is.
 *
 * A row is 64 bytes, one cache line. As 64-bit floats: 0 seq · 1 time (us since the epoch) · 2 payload length ·
 * 3 stream offset. As 32-bit words: 8 session · 9 frame index · 10 bits (contract/frame-bits.ts) · 11 masking key ·
 * 12 segment and 13 offset of the frame's first wire byte · 14 violations · 15 header length (bits 0-7) and, above
 * them, 1 + the number of its span list where the frame's bytes do not lie in one piece.
 */
export const ROW_BYTES = 64;
export const ROW_WORDS = ROW_BYTES / 4;

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

/** In a row's bits, beside contract/frame-bits.ts: the row repeats an earlier one whose frame has completed since. */
export const AGAIN_BIT = 1 << 24;

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
  rowCount = 0;
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
    return this.buffer.byteLength - this.slabTop - this.rowCount * ROW_BYTES;
  }
  /** What the segment costs in memory. */
  get costBytes(): number {
    return this.buffer.byteLength + this.spanBytes + this.tenants.length * TENANT_BYTES;
  }
  /** First 32-bit word of row `row`. */
  wordAt(row: number): number {
    return this.words.length - (row + 1) * ROW_WORDS;
  }
  /** First 32-bit word of the row of a session's frame; -1 where it is not here. Looks from the end. */
  wordOf(session: number, index: number): number {
    for (let row = this.rowCount - 1; row >= 0; row--) {
      const word = this.wordAt(row);
      const { words } = this;
      if (words[word + RowWord.Index] !== index || words[word + RowWord.Session] !== session) continue;
      if (((words[word + RowWord.Bits] as number) & AGAIN_BIT) === 0) return word;
    }
    return -1;
  }
  seqAt(row: number): number {
    return this.floats[(this.wordAt(row) >> 1) + RowFloat.Seq] as number;
  }
  get lastSeq(): number {
    return this.rowCount === 0 ? 0 : this.seqAt(this.rowCount - 1);
  }
  /** Number of the first row whose seq is above `seq`. */
  firstRowAfter(seq: number): number {
    let low = 0;
    let high = this.rowCount;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.seqAt(middle) > seq) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
