import { fin, lengthBits, masked, opcode, rsv1, rsv2, rsv3 } from '../../../src/contract/frame-bits.ts';
import { opcodeName } from '../../../src/contract/frame.ts';
import { formatCounted } from '../format/numbers.ts';

/** One field of a frame as RFC 6455 §5.2 names it, in this frame's own values. */
export interface FrameField {
  readonly name: string;
  readonly bitStart: number;
  readonly bitLength: number;
  /** As bits where they are few, else as a number or hex. */
  readonly value: string;
  readonly means: string;
}

/** Fields in wire order. The payload's length is capped: the drawing shows its beginning. */
export function frameFields(frame: {
  readonly bits: number;
  readonly payloadLength: number;
  readonly maskingKey: number;
}): readonly FrameField[] {
  const { bits, payloadLength } = frame;
  const fields: FrameField[] = [];
  let at = 0;
  const add = (name: string, bitLength: number, value: string, means: string): void => {
    fields.push({ name, bitStart: at, bitLength, value, means });
    at += bitLength;
  };
  const bit = (set: boolean): string => (set ? '1' : '0');
  const code = opcode(bits);
  add('FIN', 1, bit(fin(bits)), fin(bits) ? 'last or only fragment of the message' : 'more fragments follow');
  add('RSV1', 1, bit(rsv1(bits)), rsv1(bits) ? 'set: with permessage-deflate, the message is compressed' : 'not set');
  add('RSV2', 1, bit(rsv2(bits)), rsv2(bits) ? 'set: only an extension may' : 'not set');
  add('RSV3', 1, bit(rsv3(bits)), rsv3(bits) ? 'set: only an extension may' : 'not set');
  add(
    'opcode',
    4,
    code.toString(2).padStart(4, '0'),
    `${code} (0x${code.toString(16).toUpperCase()}): ${opcodeName(code)}`,
  );
  add('MASK', 1, bit(masked(bits)), masked(bits) ? 'a masking key follows' : 'not masked');
  const short = (bits >>> 8) & 0x7f;
  const form = lengthBits(bits);
  add(
    'payload len',
    7,
    String(short),
    form === 7 ? formatCounted(payloadLength, 'byte') : `${short}: the length is in the next ${form} bits`,
  );
  if (form !== 7) {
    add(
      form === 16 ? 'extended payload length' : 'extended payload length (64)',
      form,
      String(payloadLength),
      `${formatCounted(payloadLength, 'byte')}, written in ${form} bits`,
    );
  }
  if (masked(bits)) {
    const key = frame.maskingKey.toString(16).padStart(8, '0');
    add('masking key', 32, key, `byte i of the payload is XORed with byte i mod 4 of 0x${key}`);
  }
  return fields;
}

/** Bytes before the payload. */
export function headerBytes(bits: number): number {
  const form = lengthBits(bits);
  return 2 + (form === 7 ? 0 : form / 8) + (masked(bits) ? 4 : 0);
}

/** One piece of a field in one row of the drawing, which is 32 bits wide. */
export interface FieldPiece {
  readonly field: FrameField;
  readonly row: number;
  readonly column: number;
  readonly width: number;
  readonly continued: boolean;
}

export function drawFields(fields: readonly FrameField[]): readonly FieldPiece[] {
  const pieces: FieldPiece[] = [];
  for (const field of fields) {
    let at = field.bitStart;
    const end = field.bitStart + field.bitLength;
    while (at < end) {
      const column = at % 32;
      const width = Math.min(32 - column, end - at);
      pieces.push({ field, row: Math.floor(at / 32), column, width, continued: at > field.bitStart });
      at += width;
    }
  }
  return pieces;
}
