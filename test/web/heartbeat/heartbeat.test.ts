import { describe, expect, test } from 'vitest';
import type { FrameRow } from '../../../src/contract/frame.ts';
import { isoMicros } from '../../../src/contract/time.ts';
import { Filter, parseFilter } from '../../../src/capture/filter.ts';
import { Heartbeat, HEARTBEAT_FILTER, percentile, summarize } from '../../../web/src/heartbeat/heartbeat.ts';
import { fakeRow } from '../mock-capture.ts';

let index = 0;
function frame(opcode: number, direction: FrameRow['direction'], data: string, ms: number): FrameRow {
  return {
    ...fakeRow(0, 0),
    index: index++,
    opcode,
    direction,
    time: isoMicros(1_700_000_000_000_000 + ms * 1000),
    preview: { encoding: 'utf8', data, truncated: false },
  };
}

describe('heartbeat', () => {
  test('pairs a ping with the pong of the other side that has its payload', () => {
    const heart = new Heartbeat();
    heart.take([
      frame(9, 'client-to-server', 'a', 0),
      frame(9, 'server-to-client', 'a', 1),
      frame(10, 'server-to-client', 'a', 25),
      frame(10, 'client-to-server', 'a', 41),
    ]);
    expect(heart.beats.map(({ by, rttMs }) => [by, rttMs])).toEqual([
      ['client', 25],
      ['server', 40],
    ]);
  });
  test('counts a ping without a pong as missed, and a pong without a ping as unsolicited', () => {
    const heart = new Heartbeat();
    heart.take([
      frame(9, 'client-to-server', '1', 0),
      frame(9, 'client-to-server', '2', 100),
      frame(10, 'server-to-client', '2', 130),
      frame(10, 'server-to-client', 'x', 150),
    ]);
    expect(summarize(heart.beats)).toMatchObject({ count: 2, answered: 1, missed: 1, p50Ms: 30, everyMs: 100 });
    expect(heart.unsolicited).toBe(1);
  });
  test('finds the pings of applications: engine.io and type: ping', () => {
    const heart = new Heartbeat();
    heart.take([
      frame(1, 'server-to-client', '2', 0),
      frame(1, 'client-to-server', '3', 7),
      frame(1, 'client-to-server', '{"type":"ping"}', 10),
      frame(1, 'server-to-client', '{"type":"pong"}', 32),
    ]);
    expect(heart.beats.map(({ kind, by, rttMs }) => [kind, by, rttMs])).toEqual([
      ['application', 'server', 7],
      ['application', 'client', 22],
    ]);
  });
  test('percentiles are by nearest rank', () => {
    const values = Array.from({ length: 100 }, (_, at) => at + 1);
    expect([0.5, 0.9, 0.99, 1].map((share) => percentile(values, share))).toEqual([50, 90, 99, 100]);
    expect(percentile([], 0.5)).toBeNull();
  });
  test('asks the server with a filter that it understands', () => {
    expect(parseFilter(HEARTBEAT_FILTER)).toBeInstanceOf(Filter);
  });
});
