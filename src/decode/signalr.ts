import type { Decoder } from './decoder.ts';
import { readJson } from './json.ts';
import type { DecodedValue } from '../contract/decoded.ts';
import { summaryOf } from './value.ts';

const RECORD_SEPARATOR = '\x1e';
const TYPES = [
  '',
  'invocation',
  'stream-item',
  'completion',
  'stream-invocation',
  'cancel-invocation',
  'ping',
  'close',
  'ack',
  'sequence',
];

/** The JSON hub protocol of ASP.NET Core SignalR: JSON records, each ended by U+001E; the first one is the handshake. */
export const signalr: Decoder = {
  name: 'signalr',
  decode({ text }) {
    if (text === null || !text.endsWith(RECORD_SEPARATOR)) return null;
    const records = text.slice(0, -1).split(RECORD_SEPARATOR).slice(0, 10_000);
    const values: DecodedValue[] = [];
    const words: string[] = [];
    for (const record of records) {
      const value = readJson(record);
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
      values.push(value);
      if (words.length < 5) words.push(describe(value));
    }
    return {
      score: 0.92,
      summary: summaryOf(words.join('; ')),
      value: values.length === 1 ? (values[0] as DecodedValue) : values,
    };
  },
};

function describe(record: Record<string, DecodedValue>): string {
  const { type, target, invocationId } = record;
  if (type === undefined) return 'handshake';
  const name = typeof type === 'number' ? (TYPES[type] ?? '') : '';
  const id = typeof invocationId === 'string' ? ` #${invocationId}` : '';
  return `${name === '' ? 'record' : name}${typeof target === 'string' ? ` ${target}` : ''}${id}`;
}
