import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Entry, Roster } from '../src/roster.ts';

describe('a roster', () => {
  it('names those who are there, in the order in which they came', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constant('come' as const), fc.nat(9)), { maxLength: 60 }), (steps) => {
        const roster = new Roster<number>();
        const there: Entry<number>[] = [];
        for (const [i, step] of steps.entries()) {
          if (step === 'come') there.push(roster.add(i));
          else for (const gone of there.splice(step, 1)) roster.delete(gone);
          expect([...roster]).toEqual(there.map(({ item }) => item));
          expect(roster.size).toBe(there.length);
          expect(roster.first).toBe(there[0] ?? null);
        }
      }),
    );
  });

  it('lets each leave while it is its turn, and once', () => {
    const roster = new Roster<string>();
    const entries = ['a', 'b', 'c'].map((item) => roster.add(item));
    const seen: string[] = [];
    for (const item of roster) {
      seen.push(item);
      roster.delete(entries.shift() as Entry<string>);
    }
    expect(seen).toEqual(['a', 'b', 'c']);
    expect(roster.size).toBe(0);
    const last = roster.add('d');
    roster.delete(last);
    roster.delete(last);
    expect(roster.size).toBe(0);
  });

  it('holds nobody by whoever has left: an entry knows no neighbours then', () => {
    const roster = new Roster<string>();
    const [first, middle, last] = ['a', 'b', 'c'].map((item) => roster.add(item)) as [
      Entry<string>,
      Entry<string>,
      Entry<string>,
    ];
    for (const gone of [middle, first, last]) {
      roster.delete(gone);
      expect([gone.previous, gone.next]).toEqual([null, null]);
      expect([first, middle, last].some(({ next, previous }) => next === gone || previous === gone)).toBe(false);
    }
  });
});
