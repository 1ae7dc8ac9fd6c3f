import { randomBytes } from 'node:crypto';
import { encode as encodeMsgpack } from '@msgpack/msgpack';
import { encode as encodeCbor } from 'cbor2';
import * as engineIo from 'engine.io-parser';
import fc from 'fast-check';
import mqttPacket from 'mqtt-packet';
import protobufjs from 'protobufjs';
import { Encoder, PacketType } from 'socket.io-parser';
import { describe, expect, it } from 'vitest';
import {
  decode,
  DECODER_NAMES,
  decodings,
  StickyDecoders,
  type DecodeContext,
  type Decoded,
} from '../../src/decode/decoder.ts';
import type { DecodedValue } from '../../src/contract/decoded.ts';

const ofText = (text: string, context: Partial<DecodeContext> = {}): Decoded =>
  decode(Buffer.from(text), { opcode: 1, ...context });
const ofBytes = (bytes: Uint8Array, context: Partial<DecodeContext> = {}): Decoded =>
  decode(bytes, { opcode: 2, ...context });

describe('the decoders', () => {
  it('choose JSON, and keep the digits of big numbers', () => {
    expect(ofText('{"id":12345678901234567890,"x":0.1,"y":1e400,"s":"12345678901234567890"}')).toMatchObject({
      name: 'json',
      value: {
        id: { $number: '12345678901234567890' },
        x: 0.1,
        y: { $number: '1e400' },
        s: '12345678901234567890',
      },
    });
    expect(ofText('[9007199254740993, -0.5, 1e3]').value).toEqual([{ $number: '9007199254740993' }, -0.5, 1000]);
    expect(ofText('42')).toMatchObject({ name: 'json', value: 42 });
    expect(ofText('{"a":').name).toBe('text');
  });

  it('read JSON inside of JSON', () => {
    expect(ofText(JSON.stringify({ body: JSON.stringify({ deep: [1] }), not: '{x' })).value).toEqual({
      body: { $json: { deep: [1] } },
      not: '{x',
    });
  });

  it('choose text for text and hex for the rest', () => {
    expect(ofText('hello\n\u202eworld')).toMatchObject({
      name: 'text',
      summary: 'hello world',
      value: 'hello\n\u202eworld',
    });
    expect(ofBytes(Buffer.from('plain words'))).toMatchObject({ name: 'text' });
    expect(ofBytes(Uint8Array.of(0xff, 0xfe, 0x00))).toMatchObject({
      name: 'hex',
      summary: 'ff fe 00',
      value: { $bytes: 'fffe00', length: 3 },
    });
    expect(ofBytes(new Uint8Array(0)).name).toBe('text');
  });

  it('do as the hint says where that fits', () => {
    expect(ofText('{"a":1}', { hint: 'text' }).name).toBe('text');
    expect(ofText('{"a":1}', { hint: 'hex' }).name).toBe('hex');
    expect(ofText('{"a":1}', { hint: 'mqtt' }).name).toBe('json');
    expect(ofText('{"a":1}', { hint: 'no such decoder' }).name).toBe('json');
  });

  it('can all be asked, and the surest comes first', () => {
    const all = decodings(Buffer.from('{"a":1}'), { opcode: 1 });
    expect(all.map(({ name }) => name)).toEqual(['json', 'text', 'hex', ...all.slice(3).map(({ name }) => name)]);
    expect(new Set(DECODER_NAMES).size).toBe(11);
  });
});

describe('MessagePack', () => {
  it.each([
    { op: 'subscribe', args: ['btc', 1, -5, 300, 70_000, 1.5, true, null], nested: { deep: [[]] } },
    ['text', 'x'.repeat(300), 'y'.repeat(70_000)],
    Array.from({ length: 20 }, (_, i) => ({ i })),
  ])('as its own library writes it is read', (value) => {
    expect(ofBytes(encodeMsgpack(value))).toMatchObject({ name: 'msgpack', value });
  });

  it('keeps big integers, bytes, times and extensions', () => {
    const time = new Date('2024-05-06T07:08:09.123Z');
    const bytes = encodeMsgpack([2n ** 63n, -(2n ** 40n), Uint8Array.of(1, 2), time], { useBigInt64: true });
    expect(ofBytes(bytes).value).toEqual([
      { $number: '9223372036854775808' },
      -(2 ** 40),
      { $bytes: '0102', length: 2 },
      { $type: 'timestamp', value: '2024-05-06T07:08:09.123Z' },
    ]);
    expect(ofBytes(Uint8Array.of(0x92, 0xd4, 7, 9, 0x81, 1, 2), { hint: 'msgpack' }).value).toEqual([
      { $type: 7, value: { $bytes: '09', length: 1 } },
      { $map: [[1, 2]] },
    ]);
  });

  it('agrees with its own library on anything', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const decoded = ofBytes(encodeMsgpack(value), { hint: 'msgpack' });
        expect(simple(decoded.value)).toEqual(simple(value as DecodedValue));
      }),
    );
  });
});

describe('CBOR', () => {
  it('as another library writes it is read', () => {
    const value = { op: 'subscribe', list: [1, -1, 300, -70_000, 1.5, 0.1, true, null, 'ü'], nested: { a: [] } };
    expect(ofBytes(encodeCbor(value))).toMatchObject({ name: 'cbor', value });
  });

  it('reads the examples of RFC 8949, appendix A', () => {
    const read = (hex: string): DecodedValue => ofBytes(Buffer.from(hex, 'hex'), { hint: 'cbor' }).value;
    expect(read('1bffffffffffffffff')).toEqual({ $number: '18446744073709551615' });
    expect(read('3bffffffffffffffff')).toEqual({ $number: '-18446744073709551616' });
    expect(read('c249010000000000000000')).toEqual({ $number: '18446744073709551616' });
    expect(read('f93c00')).toBe(1);
    expect(read('f97bff')).toBe(65504);
    expect(read('f90001')).toBe(5.960464477539063e-8);
    expect(read('f97e00')).toEqual({ $number: 'NaN' });
    expect(read('d74401020304')).toEqual({ $tag: 23, value: { $bytes: '01020304', length: 4 } });
    expect(read('7f657374726561646d696e67ff')).toBe('streaming');
    expect(read('5f42010243030405ff')).toEqual({ $bytes: '0102030405' });
    expect(read('9f018202039f0405ffff')).toEqual([1, [2, 3], [4, 5]]);
    expect(read('bf6346756ef563416d7421ff')).toEqual({ Fun: true, Amt: -2 });
    expect(read('a201020304')).toEqual({
      $map: [
        [1, 2],
        [3, 4],
      ],
    });
    expect(read('f0')).toEqual({ $type: 'simple', value: 16 });
  });

  it('agrees with another library on anything', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const decoded = ofBytes(encodeCbor(value), { hint: 'cbor' });
        expect(simple(decoded.value)).toEqual(simple(value as DecodedValue));
      }),
    );
  });
});

describe('protobuf', () => {
  it('is read without a schema, by wire type', () => {
    const { root } = protobufjs.parse(`syntax = "proto3";
      message Inner { string name = 1; sint32 n = 2; }
      message Outer { uint64 id = 1; string text = 2; Inner inner = 3; repeated int32 list = 4; double d = 5; float f = 6; bytes raw = 7; }`);
    const Outer = root.lookupType('Outer');
    const bytes = Outer.encode({
      id: 150,
      text: 'testing',
      inner: { name: 'Ann', n: 3 },
      list: [0],
      d: 1.5,
      f: 0.5,
      raw: Uint8Array.of(255),
    }).finish();
    expect(ofBytes(bytes)).toMatchObject({
      name: 'protobuf',
      value: [
        { field: 1, wire: 'varint', value: 150 },
        { field: 2, wire: 'bytes', value: 'testing' },
        {
          field: 3,
          value: [
            { field: 1, value: 'Ann' },
            { field: 2, value: 6 },
          ],
        },
        { field: 4, value: { $bytes: '00', length: 1 } },
        { field: 5, wire: 'fixed64', value: { asDouble: 1.5 } },
        { field: 6, wire: 'fixed32', value: { asFloat: 0.5 } },
        { field: 7, value: { $bytes: 'ff', length: 1 } },
      ],
    });
  });
});

describe('Socket.IO', () => {
  const url = 'wss://x.example/socket.io/?EIO=4&transport=websocket';
  const encode = (packet: Parameters<Encoder['encode']>[0]): string => {
    let encoded = '';
    engineIo.encodePacket({ type: 'message', data: new Encoder().encode(packet)[0] as string }, false, (data) => {
      encoded = data as string;
    });
    return encoded;
  };

  it('packets as its own library writes them are read', () => {
    expect(ofText(encode({ type: PacketType.EVENT, nsp: '/', data: ['chat', { from: 'Ann' }] }))).toMatchObject({
      name: 'socket.io',
      summary: 'event ["chat", {…}]',
      value: { engine: 'message', packet: 'event', namespace: '/', data: ['chat', { from: 'Ann' }] },
    });
    expect(ofText(encode({ type: PacketType.ACK, nsp: '/admin', id: 12, data: ['ok'] }), { url }).value).toEqual({
      engine: 'message',
      packet: 'ack',
      namespace: '/admin',
      id: 12,
      data: ['ok'],
    });
    const upload = { type: PacketType.EVENT, nsp: '/', data: ['file', Buffer.from([1])] };
    expect(ofText(encode(upload)).value).toMatchObject({ packet: 'binary_event', attachments: 1 });
  });

  it('frames of Engine.IO mean something where the URL says so', () => {
    expect(ofText('2', { url })).toMatchObject({ name: 'socket.io', summary: 'ping' });
    expect(ofText('2').name).toBe('json');
    expect(ofText('2probe').name).toBe('socket.io');
    expect(ofText('0{"sid":"abc","upgrades":[]}').value).toEqual({
      engine: 'open',
      data: { sid: 'abc', upgrades: [] },
    });
    expect(ofText('40', { url })).toMatchObject({ summary: 'connect' });
    expect(ofText('4hello', { url }).value).toEqual({ engine: 'message', data: 'hello' });
    expect(ofText('4hello').name).toBe('text');
  });
});

describe('MQTT', () => {
  it.each([
    [
      {
        cmd: 'connect',
        protocolId: 'MQTT',
        protocolVersion: 4,
        clean: true,
        clientId: 'c1',
        keepalive: 30,
        username: 'u',
        password: Buffer.from('secret'),
      },
      {
        packet: 'connect',
        version: 4,
        client: 'c1',
        keepAliveSeconds: 30,
        username: 'u',
        password: { $cut: '6 bytes' },
      },
    ],
    [
      { cmd: 'connack', returnCode: 0, sessionPresent: true },
      { packet: 'connack', code: 0, sessionPresent: true },
    ],
    [
      { cmd: 'publish', topic: 'a/b', payload: '{"t":21}', qos: 1, messageId: 7, dup: false, retain: true },
      { packet: 'publish', topic: 'a/b', qos: 1, id: 7, retain: true, payload: { t: 21 }, payloadAs: 'json' },
    ],
    [
      { cmd: 'subscribe', messageId: 9, subscriptions: [{ topic: 'a/#', qos: 1 }] },
      { packet: 'subscribe', id: 9, topics: [{ topic: 'a/#', qos: 1 }] },
    ],
    [
      { cmd: 'puback', messageId: 7 },
      { packet: 'puback', id: 7 },
    ],
    [{ cmd: 'pingreq' }, { packet: 'pingreq' }],
    [{ cmd: 'disconnect' }, { packet: 'disconnect' }],
  ])('%o as its own library writes it is read', (packet, value) => {
    const bytes = mqttPacket.generate(packet as Parameters<typeof mqttPacket.generate>[0]);
    expect(ofBytes(bytes, { subprotocol: 'mqtt' })).toMatchObject({ name: 'mqtt', value });
  });

  it('reads a long batch of publications quickly, each payload in its turn as far as that goes', () => {
    const publish = Buffer.concat([Uint8Array.of(0x30, 11, 0, 1, 97), Buffer.from('{"a":12}')]);
    const { value } = ofBytes(Buffer.alloc(60_000 * publish.length, publish), { subprotocol: 'mqtt' });
    const packets = value as Record<string, unknown>[];
    expect(packets[200]).toMatchObject({ topic: 'a', payload: { a: 12 }, payloadAs: 'json' });
    expect(packets[1999]).toMatchObject({ topic: 'a', payload: { $bytes: expect.anything() as unknown } });
    expect(packets).toHaveLength(2001);
    expect(packets[2000]).toHaveProperty('rest');
  });

  it('reads several packets of one frame, and version 5 without properties', () => {
    const publish = { cmd: 'publish' as const, topic: 't', payload: 'on', qos: 0 as const, dup: false, retain: false };
    const bytes = Buffer.concat([
      mqttPacket.generate(publish, { protocolVersion: 5 }),
      mqttPacket.generate({ cmd: 'pingreq' }),
    ]);
    expect(ofBytes(bytes, { subprotocol: 'mqtt' })).toMatchObject({
      summary: 'publish t; pingreq',
      value: [{ topic: 't', payload: 'on' }, { packet: 'pingreq' }],
    });
  });
});

describe('protocols on text', () => {
  it('STOMP frames are read, with their escapes and the body inside', () => {
    expect(ofText('MESSAGE\ndestination:/q/a\nkey:a\\cb\\n\n\n{"x":1}\0\n')).toMatchObject({
      name: 'stomp',
      summary: 'MESSAGE /q/a {x: 1}',
      value: {
        command: 'MESSAGE',
        headers: [
          ['destination', '/q/a'],
          ['key', 'a:b\n'],
        ],
        body: { x: 1 },
        bodyAs: 'json',
      },
    });
    expect(ofText('\n', { subprotocol: 'v12.stomp' })).toMatchObject({ name: 'stomp', summary: 'heart-beat' });
    expect(ofText('SEND more words').name).toBe('text');
  });

  it('SignalR records are read', () => {
    expect(ofText('{"protocol":"json","version":1}\x1e')).toMatchObject({ name: 'signalr', summary: 'handshake' });
    expect(ofText('{"type":1,"target":"Send","invocationId":"3","arguments":[]}\x1e{"type":6}\x1e')).toMatchObject({
      name: 'signalr',
      summary: 'invocation Send #3; ping',
      value: [{ target: 'Send' }, { type: 6 }],
    });
    expect(ofText('words\x1e').name).toBe('text');
  });

  it('graphql-ws messages are read', () => {
    const subprotocol = 'graphql-transport-ws';
    expect(ofText('{"id":"1","type":"subscribe","payload":{"query":"{ a }"}}', { subprotocol })).toMatchObject({
      name: 'graphql-ws',
      summary: 'subscribe 1 { a }',
    });
    expect(ofText('{"type":"connection_init"}').name).toBe('graphql-ws');
    expect(ofText('{"type":"ping"}').name).toBe('json');
    expect(ofText('{"type":"ping"}', { subprotocol }).name).toBe('graphql-ws');
  });
});

describe('hostile payloads', () => {
  const within = (bytes: Uint8Array, context: DecodeContext): Decoded => {
    const cpu = process.cpuUsage();
    const decoded = decode(bytes, context);
    const { user } = process.cpuUsage(cpu);
    expect(user / 1000).toBeLessThan(1500);
    expect(JSON.stringify(decoded).length).toBeLessThan(8_000_000);
    return decoded;
  };

  it.each<[string, Uint8Array]>([
    ['a megabyte of noise', new Uint8Array(randomBytes(1 << 20))],
    [
      'MQTT publications without end',
      Buffer.alloc(990_000, Buffer.concat([Uint8Array.of(0x30, 11, 0, 1, 97), Buffer.from('{"a":12}')])),
    ],
    ['10 MB in one line', Buffer.alloc(10_000_000, 'x')],
    ['deep JSON', Buffer.from('['.repeat(400_000) + ']'.repeat(400_000))],
    [
      'deep JSON in strings',
      Buffer.from(Array.from({ length: 12 }).reduce<string>((inner) => JSON.stringify([inner]), '[1]')),
    ],
    ['wide JSON', Buffer.from(`[${'1,'.repeat(400_000)}1]`)],
    ['JSON with big numbers', Buffer.from(`[${'1234567890123456789,'.repeat(50_000)}1]`)],
    ['open quotes', Buffer.from('{"'.repeat(500_000))],
    ['deep MessagePack arrays', Buffer.alloc(1 << 20, 0x91)],
    ['MessagePack arrays that claim to be huge', Buffer.alloc(1 << 20, Buffer.from('dd00030000', 'hex'))],
    ['deep CBOR arrays', Buffer.alloc(1 << 20, 0x9f)],
    ['CBOR tags on tags', Buffer.alloc(1 << 20, 0xc6)],
    ['deep protobuf groups', Buffer.alloc(1 << 20, 0x0b)],
    ['many protobuf fields', Buffer.alloc(1 << 20, Buffer.from([8, 1]))],
    ['many long numbers', Buffer.alloc(1 << 20, Buffer.from('08ffffffffffffffffff01', 'hex'))],
    ['many STOMP headers', Buffer.from(`SEND\n${'a:b\n'.repeat(200_000)}\n\0`)],
    ['many records', Buffer.from('{}\x1e'.repeat(300_000))],
    ['many packets', Buffer.alloc(1 << 20, Buffer.from([0xc0, 0]))],
  ])('are decoded in bounded time and space: %s', (_, bytes) => {
    for (const hint of [undefined, ...DECODER_NAMES]) within(bytes, { opcode: 2, ...(hint && { hint }) });
    within(bytes, { opcode: 1, subprotocol: 'mqtt', url: '/socket.io/' });
  });

  it('never make a decoder throw, whatever it is told', () => {
    const start = fc.constantFrom(
      '',
      '42["',
      '{"type":"',
      'SEND\n',
      '\x93',
      '\xa3',
      '\x10\x0c\0\x04MQTT',
      '0{',
      '4',
      '\xd9\xd9\xf7',
      '451-',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 300 }),
          fc
            .tuple(start, fc.string({ unit: 'binary' }))
            .map(([a, b]) => Buffer.concat([Buffer.from(a, 'latin1'), Buffer.from(b)])),
        ),
        fc.constantFrom(undefined, ...DECODER_NAMES),
        fc.constantFrom(0, 1, 2, 9),
        (bytes, hint, opcode) => {
          const decoded = decode(bytes, { opcode, ...(hint && { hint }) });
          expect(DECODER_NAMES).toContain(decoded.name);
          expect(() => JSON.stringify(decoded.value)).not.toThrow();
          expect(decoded.summary).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u);
        },
      ),
      { numRuns: 5000 },
    );
  });
});

describe('the choice of a decoder', () => {
  it('sticks to URL and direction, for so many of them', () => {
    const sticky = new StickyDecoders(2);
    sticky.remember('ws://a/', 'client-to-server', 'cbor');
    sticky.remember('ws://a/', 'server-to-client', 'json');
    expect(sticky.hintFor('ws://a/', 'client-to-server')).toBe('cbor');
    sticky.remember('ws://b/', 'client-to-server', 'text');
    expect(sticky.hintFor('ws://a/', 'client-to-server')).toBeUndefined();
    expect(sticky.hintFor('ws://a/', 'server-to-client')).toBe('json');
  });
});

/** JSON as the decoders show it: -0 is 0 there, and keys that mean something to them are pairs. */
function simple(value: DecodedValue): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, part: unknown) => {
      if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
      if ('$map' in part && Object.keys(part).length === 1) return part;
      const keys = Object.keys(part);
      return keys.some((key) => key.startsWith('$') || key === '__proto__')
        ? { $map: keys.map((key) => [key, (part as Record<string, unknown>)[key]]) }
        : part;
    }),
  );
}
