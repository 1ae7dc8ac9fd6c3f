import type { FrameRow } from '../../../src/contract/frame.ts';
import { Direction } from '../../../src/contract/frame.ts';
import { complete, compressed, fin, FrameBit, opcode } from '../../../src/contract/frame-bits.ts';
import { ViolationBit } from '../../../src/contract/violations.ts';
import { previewText } from '../format/preview.ts';
import { parseIsoMicros } from './iso-time.ts';

/** One frame as the table shows it. */
export interface StoredRow {
  readonly index: number;
  readonly seq: number;
  readonly timeUs: number;
  readonly payloadLength: number;
  /** How much of the payload the server holds; null where it is not all and not known how much. */
  readonly heldBytes: number | null;
  readonly streamOffset: number;
  /** contract/frame-bits.ts */
  readonly bits: number;
  readonly maskingKey: number;
  /** contract/violations.ts */
  readonly violations: number;
  /** The start of the payload as text, as far as it is known. */
  readonly text: string;
  /** False while `text` is that of compressed bytes and the inflated start has not been fetched. */
  readonly textReady: boolean;
}

/** A row of the API as the page keeps it. */
export function storedRow(row: FrameRow): StoredRow {
  return {
    index: row.index,
    seq: row.seq,
    timeUs: parseIsoMicros(row.time),
    payloadLength: row.payloadLength,
    heldBytes: row.heldBytes,
    streamOffset: row.streamOffset,
    bits: bitsOf(row),
    maskingKey: row.maskingKey === null ? 0 : parseInt(row.maskingKey, 16),
    violations: row.violations.reduce((bits, code) => bits | ViolationBit[code], 0),
    text: previewText(row.preview, row.opcode, row.payloadLength),
    textReady: true,
  };
}

/** Something of it is still to come: bytes of its own, or, as it begins a compressed message, those that make its text. */
export const isUnfinished = (bits: number): boolean =>
  !complete(bits) || (compressed(bits) && !fin(bits) && opcode(bits) > 0);

/** The one word of contract/frame-bits.ts for a listed row. */
export function bitsOf(row: FrameRow): number {
  const short = row.lengthBits === 64 ? 127 : row.lengthBits === 16 ? 126 : Math.min(row.payloadLength, 125);
  return (
    (row.fin ? 0x80 : 0) |
    (row.rsv1 ? 0x40 : 0) |
    (row.rsv2 ? 0x20 : 0) |
    (row.rsv3 ? 0x10 : 0) |
    row.opcode |
    (row.masked ? 0x8000 : 0) |
    (short << 8) |
    (row.direction === Direction.ServerToClient ? FrameBit.ServerToClient : 0) |
    (row.complete ? FrameBit.Complete : 0) |
    (row.compressed ? FrameBit.Compressed : 0) |
    (row.heldBytes < row.payloadLength ? FrameBit.PayloadCut : 0) |
    (row.origin === 'injected' ? 1 << 20 : row.origin === 'replaced' ? 2 << 20 : 0)
  );
}
