import type { Decoder } from './decoder.ts';
import type { DecodedValue } from '../contract/decoded.ts';
import { parseJson, rewriteNumbers } from '../contract/json-text.ts';
import { MAX_DEPTH, MAX_VALUES, SHOWN_CHARACTERS, summaryOfValue, wellFormed } from './value.ts';

export const json: Decoder = {
  name: 'json',
  decode({ json: value, isText, subprotocol }) {
    if (value === undefined) return null;
    const container = typeof value === 'object' && value !== null;
    const said = /(?:^|[.+-])json\b/.test(subprotocol);
    return { score: said ? 0.9 : container ? 0.65 : isText ? 0.32 : 0.1, summary: summaryOfValue(value), value };
  },
};

/** Reads JSON with all digits of its numbers, and JSON in its strings as well. Undefined for what is no JSON. */
export function readJson(text: string): DecodedValue | undefined {
  if (!/^[\s\uFEFF]*[[{"\-\dtfn]/.test(text)) return undefined;
  const bare = text.replace(/^\uFEFF/, '');
  const value = parseJson(bare);
  if (value === undefined) return undefined;
  const exact = /\d{16}|[\d.][eE]/.test(bare) ? parseJson(rewriteNumbers(bare, keepDigits)) : value;
  return bounded(exact, { values: 0 }, 0);
}

function keepDigits(token: string): string {
  return sameDigits(token) ? token : `{"$number":"${token}"}`;
}
function sameDigits(token: string): boolean {
  const n = Number(token);
  if (!Number.isFinite(n)) return false;
  return Number.isInteger(n) && !/[.eE]/.test(token) ? Number.isSafeInteger(n) : token.replace(/\D/g, '').length <= 17;
}

/** The same value, cut where it is too deep or too much, with the JSON in its strings read too. */
function bounded(value: unknown, spent: { values: number }, depth: number): DecodedValue {
  if (++spent.values > MAX_VALUES) return { $cut: 'too many values' };
  if (depth > MAX_DEPTH) return { $cut: 'too deep' };
  if (typeof value === 'string') {
    const inner = depth > 0 && /^\s*[[{]/.test(value) ? parseJson(value) : undefined;
    if (inner !== undefined) return { $json: bounded(inner, spent, depth + 1) };
    return wellFormed(value.slice(0, SHOWN_CHARACTERS));
  }
  if (typeof value !== 'object' || value === null) return value as null | boolean | number;
  if (Array.isArray(value)) {
    const shown: DecodedValue[] = [];
    for (const part of value) {
      shown.push(bounded(part, spent, depth + 1));
      if (spent.values > MAX_VALUES) break;
    }
    return shown;
  }
  const shown: [string, DecodedValue][] = [];
  for (const key of Object.keys(value)) {
    shown.push([wellFormed(key), bounded((value as Record<string, unknown>)[key], spent, depth + 1)]);
    if (spent.values > MAX_VALUES) break;
  }
  return Object.fromEntries(shown);
}
