import { ByteReader, DecodeFailure } from './byte-reader.ts';
import type { Decoder } from './decoder.ts';
import type { DecodedValue } from '../contract/decoded.ts';
import { bytesValue, numberValue, pairsValue, summaryOfValue } from './value.ts';

/** MessagePack, https://github.com/msgpack/msgpack/blob/master/spec.md: one value, or several one after another. */
export const msgpack: Decoder = {
  name: 'msgpack',
  decode({ bytes, isText, subprotocol }) {
    if (bytes.length === 0) return null;
    const reader = new ByteReader(bytes);
    const values: DecodedValue[] = [];
    while (reader.left > 0) values.push(read(reader));
    const said = /msgpack|messagepack/.test(subprotocol);
    const first = bytes[0] as number;
    const container = (first >= 0x80 && first <= 0x9f) || first >= 0xdc;
    const value = values.length === 1 ? (values[0] as DecodedValue) : values;
    const score = said ? 0.95 : isText ? 0 : container && values.length === 1 ? 0.3 + plausibility(reader) : 0.02;
    return { score, summary: summaryOfValue(value), value };
  },
};

/** The more bytes make sense together, the less it is chance. */
export function plausibility(reader: ByteReader): number {
  return Math.min(0.3, (reader.bytes.length / 100) * 0.2 + Math.min(reader.values, 10) * 0.02);
}

function read(reader: ByteReader): DecodedValue {
  reader.count();
  const byte = reader.u8();
  if (byte < 0x80) return byte;
  if (byte < 0x90) return map(reader, byte & 15);
  if (byte < 0xa0) return array(reader, byte & 15);
  if (byte < 0xc0) return reader.text(byte & 31);
  if (byte >= 0xe0) return byte - 256;
  switch (byte) {
    case 0xc0:
      return null;
    case 0xc2:
      return false;
    case 0xc3:
      return true;
    case 0xc4:
      return bytesValue(reader.take(reader.u8()));
    case 0xc5:
      return bytesValue(reader.take(reader.u16()));
    case 0xc6:
      return bytesValue(reader.take(reader.u32()));
    case 0xc7:
      return extension(reader, reader.u8());
    case 0xc8:
      return extension(reader, reader.u16());
    case 0xc9:
      return extension(reader, reader.u32());
    case 0xca:
      return numberValue(reader.f32());
    case 0xcb:
      return numberValue(reader.f64());
    case 0xcc:
      return reader.u8();
    case 0xcd:
      return reader.u16();
    case 0xce:
      return reader.u32();
    case 0xcf:
      return numberValue(reader.u64());
    case 0xd0:
      return reader.i8();
    case 0xd1:
      return reader.i16();
    case 0xd2:
      return reader.i32();
    case 0xd3:
      return numberValue(reader.i64());
    case 0xd9:
      return reader.text(reader.u8());
    case 0xda:
      return reader.text(reader.u16());
    case 0xdb:
      return reader.text(reader.u32());
    case 0xdc:
      return array(reader, reader.u16());
    case 0xdd:
      return array(reader, reader.u32());
    case 0xde:
      return map(reader, reader.u16());
    case 0xdf:
      return map(reader, reader.u32());
  }
  if (byte >= 0xd4 && byte <= 0xd8) return extension(reader, 1 << (byte - 0xd4));
  throw new DecodeFailure('0xc1 is never used');
}

// What is claimed is not allocated: the elements have to come first.
function array(reader: ByteReader, length: number): DecodedValue {
  if (length > reader.left) throw new DecodeFailure('the bytes end too early');
  return reader.nested(() => {
    const values: DecodedValue[] = [];
    while (values.length < length) values.push(read(reader));
    return values;
  });
}

function map(reader: ByteReader, size: number): DecodedValue {
  if (size * 2 > reader.left) throw new DecodeFailure('the bytes end too early');
  return reader.nested(() => {
    const pairs: [DecodedValue, DecodedValue][] = [];
    while (pairs.length < size) pairs.push([read(reader), read(reader)]);
    return pairsValue(pairs);
  });
}

function extension(reader: ByteReader, length: number): DecodedValue {
  const type = reader.i8();
  const data = reader.take(length);
  const time = type === -1 ? timestamp(new ByteReader(data)) : null;
  return time ?? { $type: type, value: bytesValue(data) };
}

function timestamp(reader: ByteReader): DecodedValue | null {
  let seconds: number;
  let nanoseconds = 0;
  if (reader.left === 4) seconds = reader.u32();
  else if (reader.left === 8) {
    const both = reader.u64();
    nanoseconds = Number(both >> 34n);
    seconds = Number(both & 0x3_ffff_ffffn);
  } else if (reader.left === 12) {
    nanoseconds = reader.u32();
    seconds = Number(reader.i64());
  } else return null;
  const date = new Date(seconds * 1000 + Math.floor(nanoseconds / 1e6));
  return Number.isNaN(date.getTime()) ? null : { $type: 'timestamp', value: date.toISOString() };
}
