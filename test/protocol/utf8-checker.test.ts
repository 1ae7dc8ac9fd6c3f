import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Utf8Checker } from '../../src/protocol/utf8-checker.ts';
import { cutAt, eachByte } from '../helpers/wire-frames.ts';

function isValid(chunks: readonly Uint8Array[]): boolean {
  const checker = new Utf8Checker();
  for (const chunk of chunks) if (!checker.check(chunk, false)) return false;
  return checker.check(new Uint8Array(0), true);
}

/** The same, with the end told together with the last piece. */
function isValidAtOnce(chunks: readonly Uint8Array[]): boolean {
  const checker = new Utf8Checker();
  return chunks.every((chunk, i) => checker.check(chunk, i === chunks.length - 1));
}

function decodes(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}

const VALID = ['', 'abc', 'ß', '€', '𝄞', 'κόσμε', '\u0000', '\u007f\u0080\u07ff\u0800\uffff', '\u{10000}\u{10ffff}'];
const INVALID = [
  '80', 'bf', 'c0af', 'c1bf', 'e080af', 'e09f80', 'eda080', 'edbfbf', 'f08080af', 'f08f8080', 'f4908080', 'f5808080',
  'f8888080', 'fe', 'ff', 'c2', 'e282', 'f09f98', '61c2', 'c261', 'e28261', 'f09f9861', 'c2c2', 'ce', 'ceba80',
]; // prettier-ignore

describe('text', () => {
  for (const text of VALID) {
    it(`${JSON.stringify(text)} is UTF-8 however it is cut`, () => {
      const bytes = Buffer.from(text);
      for (let first = 0; first <= bytes.length; first++) {
        for (let second = first; second <= bytes.length; second++) {
          expect(isValid(cutAt(bytes, [first, second]))).toBe(true);
        }
      }
      expect(isValid(eachByte(bytes))).toBe(true);
    });
  }
  for (const hex of INVALID) {
    it(`${hex} is not, however it is cut`, () => {
      const bytes = Buffer.from(hex, 'hex');
      for (let first = 0; first <= bytes.length; first++) {
        for (let second = first; second <= bytes.length; second++) {
          expect(isValid(cutAt(bytes, [first, second]))).toBe(false);
        }
      }
      expect(isValidAtOnce(eachByte(bytes))).toBe(false);
    });
  }
});

describe('what is wrong', () => {
  it('is told with the first byte that makes it certain', () => {
    for (const [hex, certainAt] of [
      ['ff', 0],
      ['c0', 0],
      ['e08080', 1],
      ['eda0', 1],
      ['f48f80', -1],
      ['f490', 1],
      ['e28228', 2],
      ['f0908061', 3],
    ] as const) /* prettier-ignore */ {
      const checker = new Utf8Checker();
      const found = eachByte(Buffer.from(hex, 'hex')).findIndex((byte) => !checker.check(byte, false));
      expect([hex, found]).toEqual([hex, certainAt]);
    }
  });
  it('in the last bytes of a long piece is told with that piece', () => {
    for (const tail of ['e080', 'f4bf', 'eda0', 'f8', 'c0']) {
      const checker = new Utf8Checker();
      const piece = Buffer.concat([Buffer.alloc(50, 'a'), Buffer.from(tail, 'hex')]);
      expect([tail, checker.check(piece, false)]).toEqual([tail, false]);
    }
  });
});

describe('a checker', () => {
  it('starts anew after a failure, after a whole text and after a reset', () => {
    const checker = new Utf8Checker();
    expect(checker.check(Buffer.of(0xe2, 0x82), false)).toBe(true);
    expect(checker.midCharacter).toBe(true);
    expect(checker.check(Buffer.of(0x41), false)).toBe(false);
    expect(checker.midCharacter).toBe(false);
    expect(checker.check(Buffer.from('€'), true)).toBe(true);
    expect(checker.check(Buffer.of(0xe2), false)).toBe(true);
    checker.reset();
    expect(checker.check(Buffer.from('plain'), true)).toBe(true);
  });

  it('agrees with TextDecoder for any bytes in any pieces', () => {
    const text = fc.string({ unit: 'binary', maxLength: 30 }).map((made) => new Uint8Array(Buffer.from(made)));
    const nearly = fc
      .tuple(text, fc.nat(60), fc.nat(255))
      .map(([bytes, at, byte]) => bytes.map((was, i) => (i === at ? byte : was)));
    const cut = fc.tuple(text, fc.nat(100)).map(([bytes, at]) => bytes.subarray(0, at));
    const bytes = fc.oneof(text, nearly, cut, fc.uint8Array({ maxLength: 24 }));
    fc.assert(
      fc.property(bytes, fc.array(fc.nat(120), { maxLength: 8 }), (all, cuts) => {
        const positions = cuts.filter((position) => position < all.length).sort((a, b) => a - b);
        const chunks = cutAt(all, positions);
        expect(isValid(chunks)).toBe(decodes(all));
        expect(isValidAtOnce(chunks.length === 0 ? [all] : chunks)).toBe(decodes(all));
      }),
      { numRuns: 20_000 },
    );
  });
});
