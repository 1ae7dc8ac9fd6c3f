import { isUtf8 } from 'node:buffer';
import type { ByteReader } from '../byte-reader.ts';
import type { DecodedValue } from '../../contract/decoded.ts';
import { bytesValue, numberValue } from '../value.ts';
import type { EnumType, Field, Scalar } from './schema.ts';
import { CONTROL, takeDelimited, varint } from './wire.ts';

/** How well bytes and a type go together. */
export interface Fit {
  /** Values of fields that the type has, and that are as it says. */
  known: number;
  /** Fields that it does not have, or says otherwise of; half of one where a value is merely odd. */
  misfits: number;
}

/** A text is looked at for characters that none has, as far as this. */
const LOOKED_AT_CHARACTERS = 4096;

/** Reads one value; bytes, and text that is no UTF-8, are borrowed from the payload. */
export function readScalar(reader: ByteReader, type: Scalar | EnumType, fit: Fit): DecodedValue | Uint8Array {
  fit.known++;
  const odd = (isOdd: boolean): void => {
    if (isOdd) fit.misfits += 0.5;
  };
  if (typeof type === 'object') {
    const number = signed32(varint(reader), odd);
    const name = type.names.get(number);
    odd(name === undefined);
    return name ?? number;
  }
  switch (type) {
    case 'double':
      return numberValue(reader.f64(true));
    case 'float':
      return numberValue(shortest(reader.f32(true)));
    case 'fixed32':
      return reader.u32(true);
    case 'sfixed32':
      return reader.i32(true);
    case 'fixed64':
      return numberValue(reader.u64(true));
    case 'sfixed64':
      return numberValue(reader.i64(true));
    case 'int32':
      return signed32(varint(reader), odd);
    case 'uint32':
    case 'sint32': {
      const long = BigInt(varint(reader));
      const number = Number(BigInt.asUintN(32, long));
      odd(BigInt(number) !== long);
      return type === 'uint32' ? number : (number >>> 1) ^ -(number & 1);
    }
    case 'int64':
      return numberValue(BigInt.asIntN(64, BigInt(varint(reader))));
    case 'uint64':
      return numberValue(varint(reader));
    case 'sint64': {
      const long = BigInt(varint(reader));
      return numberValue((long >> 1n) ^ -(long & 1n));
    }
    case 'bool': {
      const number = varint(reader);
      odd(number !== 0 && number !== 1);
      return number !== 0 && number !== 0n;
    }
    case 'bytes':
      return takeDelimited(reader);
    case 'string':
      return textOrBytes(takeDelimited(reader), odd);
  }
}

/** int32 and enums: negative numbers are written with 64 bits, and only the low 32 count. */
function signed32(varint: number | bigint, odd: (isOdd: boolean) => void): number {
  if (typeof varint === 'number') return varint;
  const number = Number(BigInt.asIntN(32, varint));
  odd(BigInt(number) !== BigInt.asIntN(64, varint));
  return number;
}

function textOrBytes(bytes: Uint8Array, odd: (isOdd: boolean) => void): string | Uint8Array {
  if (!isUtf8(bytes)) {
    odd(true);
    return bytes;
  }
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
  odd(CONTROL.test(text.slice(0, LOOKED_AT_CHARACTERS)));
  return text;
}

/** The number with the fewest digits that is the same as a float: 0.1 in place of 0.10000000149011612. */
function shortest(float: number): number {
  if (float === 0 || !Number.isFinite(float)) return float;
  for (let digits = 6; digits <= 8; digits++) {
    const number = Number(float.toPrecision(digits));
    if (Math.fround(number) === float) return number;
  }
  return Number(float.toPrecision(9));
}

/** What a value is that was left out. */
export function defaultValue({ type }: Field): DecodedValue {
  if (typeof type === 'object') return type.kind === 'enum' ? (type.names.get(0) ?? 0) : {};
  if (type === 'string') return '';
  if (type === 'bytes') return bytesValue(new Uint8Array(0));
  return type === 'bool' ? false : 0;
}
