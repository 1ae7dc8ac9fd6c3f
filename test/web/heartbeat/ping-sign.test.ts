import { encodePacket } from 'engine.io-parser';
import * as mqtt from 'mqtt-packet';
import { describe, expect, test } from 'vitest';
import { Filter, parseFilter } from '../../../src/capture/filter.ts';
import type { FrameRow } from '../../../src/contract/frame.ts';
import { engineIoOpening, HEARTBEAT_FILTER, pingSignOf, type Spoken } from '../../../web/src/heartbeat/ping-sign.ts';
import { frameMatches } from '../frame-matches.ts';
import { fakeSummary } from '../mock-capture.ts';
import { BINARY, DOWN, frame, PING, PONG, TEXT, UP } from './beat-frames.ts';

const filter = parseFilter(HEARTBEAT_FILTER);
const session = fakeSummary(1, { frameCount: 1, firstHeldFrame: 0, seq: 1, startedMs: 0 });

/** Whether the server finds it with the filter that the tab asks by. */
function isFound(row: FrameRow, data: string | Uint8Array): boolean {
  if (!(filter instanceof Filter)) throw new Error('the filter is wrong');
  return frameMatches(filter, session, row, data);
}

function signOf(opcode: number, data: string | Uint8Array, spoken: Partial<Spoken> = {}) {
  const row = frame(opcode, UP, data, 0);
  const sign = pingSignOf(row, { subprotocol: '', engineIo: false, ...spoken });
  if (sign !== null) expect(isFound(row, data), `${String(data)} is asked for`).toBe(true);
  return sign === null ? null : [sign.kind, sign.role, ...sign.ids];
}
const text = (data: string, spoken?: Partial<Spoken>) => signOf(TEXT, data, spoken);

describe('a part of a heartbeat', () => {
  test('is every ping and pong frame, told apart by its payload, also where it is not text', () => {
    expect(signOf(PING, 'a')).toEqual(['ping', 'asks', 'utf8 a']);
    expect(signOf(PONG, 'a')).toEqual(['ping', 'answers', 'utf8 a']);
    expect(signOf(PING, Uint8Array.of(0xab))).toEqual(['ping', 'asks', 'hex ab']);
    expect(signOf(PING, 'ab')).toEqual(['ping', 'asks', 'utf8 ab']);
    expect(
      pingSignOf({ ...frame(PING, UP, 'abc', 0), preview: null }, { subprotocol: '', engineIo: false })?.ids,
    ).toEqual(['3']);
  });
  test('is a packet of engine.io, as its own parser writes it, where engine.io is spoken', () => {
    const packets: [type: 'ping' | 'pong', data: string | undefined, role: string][] = [
      ['ping', undefined, 'asks'],
      ['pong', undefined, 'answers'],
      ['ping', 'probe', 'asks'],
      ['pong', 'probe', 'answers'],
    ];
    for (const [type, data, role] of packets) {
      let written = '';
      encodePacket(
        { type, ...(data !== undefined && { data }) },
        true,
        (encoded: unknown) => (written = String(encoded)),
      );
      const ids = data === undefined ? [] : [data];
      expect(text(written, { engineIo: true })).toEqual(['engine.io', role, ...ids]);
      expect(text(written)).toBeNull();
    }
    expect(text('21', { engineIo: true })).toBeNull();
  });
  test('is a PINGREQ or PINGRESP of MQTT, as mqtt-packet writes it', () => {
    const asked = Uint8Array.from(mqtt.generate({ cmd: 'pingreq' }));
    const answered = Uint8Array.from(mqtt.generate({ cmd: 'pingresp' }));
    expect(signOf(BINARY, asked, { subprotocol: 'mqtt' })).toEqual(['mqtt', 'asks']);
    expect(signOf(BINARY, answered, { subprotocol: 'mqttv3.1' })).toEqual(['mqtt', 'answers']);
    expect(signOf(BINARY, asked)).toBeNull();
    expect(signOf(BINARY, Uint8Array.of(0xc0, 0, 0), { subprotocol: 'mqtt' })).toBeNull();
  });
  test('is a line feed of STOMP, a ping of SignalR, and what keeps alive one way', () => {
    expect(text('\n', { subprotocol: 'v12.stomp' })).toEqual(['stomp', 'beats']);
    expect(text('\r\n', { subprotocol: 'v10.stomp' })).toEqual(['stomp', 'beats']);
    expect(text('\n')).toBeNull();
    expect(text('{"type":6}\u001e')).toEqual(['signalr', 'beats']);
    expect(text('{"type":"ka"}')).toEqual(['message', 'beats']);
    expect(text('[17,"hb"]')).toEqual(['message', 'beats']);
  });
  test('is JSON with such a word for a key or a value, and the ids that go with it', () => {
    expect(text('{"type":"ping"}')).toEqual(['message', 'asks']);
    expect(text('{"type": "pong", "payload": {}}')).toEqual(['message', 'answers']);
    expect(text('{"op":"ping"}')).toEqual(['message', 'asks']);
    expect(text('{"op":"ping","success":true,"ret_msg":"pong"}')).toEqual(['message', 'answers']);
    expect(text('{"event":"ping","cid":1234}')).toEqual(['message', 'asks', '1234']);
    expect(text('{"event":"pong","ts":1700000000000,"cid":1234}')).toEqual([
      'message',
      'answers',
      '1700000000000',
      '1234',
    ]);
    expect(text('{"ping":1492420473027}')).toEqual(['message', 'asks', '1492420473027']);
    expect(text('{"pong":1492420473027}')).toEqual(['message', 'answers', '1492420473027']);
    expect(text('{"method":"PING","id":"a-7"}')).toEqual(['message', 'asks', 'a-7']);
    expect(text('{"topic":"phoenix","event":"heartbeat","payload":{},"ref":"5"}')).toEqual(['message', 'asks', '5']);
    expect(text('{"event":"phx_reply","payload":{"status":"ok"},"ref":"5","topic":"phoenix"}')).toEqual([
      'message',
      'answers',
      '5',
    ]);
    expect(text('[null,"6","phoenix","heartbeat",{}]')).toEqual(['message', 'asks', '6']);
    expect(text('[null,"6","phoenix","phx_reply",{"response":{},"status":"ok"}]')).toEqual(['message', 'answers', '6']);
    expect(text('42["ping"]', { engineIo: true })).toEqual(['message', 'asks']);
    expect(text('a["{\\"type\\":\\"ping\\"}"]')).toEqual(['message', 'asks']);
    expect(text('{"type":"heartbeat_ack"}')).toEqual(['message', 'answers']);
  });
  test('is the bare word, with a number or a token', () => {
    expect(text('ping')).toEqual(['message', 'asks']);
    expect(text('"pong"')).toEqual(['message', 'answers']);
    expect(text('PING :tmi.twitch.tv\r\n')).toEqual(['message', 'asks', 'tmi.twitch.tv']);
    expect(text(':irc.example PONG irc.example :tmi.twitch.tv\r\n')).toEqual(['message', 'answers', 'tmi.twitch.tv']);
    expect(text('primus::ping::1700000000000')).toEqual(['message', 'asks', '1700000000000']);
    expect(text('#ping')).toEqual(['message', 'asks']);
  });
  test('is nothing that only talks of it', () => {
    for (const data of [
      '{"op":"chat","text":"ping me later"}',
      'shopping',
      'ping me',
      '{"mapping":1}',
      '{"topic":"room:1","event":"phx_reply","ref":"5"}',
      '[17,"hbs"]',
      'o',
      '',
      `{"type":"ping","filler":"${'x'.repeat(200)}"}`,
    ]) {
      expect(text(data), data).toBeNull();
    }
    expect(signOf(8, 'ping')).toBeNull();
  });
});

describe('the opening of engine.io', () => {
  test('announces how often it pings, and how long it waits', () => {
    const packet =
      '0{"sid":"lv_VI97HAXpY6yYWAAAB","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}';
    expect(engineIoOpening(packet)).toEqual({ intervalMs: 25_000, timeoutMs: 20_000 });
    expect(engineIoOpening('0{"sid":"x"}')).toBeNull();
    expect(engineIoOpening('{"sid":"x"}')).toBeNull();
    expect(isFound(frame(TEXT, DOWN, packet, 0), packet)).toBe(true);
  });
});
