import type { Decoder, Decoding } from './decoder.ts';
import { readJson } from './json.ts';
import type { DecodedValue } from '../contract/decoded.ts';
import { summaryOf, summaryOfValue } from './value.ts';

const ENGINE = ['open', 'close', 'ping', 'pong', 'message', 'upgrade', 'noop'] as const;
const PACKET = ['connect', 'disconnect', 'event', 'ack', 'connect_error', 'binary_event', 'binary_ack'] as const;

/**
 * Engine.IO protocol 4 (https://socket.io/docs/v4/engine-io-protocol/) with Socket.IO protocol 5 inside of it.
 * Short frames like "2" mean something only where the URL says so.
 */
export const socketIo: Decoder = {
  name: 'socket.io',
  decode({ text, isText, url }) {
    if (text === null || !isText) return null;
    const kind = ENGINE[text.charCodeAt(0) - 48];
    if (kind === undefined) return null;
    const byUrl = /[?&]EIO=\d|\/socket\.io\//.test(url);
    const rest = text.slice(1);
    if (kind === 'message') return packet(rest, byUrl);
    const value = rest === '' ? undefined : (readJson(rest) ?? rest);
    const open = kind === 'open' && typeof value === 'object' && value !== null && 'sid' in value;
    const bare = rest === '' || rest === 'probe';
    if (!open && !bare) return null;
    return {
      score: byUrl ? 0.98 : open ? 0.9 : rest === 'probe' ? 0.6 : 0.2,
      summary: summaryOf(`${kind} ${rest}`),
      value: { engine: kind, ...(value === undefined ? {} : { data: value }) },
    };
  },
};

/** A namespace is short: what is longer than this before the data is no packet. */
export const BINARY_HEAD_BYTES = 1024;
const BINARY_HEAD = /^4[56](\d{1,4})-(?:\/[^,]*,)?\d{0,15}\[/;

/**
 * How many binary messages follow this one and belong to it (socket.io-protocol, "Packet encoding"); 0 for any other.
 * @param text the start of a text message
 */
export function attachmentCount(text: string): number {
  return Number(BINARY_HEAD.exec(text)?.[1] ?? 0);
}

/** Whether it may stand between a packet and its attachments: Engine.IO's own ping, pong and noop. */
export const isEngineBeat = (text: string): boolean => /^[236](?:probe)?$/.test(text);

const HEAD = /^([0-6])(?:(\d{1,4})-)?(\/[^,]*,)?(\d{1,15})?/;

function packet(text: string, byUrl: boolean): Decoding | null {
  const head = HEAD.exec(text);
  if (head === null) {
    return byUrl
      ? { score: 0.9, summary: summaryOf(`message ${text}`), value: { engine: 'message', data: text } }
      : null;
  }
  const [whole, type = '', attachments, namespace, id] = head;
  const rest = text.slice(whole.length);
  const data = rest === '' ? undefined : readJson(rest);
  if (rest !== '' && data === undefined) return null;
  const kind = PACKET[Number(type)] as (typeof PACKET)[number];
  const isEvent = Array.isArray(data) && typeof data[0] === 'string';
  if (kind.endsWith('event') && !isEvent) return null;
  const value: Record<string, DecodedValue> = {
    engine: 'message',
    packet: kind,
    namespace: namespace?.slice(0, -1) ?? '/',
  };
  if (id !== undefined) value['id'] = Number(id);
  if (attachments !== undefined) value['attachments'] = Number(attachments);
  if (data !== undefined) value['data'] = data;
  const ackId = id === undefined ? '' : ` #${id}`;
  return {
    score: byUrl ? 0.98 : isEvent || Array.isArray(data) ? 0.9 : 0.25,
    summary: summaryOf(`${kind}${ackId}${data === undefined ? '' : ` ${summaryOfValue(data)}`}`),
    value,
  };
}
