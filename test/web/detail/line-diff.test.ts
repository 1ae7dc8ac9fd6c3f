import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { diffLines } from '../../../web/src/detail/line-diff.ts';

const text = fc.array(fc.constantFrom('a', 'b', 'c', ''), { maxLength: 12 }).map((lines) => lines.join('\n'));

describe('what differs between two texts', () => {
  test('leads from the one to the other', () => {
    fc.assert(
      fc.property(text, text, (left, right) => {
        const lines = diffLines(left, right);
        const side = (gone: string): string =>
          lines
            .filter((line) => line.change !== gone)
            .map((line) => line.text)
            .join('\n');
        expect(side('added')).toBe(left);
        expect(side('removed')).toBe(right);
      }),
    );
  });

  test('is nothing between equal texts', () => {
    fc.assert(
      fc.property(text, (each) => {
        expect(diffLines(each, each).filter((line) => line.change !== 'same')).toEqual([]);
      }),
    );
  });

  test('is found for a line put in between', () => {
    expect(diffLines('a\nb', 'a\nx\nb')).toEqual([
      { change: 'same', text: 'a', left: 1, right: 1 },
      { change: 'added', text: 'x', left: null, right: 2 },
      { change: 'same', text: 'b', left: 2, right: 3 },
    ]);
  });

  test('is found in bounded time where everything differs', () => {
    const many = (name: string): string => Array.from({ length: 20_000 }, (_, at) => `${name}${at}`).join('\n');
    const lines = diffLines(many('x'), many('y'));
    expect(lines).toHaveLength(40_000);
  });
});
