import * as frameBits from '../contract/frame-bits.ts';
import { type FrameRow, type Preview, PREVIEW_BYTES } from '../contract/frame.ts';
import { isoMicros } from '../contract/time.ts';
import { violationCodes } from '../contract/violations.ts';
import { applyMask } from '../protocol/mask.ts';
import { previewBytes } from '../contract/preview.ts';
import type { RowCursor } from './capture-reader.ts';
import type { FrameLog } from './frame-log.ts';
import { AGAIN_BIT, frameOf, lineOf, RowFloat, RowWord, RUN_BIT, type Segment } from './segment.ts';

/** Reads one row and its bytes in place: go to a place, then ask. Allocates only for bytes and objects. */
export class RowView implements RowCursor {
  readonly #log: FrameLog;
  readonly #payloadLimitBytes: number;
  #segment: Segment;
  /** First 32-bit word of the row. */
  #word = 0;
  /** Its line, and which frame of the run it is. */
  #line = 0;
  #frame = 0;
  #inRun = false;
  /** The row's bits; of a frame in a run, once its header has been read, all of its own. */
  #bits = 0;
  /** Of a frame in a run, in its header; read when they are asked for: who goes through a log seldom asks. */
  #headerRead = false;
  #headerLength = 0;
  #payloadLength = 0;
  #offset = 0;

  constructor(log: FrameLog, payloadLimitBytes: number) {
    this.#log = log;
    this.#payloadLimitBytes = payloadLimitBytes;
    this.#segment = log.current;
  }

  goTo(segment: Segment, place: number): this {
    this.#segment = segment;
    this.#line = lineOf(place);
    this.#frame = frameOf(place);
    this.#word = segment.wordAt(this.#line);
    this.#bits = this.#wordAt(RowWord.Bits);
    this.#inRun = (this.#bits & RUN_BIT) !== 0;
    this.#headerRead = false;
    return this;
  }

  /** Whether the frame is in a run: then what its header says has been read. */
  #isInRun(): boolean {
    if (this.#inRun && !this.#headerRead) this.#readHeader();
    return this.#inRun;
  }

  /** Of a run it is known that its frames have the shortest form of header, and the first byte of ordinary frames. */
  #readHeader(): void {
    const { bytes } = this.#segment;
    const at = this.#wordAt(RowWord.SlabOffset) + this.#segment.runOffset(this.#line, this.#frame);
    const byte0 = bytes[at] as number;
    const byte1 = bytes[at + 1] as number;
    const short = byte1 & 0x7f;
    let length = short;
    if (short >= 126) {
      length = 0;
      for (let i = at + 2, end = i + (short === 126 ? 2 : 8); i < end; i++)
        length = length * 256 + (bytes[i] as number);
    }
    this.#headerRead = true;
    this.#offset = at;
    this.#payloadLength = length;
    this.#headerLength = (short < 126 ? 2 : short === 126 ? 4 : 10) + ((byte1 & 0x80) >> 5);
    const compressed = (byte0 & 0x40) === 0 ? 0 : frameBits.FrameBit.Compressed;
    this.#bits = (this.#bits & ~RUN_BIT) | byte0 | (byte1 << 8) | compressed;
  }

  get seq(): number {
    return this.#floatAt(RowFloat.Seq) + this.#frame;
  }
  get timeUs(): number {
    return this.#floatAt(RowFloat.TimeUs);
  }
  get payloadLength(): number {
    return this.#isInRun() ? this.#payloadLength : this.#floatAt(RowFloat.PayloadLength);
  }
  get streamOffset(): number {
    const offset = this.#floatAt(RowFloat.StreamOffset);
    return this.#isInRun() ? offset + this.#offset - this.#wordAt(RowWord.SlabOffset) : offset;
  }
  get session(): number {
    return this.#wordAt(RowWord.Session);
  }
  get index(): number {
    return (this.#wordAt(RowWord.Index) + this.#frame) >>> 0;
  }
  get bits(): number {
    return this.#isInRun() ? this.#bits : this.#bits & ~AGAIN_BIT;
  }
  get again(): boolean {
    return (this.#bits & AGAIN_BIT) !== 0;
  }
  get maskingKey(): number {
    if (!this.#isInRun()) return this.#wordAt(RowWord.MaskingKey) >>> 0;
    return frameBits.masked(this.#bits) ? readWord(this.#segment.bytes, this.#offset + this.#headerLength - 4) : 0;
  }
  get violations(): number {
    return this.#inRun ? 0 : this.#wordAt(RowWord.Violations);
  }
  get headerLength(): number {
    return this.#isInRun() ? this.#headerLength : this.#wordAt(RowWord.Link) & 0xff;
  }

  #floatAt(field: number): number {
    return this.#segment.floats[(this.#word >> 1) + field] as number;
  }
  #wordAt(field: number): number {
    return this.#segment.words[this.#word + field] as number;
  }
  /** Where its bytes lie in one piece; undefined: in none that is held. */
  #slab(): Segment | undefined {
    return this.#inRun ? this.#segment : this.#log.segment(this.#wordAt(RowWord.SlabSegment));
  }
  /** Where its bytes lie otherwise. */
  #spans(): readonly number[] | null {
    const list = this.#wordAt(RowWord.Link) >>> 8;
    return list === 0 ? null : (this.#segment.spans[list - 1] ?? []);
  }

  /**
   * The frame's bytes from `from` (0: its first header byte) as received, at most `maxBytes`, as far as they are held
   * without a hole. A copy.
   */
  wireBytes(from: number, maxBytes: number): Uint8Array {
    const heldLimit = this.headerLength + Math.min(this.payloadLength, this.#payloadLimitBytes);
    const wanted = Math.max(0, Math.min(maxBytes, heldLimit - from));
    const spans = this.#spans();
    if (spans !== null) return this.#gather(spans, from, wanted);
    const slab = this.#slab();
    if (slab === undefined) return new Uint8Array(0);
    const start = (this.#isInRun() ? this.#offset : this.#wordAt(RowWord.SlabOffset)) + from;
    return slab.bytes.slice(start, start + wanted);
  }

  #gather(spans: readonly number[], from: number, wanted: number): Uint8Array {
    const parts: Uint8Array[] = [];
    let skip = from;
    let missing = wanted;
    for (let i = 0; i < spans.length && missing > 0; i += 3) {
      const slab = this.#log.segment(spans[i] as number);
      if (slab === undefined) break;
      const length = spans[i + 2] as number;
      if (skip >= length) {
        skip -= length;
        continue;
      }
      const start = (spans[i + 1] as number) + skip;
      const taken = Math.min(length - skip, missing);
      parts.push(slab.bytes.subarray(start, start + taken));
      missing -= taken;
      skip = 0;
    }
    const bytes = new Uint8Array(wanted - missing);
    let at = 0;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  }

  /** Unmasked payload bytes from the payload's start, at most `maxBytes`, as far as they are held. A copy. */
  payloadBytes(maxBytes: number): Uint8Array {
    const bytes = this.wireBytes(this.headerLength, maxBytes);
    if (frameBits.masked(this.bits)) applyMask(bytes, this.maskingKey);
    return bytes;
  }

  copyPreview(target: Uint8Array, at: number, maxBytes: number): number {
    const bytes = this.payloadBytes(maxBytes);
    target.set(bytes, at);
    return bytes.length;
  }

  /** Payload bytes that are held, without reading them. */
  heldBytes(): number {
    const limit = Math.min(this.payloadLength, this.#payloadLimitBytes);
    const spans = this.#spans();
    if (spans === null) return this.#slab() === undefined ? 0 : limit;
    let held = 0;
    for (let i = 0; i < spans.length; i += 3) {
      if (this.#log.segment(spans[i] as number) === undefined) break;
      held += spans[i + 2] as number;
    }
    return Math.max(0, Math.min(limit, held - this.headerLength));
  }

  frameRow(): FrameRow {
    const bits = this.bits;
    const masked = frameBits.masked(bits);
    return {
      index: this.index,
      seq: this.seq,
      time: isoMicros(this.timeUs),
      direction: frameBits.direction(bits),
      fin: frameBits.fin(bits),
      rsv1: frameBits.rsv1(bits),
      rsv2: frameBits.rsv2(bits),
      rsv3: frameBits.rsv3(bits),
      opcode: frameBits.opcode(bits),
      masked,
      maskingKey: masked ? this.maskingKey.toString(16).padStart(8, '0') : null,
      payloadLength: this.payloadLength,
      heldBytes: this.heldBytes(),
      lengthBits: frameBits.lengthBits(bits),
      compressed: frameBits.compressed(bits),
      streamOffset: this.streamOffset,
      complete: frameBits.complete(bits),
      origin: frameBits.origin(bits),
      violations: violationCodes(this.violations),
      preview: this.#preview(bits),
    };
  }

  #preview(bits: number): Preview | null {
    if (frameBits.compressed(bits)) return null;
    const bytes = this.payloadBytes(PREVIEW_BYTES);
    if (bytes.length === 0 && this.payloadLength > 0) return null;
    return previewBytes(bytes, this.payloadLength);
  }
}

/** Four bytes, the first one the highest. */
const readWord = (bytes: Uint8Array, at: number): number =>
  (((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)) >>>
  0;
