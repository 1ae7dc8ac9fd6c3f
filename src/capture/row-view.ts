import * as frameBits from '../contract/frame-bits.ts';
import { type FrameRow, type Preview, PREVIEW_BYTES } from '../contract/frame.ts';
import { isoMicros } from '../contract/time.ts';
import { violationCodes } from '../contract/violations.ts';
import { applyMask } from '../protocol/mask.ts';
import { previewBytes } from '../contract/preview.ts';
import type { RowCursor } from './capture-reader.ts';
import type { FrameLog } from './frame-log.ts';
import { AGAIN_BIT, RowFloat, RowWord, type Segment } from './segment.ts';

/** Reads one row and its bytes in place. Set `segment` and `word`, then ask; allocates only for bytes and objects. */
export class RowView implements RowCursor {
  segment: Segment;
  /** First 32-bit word of the row. */
  word = 0;
  readonly #log: FrameLog;
  readonly #payloadLimitBytes: number;

  constructor(log: FrameLog, payloadLimitBytes: number) {
    this.#log = log;
    this.#payloadLimitBytes = payloadLimitBytes;
    this.segment = log.current;
  }

  get seq(): number {
    return this.#float(RowFloat.Seq);
  }
  get timeUs(): number {
    return this.#float(RowFloat.TimeUs);
  }
  get payloadLength(): number {
    return this.#float(RowFloat.PayloadLength);
  }
  get streamOffset(): number {
    return this.#float(RowFloat.StreamOffset);
  }
  get session(): number {
    return this.#word(RowWord.Session);
  }
  get index(): number {
    return this.#word(RowWord.Index) >>> 0;
  }
  get bits(): number {
    return this.#word(RowWord.Bits) & ~AGAIN_BIT;
  }
  get again(): boolean {
    return (this.#word(RowWord.Bits) & AGAIN_BIT) !== 0;
  }
  get maskingKey(): number {
    return this.#word(RowWord.MaskingKey) >>> 0;
  }
  get violations(): number {
    return this.#word(RowWord.Violations);
  }
  get headerLength(): number {
    return this.#word(RowWord.Link) & 0xff;
  }

  #float(field: number): number {
    return this.segment.floats[(this.word >> 1) + field] as number;
  }
  #word(field: number): number {
    return this.segment.words[this.word + field] as number;
  }

  /**
   * The frame's bytes from `from` (0: its first header byte) as received, at most `maxBytes`, as far as they are held
   * without a hole. A copy.
   */
  wireBytes(from: number, maxBytes: number): Uint8Array {
    const heldLimit = this.headerLength + Math.min(this.payloadLength, this.#payloadLimitBytes);
    const wanted = Math.max(0, Math.min(maxBytes, heldLimit - from));
    const list = this.#word(RowWord.Link) >>> 8;
    if (list === 0) {
      const slab = this.#log.segment(this.#word(RowWord.SlabSegment));
      if (slab === undefined) return new Uint8Array(0);
      const start = this.#word(RowWord.SlabOffset) + from;
      return slab.bytes.slice(start, start + wanted);
    }
    return this.#gather(this.segment.spans[list - 1] ?? [], from, wanted);
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
    const list = this.#word(RowWord.Link) >>> 8;
    const limit = Math.min(this.payloadLength, this.#payloadLimitBytes);
    if (list === 0) {
      return this.#log.segment(this.#word(RowWord.SlabSegment)) === undefined ? 0 : limit;
    }
    const spans = this.segment.spans[list - 1] ?? [];
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
