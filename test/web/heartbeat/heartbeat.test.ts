import { describe, expect, test } from 'vitest';
import { percentile, sourceName, summarize, type BeatSummary } from '../../../web/src/heartbeat/beat-summary.ts';
import { Heartbeat } from '../../../web/src/heartbeat/heartbeat.ts';
import { BINARY, DOWN, frame, PING, PONG, TEXT, UP } from './beat-frames.ts';

const heartbeat = (url = 'wss://host.example/', subprotocol: string | null = null): Heartbeat =>
  new Heartbeat({ url, subprotocol });
const rtts = (heart: Heartbeat): unknown[] =>
  heart.sources.map(({ kind, by, beats }) => [kind, by, ...beats.map(({ rttMs }) => rttMs)]);
const summaries = (heart: Heartbeat, over = false): BeatSummary[] =>
  heart.sources.map((source) => summarize(source, { over }));

describe('ping frames', () => {
  test('are paired with the pong of the other side that has their payload', () => {
    const heart = heartbeat();
    heart.take([
      frame(PING, UP, 'a', 0),
      frame(PING, DOWN, 'a', 1),
      frame(PONG, DOWN, 'a', 25),
      frame(PONG, UP, 'a', 41),
    ]);
    expect(rtts(heart)).toEqual([
      ['ping', 'client', 25],
      ['ping', 'server', 40],
    ]);
    expect(heart.unsolicited).toMatchObject({ client: { count: 0 }, server: { count: 0 } });
  });
  test('may be answered late: a pong that has an older payload answers the older ping', () => {
    const heart = heartbeat();
    heart.take([
      frame(PING, UP, '1', 0),
      frame(PING, UP, '2', 100),
      frame(PONG, DOWN, '1', 130),
      frame(PONG, DOWN, '2', 150),
    ]);
    expect(rtts(heart)).toEqual([['ping', 'client', 130, 50]]);
  });
  test('without a pong are missed; a pong to a later one stands for them as well', () => {
    const heart = heartbeat();
    const rows = [frame(PING, UP, '1', 0), frame(PING, UP, '2', 100), frame(PING, UP, '3', 200)];
    heart.take([...rows, frame(PONG, DOWN, '2', 130)]);
    const [open] = summaries(heart);
    expect(open?.missed.map((beat) => beat.frame)).toEqual([rows[0]?.index]);
    expect(open).toMatchObject({ count: 3, answered: 1, covered: 1, p50Ms: 30, everyMs: 100, oneWay: false });
    const [over] = summaries(heart, true);
    expect(over?.missed.map((beat) => beat.frame)).toEqual([rows[0]?.index, rows[2]?.index]);
    expect(over?.covered).toBe(1);
  });
  test('that nobody answers are all missed', () => {
    const heart = heartbeat();
    heart.take([0, 1, 2].map((at) => frame(PING, DOWN, '', at * 1000)));
    expect(summaries(heart, true)[0]).toMatchObject({ count: 3, answered: 0, oneWay: false, covered: 0, p50Ms: null });
    expect(summaries(heart, true)[0]?.missed).toHaveLength(3);
  });
  test('are not taken for each other where one payload reads like the hex of another', () => {
    const heart = heartbeat();
    heart.take([frame(PING, UP, 'ab', 0), frame(PONG, DOWN, Uint8Array.of(0xab), 5)]);
    expect(rtts(heart)).toEqual([['ping', 'client', null]]);
  });
  test('that nobody sent have pongs that came unasked: how many, whose, and the first', () => {
    const heart = heartbeat();
    const first = frame(PONG, DOWN, '', 0);
    heart.take([first, frame(PONG, DOWN, '', 1000), frame(PING, UP, 'x', 1100), frame(PONG, UP, 'x', 1200)]);
    expect(heart.unsolicited).toEqual({
      server: { count: 2, firstFrame: first.index },
      client: { count: 1, firstFrame: first.index + 3 },
    });
  });
});

describe('pings of protocols and applications', () => {
  test('of engine.io come from the server in its revision 4, and from the client in 3', () => {
    for (const [url, asker, answerer] of [
      ['wss://host.example/socket.io/?EIO=4&transport=websocket', DOWN, UP],
      ['wss://host.example/engine.io/?transport=websocket&EIO=3', UP, DOWN],
    ] as const) {
      const heart = heartbeat(url);
      heart.take([
        frame(TEXT, UP, '2probe', 0),
        frame(TEXT, DOWN, '3probe', 4),
        frame(TEXT, asker, '2', 25_000),
        frame(TEXT, answerer, '3', 25_007),
        frame(TEXT, asker, '2', 50_000),
        frame(TEXT, asker, '42["said",2]', 50_001),
      ]);
      const by = asker === DOWN ? 'server' : 'client';
      expect(rtts(heart)).toContainEqual(['engine.io', by, ...(asker === UP ? [4] : []), 7, null]);
    }
  });
  test('of engine.io are known by its opening as well, with what that announces', () => {
    const heart = heartbeat();
    heart.take([
      frame(TEXT, DOWN, '0{"sid":"x","upgrades":[],"pingInterval":300,"pingTimeout":200}', 0),
      frame(TEXT, DOWN, '2', 300),
      frame(TEXT, UP, '3', 302),
    ]);
    expect(rtts(heart)).toEqual([['engine.io', 'server', 2]]);
    expect(heart.announced).toEqual({ intervalMs: 300, timeoutMs: 200 });
  });
  test('as messages are paired by kind and side, and by id where there is one', () => {
    const heart = heartbeat();
    heart.take([
      frame(TEXT, UP, '{"type":"ping","id":1}', 0),
      frame(TEXT, UP, '{"type":"ping","id":2}', 10),
      frame(TEXT, DOWN, '{"event":"ping"}', 12),
      frame(TEXT, DOWN, '{"type":"pong","id":1}', 22),
      frame(TEXT, UP, '{"op":"pong"}', 15),
      frame(TEXT, DOWN, '{"type":"pong","id":2}', 40),
    ]);
    expect(rtts(heart)).toEqual([
      ['message', 'client', 22, 30],
      ['message', 'server', 3],
    ]);
  });
  test('of MQTT are paired, where it is spoken', () => {
    const heart = heartbeat('wss://host.example/', 'mqtt');
    heart.take([frame(BINARY, UP, Uint8Array.of(0xc0, 0), 0), frame(BINARY, DOWN, Uint8Array.of(0xd0, 0), 9)]);
    expect(rtts(heart)).toEqual([['mqtt', 'client', 9]]);
  });
  test('that want no answer, or never get one, are one-way: nothing is missed', () => {
    const heart = heartbeat('wss://host.example/', 'v12.stomp');
    heart.take([
      ...[0, 10_000, 20_000].map((ms) => frame(TEXT, DOWN, '\n', ms)),
      ...[0, 3000, 6000].map((ms) => frame(TEXT, DOWN, '{"type":"ping","message":17}', ms)),
    ]);
    expect(summaries(heart, true)).toMatchObject([
      { count: 3, oneWay: true, missed: [], everyMs: 10_000 },
      { count: 3, oneWay: true, missed: [], everyMs: 3_000 },
    ]);
  });
  test('have names that say whose they are', () => {
    expect(sourceName({ kind: 'ping', by: 'client' })).toBe('ping frames of the client');
    expect(sourceName({ kind: 'stomp', by: 'server' })).toBe('STOMP heart-beats of the server');
  });
});

test('percentiles are by nearest rank', () => {
  const values = Array.from({ length: 100 }, (_, at) => at + 1);
  expect([0.5, 0.9, 0.99, 1].map((share) => percentile(values, share))).toEqual([50, 90, 99, 100]);
  expect(percentile([7], 0.5)).toBe(7);
  expect(percentile([], 0.5)).toBeNull();
});

test('of very many pings the newest are kept, and how many are not is told', () => {
  const heart = heartbeat();
  for (let at = 0; at < 101; at += 1) {
    heart.take(Array.from({ length: 1000 }, (_, nth) => frame(PING, UP, '', at * 1000 + nth)));
  }
  expect(heart.sources[0]?.beats).toHaveLength(51_000);
  expect(heart.sources[0]?.dropped).toBe(50_000);
});
