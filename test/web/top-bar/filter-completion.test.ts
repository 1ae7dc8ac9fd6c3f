import { describe, expect, test } from 'vitest';
import { parseFilter } from '../../../src/capture/filter.ts';
import { completeFilter } from '../../../web/src/top-bar/filter-completion.ts';

const labels = (text: string): string[] => completeFilter(text, text.length).map(({ label }) => label);

describe('completion', () => {
  test('offers the names of fields, then the values of a field', () => {
    expect(labels('ho')).toEqual(['host:']);
    expect(labels('dir:')).toEqual(['dir:up', 'dir:down']);
    expect(labels('op:pi')).toEqual(['op:ping']);
    expect(labels('op:ping and n')).toEqual(['not']);
  });
  test('puts the choice where the caret is and keeps the rest', () => {
    const [first] = completeFilter('di and op:text', 2);
    expect(first).toMatchObject({ text: 'dir: and op:text', caret: 4 });
    const [regex] = completeFilter('tex', 3);
    expect(regex).toMatchObject({ text: 'text~//', caret: 6 });
  });
  test('offers no value that the server does not know', () => {
    for (const field of ['dir:', 'op:', 'is:', 'code:', 'status:', 'violation:']) {
      const offered = labels(field);
      expect(offered.length).toBeGreaterThan(1);
      for (const filter of offered) expect(() => parseFilter(filter)).not.toThrow();
    }
  });
});
