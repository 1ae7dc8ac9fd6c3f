import { ByteReader, DecodeFailure } from './byte-reader.ts';
import type { Decoder, Payload } from './decoder.ts';
import type { DecodedValue } from '../contract/decoded.ts';
import { bytesValue, summaryOf } from './value.ts';

const NAMES = [
  ...['', 'connect', 'connack', 'publish', 'puback', 'pubrec', 'pubrel', 'pubcomp'],
  ...['subscribe', 'suback', 'unsubscribe', 'unsuback', 'pingreq', 'pingresp', 'disconnect', 'auth'],
];

/** Some 10 ms' work. */
const MAX_PACKETS = 2000;

type Packet = Record<string, DecodedValue>;

/** MQTT 3.1, 3.1.1 and 5 (OASIS): the packets of one frame. Passwords are not shown. */
export const mqtt: Decoder = {
  name: 'mqtt',
  decode(payload) {
    const { bytes, isText, subprotocol } = payload;
    if (isText || bytes.length < 2) return null;
    const reader = new ByteReader(bytes);
    const packets: Packet[] = [];
    while (reader.left > 0 && packets.length < MAX_PACKETS) packets.push(packet(reader, payload));
    if (reader.left > 0) packets.push({ rest: bytesValue(reader.rest()) });
    const connects = packets[0]?.['packet'] === 'connect';
    return {
      score: /^mqtt/.test(subprotocol) ? 0.97 : connects ? 0.9 : 0.02,
      summary: summaryOf(packets.slice(0, 5).map(describe).join('; ')),
      value: packets.length === 1 ? (packets[0] as Packet) : packets,
    };
  },
};

function packet(reader: ByteReader, payload: Payload): Packet {
  reader.count();
  const head = reader.u8();
  const type = head >> 4;
  const flags = head & 15;
  const name = NAMES[type];
  if (name === undefined || name === '') throw new DecodeFailure('no packet type');
  const body = new ByteReader(reader.take(variableLength(reader)));
  const packet: Packet = { packet: name };
  if (type === 1) return { ...packet, ...connect(body) };
  if (type === 3) return { ...packet, ...publish(body, flags, payload) };
  if (type === 12 || type === 13) {
    if (body.left > 0 || flags !== 0) throw new DecodeFailure('a ping carries nothing');
    return packet;
  }
  if (flags !== (type === 6 || type === 8 || type === 10 ? 2 : 0)) throw new DecodeFailure('reserved flags');
  if (type === 2) return { ...packet, sessionPresent: body.u8() === 1, code: body.u8(), ...more(body) };
  if (type < 14 && body.left >= 2) packet['id'] = body.u16();
  if (type === 8 || type === 10) return { ...packet, ...filters(body, type === 8) };
  if (type === 9) return { ...packet, ...more(body) };
  if (body.left > 0) packet['code'] = body.u8();
  return { ...packet, ...more(body) };
}

/** MQTT 5 §1.5.5: seven bits a byte, four bytes at most. */
function variableLength(reader: ByteReader): number {
  let length = 0;
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = reader.u8();
    length |= (byte & 127) << shift;
    if (byte < 128) return length;
  }
  throw new DecodeFailure('a length of more than four bytes');
}

const string = (reader: ByteReader): string => reader.text(reader.u16());
const more = (reader: ByteReader): Packet => (reader.left === 0 ? {} : { rest: bytesValue(reader.rest()) });

function connect(body: ByteReader): Packet {
  const protocol = string(body);
  if (protocol !== 'MQTT' && protocol !== 'MQIsdp') throw new DecodeFailure('no protocol name');
  const version = body.u8();
  const flags = body.u8();
  const keepAliveSeconds = body.u16();
  if (version >= 5) body.take(variableLength(body));
  const client = string(body);
  const shown: Packet = { protocol, version, client, keepAliveSeconds, clean: (flags & 2) !== 0 };
  if ((flags & 4) !== 0) {
    if (version >= 5) body.take(variableLength(body));
    shown['will'] = { topic: string(body), payload: bytesValue(body.take(body.u16())), qos: (flags >> 3) & 3 };
  }
  if ((flags & 0x80) !== 0) shown['username'] = string(body);
  if ((flags & 0x40) !== 0) shown['password'] = { $cut: `${body.take(body.u16()).length} bytes` };
  return shown;
}

function publish(body: ByteReader, flags: number, payload: Payload): Packet {
  const qos = (flags >> 1) & 3;
  if (qos === 3) throw new DecodeFailure('no quality of service');
  const shown: Packet = { topic: string(body), qos, retain: (flags & 1) !== 0, duplicate: (flags & 8) !== 0 };
  if (qos > 0) shown['id'] = body.u16();
  // In MQTT 5 properties follow, most often none; the version stands in another frame, and a payload with a NUL first is rare.
  if (body.left > 0 && body.bytes[body.at] === 0) body.u8();
  if (body.left === 0) return shown;
  const rest = body.rest();
  const decoded = payload.inner(rest);
  return decoded === null
    ? { ...shown, payload: bytesValue(rest) }
    : { ...shown, payload: decoded.value, payloadAs: decoded.name };
}

function filters(body: ByteReader, withOptions: boolean): Packet {
  if (body.left > 2 && body.bytes[body.at] === 0 && body.bytes[body.at + 1] === 0) body.u8();
  const topics: DecodedValue[] = [];
  while (body.left > 0) {
    body.count();
    const topic = string(body);
    topics.push(withOptions ? { topic, qos: body.u8() & 3 } : { topic });
  }
  return { topics };
}

function describe(packet: Packet): string {
  const { packet: name, topic, client, topics } = packet;
  const about = topic ?? client ?? (Array.isArray(topics) ? `${topics.length} topics` : '');
  return [name, about]
    .filter((word) => typeof word === 'string')
    .join(' ')
    .trim();
}
