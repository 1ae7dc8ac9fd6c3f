import { ByteReader, DecodeFailure } from './byte-reader.ts';
import type { Decoder } from './decoder.ts';
import { plausibility } from './msgpack.ts';
import type { DecodedValue } from '../contract/decoded.ts';
import { bytesValue, numberValue, pairsValue, summaryOfValue } from './value.ts';

/** RFC 8949: one item, or a sequence of them (RFC 8742). */
export const cbor: Decoder = {
  name: 'cbor',
  decode({ bytes, isText, subprotocol }) {
    if (bytes.length === 0) return null;
    const reader = new ByteReader(bytes);
    const values: DecodedValue[] = [];
    while (reader.left > 0) {
      const item = read(reader);
      if (item === BREAK) throw new DecodeFailure('a break without anything to end');
      values.push(item);
    }
    const major = (bytes[0] as number) >> 5;
    const described = bytes[0] === 0xd9 && bytes[1] === 0xd9 && bytes[2] === 0xf7;
    const container = major >= 4 && major <= 6 && values.length === 1;
    const value = values.length === 1 ? (values[0] as DecodedValue) : values;
    const guess = isText ? 0 : described ? 0.9 : container ? 0.28 + plausibility(reader) : 0.02;
    return { score: /cbor/.test(subprotocol) ? 0.95 : guess, summary: summaryOfValue(value), value };
  },
};

/** Ends an item of indefinite length: RFC 8949 §3.2.1. */
const BREAK = Symbol('break');
const INDEFINITE = -1;

function read(reader: ByteReader): DecodedValue | typeof BREAK {
  reader.count();
  const head = reader.u8();
  const major = head >> 5;
  const info = head & 31;
  if (major === 7) return simple(reader, info);
  const argument = readArgument(reader, info);
  if (typeof argument === 'bigint' && major > 1 && major !== 6) throw new DecodeFailure('the bytes end too early');
  const length = Number(argument);
  switch (major) {
    case 0:
      return numberValue(argument);
    case 1:
      return numberValue(typeof argument === 'bigint' ? -1n - argument : -1 - argument);
    case 2:
      return length === INDEFINITE ? { $bytes: chunks(reader, 2) } : bytesValue(reader.take(length));
    case 3:
      return length === INDEFINITE ? chunks(reader, 3) : reader.text(length);
    case 4:
      return reader.nested(() => items(reader, length));
    case 5:
      return reader.nested(() => pairsValue(inPairs(items(reader, length === INDEFINITE ? length : length * 2))));
    default:
      return reader.nested(() => tagged(numberValue(argument), item(reader)));
  }
}

function readArgument(reader: ByteReader, info: number): number | bigint {
  if (info < 24) return info;
  if (info === 24) return reader.u8();
  if (info === 25) return reader.u16();
  if (info === 26) return reader.u32();
  if (info === 27) {
    const long = reader.u64();
    return long <= Number.MAX_SAFE_INTEGER ? Number(long) : long;
  }
  if (info === 31) return INDEFINITE;
  throw new DecodeFailure('reserved additional information');
}

function item(reader: ByteReader): DecodedValue {
  const value = read(reader);
  if (value === BREAK) throw new DecodeFailure('a break in the wrong place');
  return value;
}

function items(reader: ByteReader, length: number): DecodedValue[] {
  if (length > reader.left) throw new DecodeFailure('the bytes end too early');
  const all: DecodedValue[] = [];
  while (all.length !== length) {
    const value = read(reader);
    if (value === BREAK) {
      if (length !== INDEFINITE) throw new DecodeFailure('a break in the wrong place');
      break;
    }
    all.push(value);
  }
  return all;
}

function inPairs(all: readonly DecodedValue[]): [DecodedValue, DecodedValue][] {
  if (all.length % 2 !== 0) throw new DecodeFailure('a key without a value');
  return Array.from({ length: all.length / 2 }, (_, i) => [all[2 * i] as DecodedValue, all[2 * i + 1] as DecodedValue]);
}

/** The pieces of a string of indefinite length: text, or hex of bytes. */
function chunks(reader: ByteReader, major: 2 | 3): string {
  let whole = '';
  for (;;) {
    reader.count();
    const head = reader.u8();
    if (head === 0xff) return whole;
    if (head >> 5 !== major || (head & 31) === 31) throw new DecodeFailure('a piece of another type');
    const length = Number(readArgument(reader, head & 31));
    whole += major === 3 ? reader.text(length) : Buffer.from(reader.take(length)).toString('hex');
  }
}

function simple(reader: ByteReader, info: number): DecodedValue | typeof BREAK {
  switch (info) {
    case 20:
      return false;
    case 21:
      return true;
    case 22:
      return null;
    case 23:
      return { $type: 'undefined', value: null };
    case 24:
      return { $type: 'simple', value: reader.u8() };
    case 25:
      return numberValue(halfFloat(reader.u16()));
    case 26:
      return numberValue(reader.f32());
    case 27:
      return numberValue(reader.f64());
    case 31:
      return BREAK;
  }
  if (info > 27) throw new DecodeFailure('reserved additional information');
  return { $type: 'simple', value: info };
}

/** RFC 8949, appendix D. */
function halfFloat(half: number): number {
  const exponent = (half >> 10) & 31;
  const mantissa = half & 1023;
  const sign = (half & 0x8000) === 0 ? 1 : -1;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  if (exponent === 31) return mantissa === 0 ? sign * Infinity : NaN;
  return sign * (mantissa + 1024) * 2 ** (exponent - 25);
}

/** The tags of RFC 8949 §3.4 that change what is shown; of others the number is shown. */
function tagged(tag: DecodedValue, value: DecodedValue): DecodedValue {
  if (tag === 55799) return value;
  if (tag === 2 || tag === 3) {
    const bytes = typeof value === 'object' && value !== null && '$bytes' in value ? value['$bytes'] : null;
    if (typeof bytes === 'string' && bytes.length <= 512) {
      const n = BigInt(`0x0${bytes}`);
      return numberValue(tag === 2 ? n : -1n - n);
    }
  }
  return { $tag: tag, value };
}
