import type { DecodedValue } from '../../../src/contract/decoded.ts';

/**
 * A decoded value as JSON text for the outline: numbers that a double would lose stand with all of their digits.
 * What JSON has no word for keeps its `$` key.
 */
export function decodedText(value: DecodedValue): string {
  if (Array.isArray(value)) return `[${value.map(decodedText).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const digits = value['$number'];
  if (typeof digits === 'string' && /^-?\d/.test(digits) && Object.keys(value).length === 1) return digits;
  return `{${Object.entries(value)
    .map(([key, part]) => `${JSON.stringify(key)}:${decodedText(part)}`)
    .join(',')}}`;
}
