import { expect, test } from 'vitest';
import { readJson } from '../../../src/decode/json.ts';
import { decodedText } from '../../../web/src/detail/decoded-text.ts';

test('numbers that a double would lose keep all of their digits', () => {
  const text = '{"id":12345678901234567890,"price":0.1,"list":[1,-2.5e400]}';
  expect(decodedText(readJson(text) ?? null)).toBe(text);
});

test('what JSON has no word for stays as it was decoded', () => {
  for (const value of [{ $number: 'NaN' }, { $bytes: 'ff', length: 1 }, { $map: [[1, 'a']] }, { 'quo"te': null }]) {
    expect(JSON.parse(decodedText(value))).toEqual(value);
  }
});
