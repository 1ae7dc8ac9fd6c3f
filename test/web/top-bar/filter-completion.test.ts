import { describe, expect, test } from 'vitest';
import { parseFilter } from '../../../src/capture/filter.ts';
import { completions } from '../../../src/capture/filter/completion.ts';
import { completionsIn, type Completion } from '../../../web/src/top-bar/filter-completion.ts';

const complete = (text: string, caret = text.length): readonly Completion[] =>
  completionsIn(text, completions(text, caret));
const labels = (text: string): string[] => complete(text).map(({ label }) => label);

describe('completion', () => {
  test('offers the names of fields, then the values of a field', () => {
    expect(labels('ho')).toEqual(['host:']);
    expect(labels('dir:')).toEqual(expect.arrayContaining(['up', 'down']));
    expect(labels('op:pi')).toEqual(['ping']);
    expect(labels('op:ping and n')).toEqual(['not']);
  });
  test('puts the choice where the caret is and keeps the rest', () => {
    expect(complete('di and op:text', 2)).toMatchObject([{ text: 'dir: and op:text', caret: 4 }]);
    expect(complete('is:open and op:pi', 17)).toMatchObject([{ text: 'is:open and op:ping', caret: 19 }]);
    expect(complete('tex')).toMatchObject([{ text: 'text~//', caret: 6 }]);
    expect(complete('is:open an')).toMatchObject([{ text: 'is:open and ', caret: 12 }]);
  });
  test('offers nothing where the word is already written', () => {
    expect(labels('op:ping')).toEqual([]);
  });
  test('offers no value that the filter does not know', () => {
    for (const field of ['dir:', 'op:', 'is:', 'code:', 'status:', 'violation:']) {
      const offered = complete(field);
      expect(offered.length).toBeGreaterThan(1);
      for (const { text } of offered) expect(() => parseFilter(text)).not.toThrow();
    }
  });
});
