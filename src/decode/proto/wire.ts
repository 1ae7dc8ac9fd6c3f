import { isUtf8 } from 'node:buffer';
import { ByteReader, DecodeFailure } from '../byte-reader.ts';
import type { DecodedValue } from '../../contract/decoded.ts';
import { bytesValue, numberValue } from '../value.ts';

/** Wire types, https://protobuf.dev/programming-guides/encoding/#structure */
export const WIRE = { varint: 0, fixed64: 1, bytes: 2, group: 3, groupEnd: 4, fixed32: 5 } as const;
const WIRE_NAMES = ['varint', 'fixed64', 'bytes', 'group', 'group', 'fixed32'] as const;

export const MAX_FIELD = 536_870_911;

/** A field as the wire alone tells of it. */
export interface WireField {
  readonly field: number;
  readonly wire: string;
  readonly value: DecodedValue;
}

export interface FieldKey {
  readonly field: number;
  readonly wire: number;
}

/** What stands before each field; counts one value. */
export function readKey(reader: ByteReader): FieldKey {
  reader.count();
  const key = Number(varint(reader));
  const field = Math.floor(key / 8);
  const wire = key % 8;
  if (field < 1 || field > MAX_FIELD) throw new DecodeFailure('no field number');
  return { field, wire };
}

/** The fields up to the end, or to the end of the group with this number. */
export function wireFields(reader: ByteReader, depth: number, group = 0): WireField[] {
  const fields: WireField[] = [];
  while (reader.left > 0) {
    const key = readKey(reader);
    if (key.wire === WIRE.groupEnd) {
      if (key.field !== group) throw new DecodeFailure('a group ends that did not begin');
      return fields;
    }
    fields.push(wireField(reader, key, depth));
  }
  if (group !== 0) throw new DecodeFailure('a group does not end');
  return fields;
}

/** The field behind its key. */
export function wireField(reader: ByteReader, { field, wire }: FieldKey, depth: number): WireField {
  return { field, wire: WIRE_NAMES[wire] ?? '', value: wireValue(reader, { wire, field, depth }) };
}

function wireValue(
  reader: ByteReader,
  { wire, field, depth }: { readonly wire: number; readonly field: number; readonly depth: number },
): DecodedValue {
  switch (wire) {
    case WIRE.varint:
      return numberValue(varint(reader));
    case WIRE.fixed64: {
      const bytes = reader.take(8);
      return {
        $bytes: Buffer.from(bytes).toString('hex'),
        length: 8,
        asDouble: numberValue(new ByteReader(bytes).f64(true)),
      };
    }
    case WIRE.bytes:
      return lengthDelimited(reader, takeDelimited(reader), depth);
    case WIRE.group:
      return reader.nested(() => wireFields(reader, depth, field)) as unknown as DecodedValue;
    case WIRE.fixed32: {
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

/** The bytes behind a length. */
export function takeDelimited(reader: ByteReader): Uint8Array {
  const length = varint(reader);
  if (length > reader.left) throw new DecodeFailure('the bytes end too early');
  return reader.take(Number(length));
}

/** Printable text is text; what reads as a message is one. Each byte is tried once a level, and 16 levels at most. */
function lengthDelimited(outer: ByteReader, bytes: Uint8Array, depth: number): DecodedValue {
  const text = printable(bytes);
  if (text !== null) return text;
  if (depth < 16) {
    try {
      const inner = new ByteReader(bytes);
      const fields = wireFields(inner, depth + 1);
      for (let i = 0; i < inner.values; i++) outer.count();
      return fields as unknown as DecodedValue;
    } catch (error) {
      if (!(error instanceof DecodeFailure)) throw error;
    }
  }
  return bytesValue(bytes);
}

/** The bytes as text, where that is what they are. */
export function printable(bytes: Uint8Array): string | null {
  const text = isUtf8(bytes) ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString() : null;
  return text !== null && !CONTROL.test(text) ? text : null;
}
/** What no text has in it. */
export const CONTROL = /[\x00-\x08\x0e-\x1f\x7f]/;

/** At most ten bytes. */
export function varint(reader: ByteReader): number | bigint {
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
