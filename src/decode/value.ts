import type { DecodedValue } from '../contract/decoded.ts';

/** Bytes shown of one byte string. */
const SHOWN_BYTES = 4096;
/** Characters shown of one string. */
export const SHOWN_CHARACTERS = 262_144;
/** Values in one result, and how deep they lie: more is cut. */
export const MAX_VALUES = 50_000;
export const MAX_DEPTH = 100;

export function bytesValue(bytes: Uint8Array): DecodedValue {
  const shown = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, SHOWN_BYTES));
  return { $bytes: shown.toString('hex'), length: bytes.length };
}

/** A double or a bigint without loss. */
export function numberValue(n: number | bigint): DecodedValue {
  if (typeof n === 'number') return Number.isFinite(n) ? n : { $number: String(n) };
  const asNumber = Number(n);
  return Number.isSafeInteger(asNumber) ? asNumber : { $number: n.toString() };
}

/** Pairs as an object where all keys are strings, none twice and none with a meaning of its own; else `$map`. */
export function pairsValue(pairs: readonly (readonly [DecodedValue, DecodedValue])[]): DecodedValue {
  const keys = new Set<DecodedValue>();
  for (const [key] of pairs) if (typeof key === 'string' && !key.startsWith('$') && key !== '__proto__') keys.add(key);
  return keys.size === pairs.length
    ? (Object.fromEntries(pairs) as Record<string, DecodedValue>)
    : { $map: pairs.map(([key, value]) => [key, value]) };
}

/** Lone surrogates are no text: they become U+FFFD. */
export function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\uFFFD');
}

/** A short line for a list: no control or bidirectional characters, at most `length` characters. */
export function summaryOf(text: string, length = 120): string {
  const start = text
    .slice(0, length * 2)
    .replace(/[\s\p{C}]+/gu, ' ')
    .trim();
  return start.length > length || text.length > length * 2 ? `${wellFormed(start.slice(0, length))}…` : start;
}

/** Short JSON of a value; of what lies deeper, how much it is: `[… 3]`. */
export function summaryOfValue(value: DecodedValue): string {
  if (Array.isArray(value)) return `[${value.slice(0, 4).map(brief).join(', ')}${value.length > 4 ? ', …' : ''}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value);
    return summaryOf(
      `{${entries
        .slice(0, 6)
        .map(([key, part]) => `${key}: ${brief(part)}`)
        .join(', ')}${entries.length > 6 ? ', …' : ''}}`,
    );
  }
  return brief(value);
}
function brief(value: DecodedValue): string {
  if (Array.isArray(value)) return value.length === 0 ? '[]' : `[… ${value.length}]`;
  if (typeof value === 'object' && value !== null)
    return typeof value['$number'] === 'string' ? value['$number'] : '{…}';
  return summaryOf(typeof value === 'string' ? JSON.stringify(value.slice(0, 100)) : String(value), 60);
}
