import { ByteReader } from './byte-reader.ts';
import type { Decoder } from './decoder.ts';
import type { DecodedValue } from '../contract/decoded.ts';
import { wireFields } from './proto/wire.ts';
import { summaryOf } from './value.ts';

/**
 * Protocol Buffers without a schema, by wire type (https://protobuf.dev/programming-guides/encoding/): fields by
 * number, in order; what has a length is shown as a message where it can be one, else as text, else as bytes.
 */
export const protobuf: Decoder = {
  name: 'protobuf',
  decode({ bytes, isText, subprotocol }) {
    if (bytes.length === 0) return null;
    const fields = wireFields(new ByteReader(bytes), 0);
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

function brief(value: DecodedValue): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 40));
  if (Array.isArray(value)) return `{${value.length}}`;
  return typeof value === 'object' && value !== null ? '…' : String(value);
}
