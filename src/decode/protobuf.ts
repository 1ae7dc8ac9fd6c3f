import { isUtf8 } from 'node:buffer';
import { ByteReader, DecodeFailure } from './byte-reader.ts';
import type { Decoder } from './decoder.ts';
import type { DecodedValue } from '../contract/decoded.ts';
import { bytesValue, numberValue, summaryOf } from './value.ts';

const MAX_FIELD = 536_870_911;
const WIRE_NAMES = ['varint', 'fixed64', 'bytes', 'group', 'group', 'fixed32'] as const;

/**
 * Protocol Buffers without a schema, by wire type (https://protobuf.dev/programming-guides/encoding/): fields by
 * number, in order; what has a length is shown as a message where it can be one, else as text, else as bytes.
 */
export const protobuf: Decoder = {
  name: 'protobuf',
  decode({ bytes, isText, subprotocol }) {
    if (bytes.length === 0) return null;
    const fields = message(new ByteReader(bytes), 0);
    const numbers = fields.map((field) => field.field);
    const small = numbers.every((n) => n <= 200);
    const score = /proto/.test(subprotocol)
      ? 0.95
      : isText
        ? 0
        : (small ? 0.3 : 0.03) + Math.min(0.15, bytes.length / 400);
    const summary = summaryOf(
      fields
        .slice(0, 6)
        .map((field) => `${field.field}: ${brief(field.value)}`)
        .join(', '),
    );
    return { score, summary, value: fields as unknown as DecodedValue };
  },
};

interface Field {
  readonly field: number;
  readonly wire: string;
  readonly value: DecodedValue;
}

function message(reader: ByteReader, depth: number, group = 0): Field[] {
  const fields: Field[] = [];
  while (reader.left > 0) {
    reader.count();
    const key = Number(varint(reader));
    const field = Math.floor(key / 8);
    const wire = key % 8;
    if (field < 1 || field > MAX_FIELD) throw new DecodeFailure('no field number');
    if (wire === 4) {
      if (field !== group) throw new DecodeFailure('a group ends that did not begin');
      return fields;
    }
    fields.push({ field, wire: WIRE_NAMES[wire] ?? '', value: fieldValue(reader, { wire, field, depth }) });
  }
  if (group !== 0) throw new DecodeFailure('a group does not end');
  return fields;
}

function fieldValue(
  reader: ByteReader,
  { wire, field, depth }: { readonly wire: number; readonly field: number; readonly depth: number },
): DecodedValue {
  switch (wire) {
    case 0:
      return numberValue(varint(reader));
    case 1: {
      const bytes = reader.take(8);
      return {
        $bytes: Buffer.from(bytes).toString('hex'),
        length: 8,
        asDouble: numberValue(new ByteReader(bytes).f64(true)),
      };
    }
    case 2: {
      const length = varint(reader);
      if (length > reader.left) throw new DecodeFailure('the bytes end too early');
      return lengthDelimited(reader, reader.take(Number(length)), depth);
    }
    case 3:
      return reader.nested(() => message(reader, depth, field)) as unknown as DecodedValue;
    case 5: {
      const bytes = reader.take(4);
      return {
        $bytes: Buffer.from(bytes).toString('hex'),
        length: 4,
        asFloat: numberValue(new ByteReader(bytes).f32(true)),
      };
    }
    default:
      throw new DecodeFailure('no wire type');
  }
}

/** Printable text is text; what reads as a message is one. Each byte is tried once a level, and 16 levels at most. */
function lengthDelimited(outer: ByteReader, bytes: Uint8Array, depth: number): DecodedValue {
  if (bytes.length === 0) return '';
  const text = isUtf8(bytes) ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString() : null;
  if (text !== null && !/[\x00-\x08\x0e-\x1f\x7f]/.test(text)) return text;
  if (depth < 16) {
    try {
      const inner = new ByteReader(bytes);
      const fields = message(inner, depth + 1);
      for (let i = 0; i < inner.values; i++) outer.count();
      return fields as unknown as DecodedValue;
    } catch (error) {
      if (!(error instanceof DecodeFailure)) throw error;
    }
  }
  return bytesValue(bytes);
}

/** At most ten bytes. */
function varint(reader: ByteReader): number | bigint {
  let low = 0;
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = reader.u8();
    low |= (byte & 127) << shift;
    if (byte < 128) return low;
  }
  let value = BigInt(low);
  for (let shift = 28n; shift < 70n; shift += 7n) {
    const byte = reader.u8();
    value |= BigInt(byte & 127) << shift;
    if (byte < 128) return BigInt.asUintN(64, value);
  }
  throw new DecodeFailure('a number of more than ten bytes');
}

function brief(value: DecodedValue): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 40));
  if (Array.isArray(value)) return `{${value.length}}`;
  return typeof value === 'object' && value !== null ? '…' : String(value);
}
