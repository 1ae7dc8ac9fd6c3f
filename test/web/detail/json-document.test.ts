import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JsonDocument, printJson } from '../../../web/src/detail/json-document.ts';

const all = (): boolean => true;

describe('JSON', () => {
  test('of any value is read whole, and printed it parses to the same value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(0, 2), (value, indent) => {
        const json = new JsonDocument(JSON.stringify(value, null, indent));
        expect(json.fault).toBeNull();
        expect(JSON.parse(printJson(json))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  test('is refused where JSON.parse refuses it, and accepted where it accepts it', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.constantFrom('{', '}', '[', ']', ',', ':', '"a"', '1', '-', '01', 'true', 'nul', ' ', '"', '1e5', '\\'),
        ),
        (parts) => {
          const text = parts.join('');
          let valid = true;
          try {
            JSON.parse(text);
          } catch {
            valid = false; // What a syntax error is, is the question here.
          }
          expect(new JsonDocument(text).fault === null).toBe(valid);
        },
      ),
      { numRuns: 3000 },
    );
  });

  test('numbers stay as they were written', () => {
    const json = new JsonDocument('{"id":9007199254740993,"x":1.10,"y":1e400,"z":-0}');
    expect([1, 2, 3, 4].map((node) => json.source(node))).toEqual(['9007199254740993', '1.10', '1e400', '-0']);
    expect(printJson(json)).toContain('9007199254740993');
  });

  test('a depth of 200,000 levels is read, outlined and printed without a stack overflow', () => {
    const depth = 200_000;
    const json = new JsonDocument('['.repeat(depth) + ']'.repeat(depth));
    expect(json.fault).toBeNull();
    expect(json.count).toBe(depth);
    expect(json.depth(depth - 1)).toBe(depth - 1);
    expect(json.outline(all)).toHaveLength(depth);
    expect(json.path(depth - 1)).toHaveLength(1 + 3 * (depth - 1));
    expect(new JsonDocument('[{"a":'.repeat(50_000)).fault).not.toBeNull();
  });

  test('names the path of each value', () => {
    const json = new JsonDocument('{"orders":[{"id":1},{"unit price":[2,3]}],"":0}');
    const paths = Array.from({ length: json.count }, (_, node) => json.path(node));
    expect(paths).toEqual([
      '$',
      '$.orders',
      '$.orders[0]',
      '$.orders[0].id',
      '$.orders[1]',
      '$.orders[1]["unit price"]',
      '$.orders[1]["unit price"][0]',
      '$.orders[1]["unit price"][1]',
      '$[""]',
    ]);
  });

  test('what comes before a mistake is shown, and the mistake has its place', () => {
    const json = new JsonDocument('{"a":[1,2,oops],"b":3}');
    expect(json.fault).toEqual({ offset: 10, message: 'a value is expected' });
    expect(json.count).toBe(4);
    expect(json.subtreeEnd(0)).toBe(4);
    expect(json.source(1)).toBe('[1,2,');
  });

  test('closed containers take one row each', () => {
    const json = new JsonDocument('{"a":[1,2,3],"b":{"c":[4]}}');
    expect([...json.outline((node) => json.depth(node) < 1)]).toEqual([0, 1, 5]);
    expect([...json.outline(() => false)]).toEqual([0]);
  });

  test('is searched in names and values, whatever the case', () => {
    const json = new JsonDocument('{"Price":1,"x":"the price","y":{"price":2}}');
    expect(json.find('PRICE', 10)).toEqual([1, 2, 4]);
    expect(json.find('PRICE', 2)).toEqual([1, 2]);
    expect(json.find('', 10)).toEqual([]);
  });

  test('strings, numbers and blanks of 10 MB are read without a stack overflow', () => {
    for (const value of [`"${'x'.repeat(1e7)}"`, '1'.repeat(1e7), `${' '.repeat(1e7)}1`]) {
      const json = new JsonDocument(`{"a":${value}}`);
      expect(json.fault).toBeNull();
      expect(json.source(1)).toBe(value.trim());
    }
    expect(new JsonDocument(`"${'x'.repeat(1e7)}`).fault).not.toBeNull();
  });

  test('8 MB on one line are read in bounded time', () => {
    const text = JSON.stringify(Array.from({ length: 300_000 }, (_, at) => ({ id: at, name: `row ${at}` })));
    const started = performance.now();
    const json = new JsonDocument(text);
    expect(json.children(0)).toBe(300_000);
    expect(performance.now() - started).toBeLessThan(5000);
  });
});
