import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OpenPings, type Beat } from '../../../web/src/heartbeat/open-pings.ts';

const beat = (ms: number): Beat => ({ frame: ms, timeUs: ms * 1000, rttMs: null });
const ask = (open: OpenPings, ms: number, ...ids: string[]): Beat => {
  const asked = beat(ms);
  open.ask(asked, ids);
  return asked;
};

describe('pings that cannot be told apart', () => {
  test('are answered one by one, each by the next pong', () => {
    const open = new OpenPings();
    const first = ask(open, 0);
    expect(open.answer(30_000, [])).toBe(true);
    const second = ask(open, 1000);
    expect(open.answer(1_040_000, [])).toBe(true);
    expect([first.rttMs, second.rttMs]).toEqual([30, 40]);
  });
  test('and have one pong: it is for the last, and the older ones stay without', () => {
    const open = new OpenPings();
    const beats = [ask(open, 0), ask(open, 1000), ask(open, 2000)];
    expect(open.answer(2_025_000, [])).toBe(true);
    expect(beats.map(({ rttMs }) => rttMs)).toEqual([null, null, 25]);
  });
  test('and are all answered at once by one who was stuck: in their order', () => {
    const open = new OpenPings();
    const beats = [ask(open, 0), ask(open, 1000), ask(open, 2000)];
    for (const us of [5_000_000, 5_001_000, 5_002_000]) expect(open.answer(us, [])).toBe(true);
    expect(beats.map(({ rttMs }) => rttMs)).toEqual([5000, 4001, 3002]);
    expect(open.answer(5_003_000, [])).toBe(false);
  });
  test('and went without a pong stay so when the next one is asked', () => {
    const open = new OpenPings();
    const lost = ask(open, 0);
    ask(open, 1000);
    open.answer(1_010_000, []);
    const next = ask(open, 2000);
    open.answer(2_010_000, []);
    expect(open.answer(2_020_000, [])).toBe(false);
    expect([lost.rttMs, next.rttMs]).toEqual([null, 10]);
  });
});

describe('pings with an id', () => {
  test('are answered by it, also an older one after a newer', () => {
    const open = new OpenPings();
    const [first, second, third] = [ask(open, 0, '1'), ask(open, 10, '2'), ask(open, 20, '3')];
    open.answer(50_000, ['3']);
    open.answer(60_000, ['at', '1']);
    expect([first?.rttMs, second?.rttMs, third?.rttMs]).toEqual([60, null, 30]);
  });
  test('are answered without it where the answer has another, or none', () => {
    const open = new OpenPings();
    const first = ask(open, 0, '1');
    open.answer(5_000, ['1700000000000']);
    const second = ask(open, 10, '2');
    open.answer(17_000, []);
    expect([first.rttMs, second.rttMs]).toEqual([5, 7]);
  });
});

test('no ping is answered before it was sent, none by two answers, and no more are than answers came', () => {
  const step = fc.record({ asks: fc.boolean(), id: fc.option(fc.nat(3)) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const open = new OpenPings();
      const beats: Beat[] = [];
      let taken = 0;
      steps.forEach(({ asks, id }, at) => {
        const ids = id === null ? [] : [`${id}`];
        if (asks) beats.push(ask(open, at, ...ids));
        else if (open.answer(at * 1000, ids)) taken += 1;
      });
      const answered = beats.filter(({ rttMs }) => rttMs !== null);
      expect(answered.every(({ rttMs }) => (rttMs ?? 0) > 0)).toBe(true);
      expect(answered.length).toBe(taken);
      const ends = answered.map(({ timeUs, rttMs }) => timeUs / 1000 + (rttMs ?? 0));
      expect(new Set(ends).size).toBe(ends.length);
    }),
    { numRuns: 500 },
  );
});
