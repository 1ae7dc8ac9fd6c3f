import { Opcode, type FrameRow } from '../../../src/contract/frame.ts';

/** `ping`: the frames of RFC 6455 §5.5.2; else what a protocol above it, or an application, uses as one. */
export type BeatKind = 'ping' | 'engine.io' | 'mqtt' | 'stomp' | 'signalr' | 'message';

/** What a frame says as a part of a heartbeat. */
export interface PingSign {
  readonly kind: BeatKind;
  /** `beats`: says that it lives, and wants no answer. */
  readonly role: 'asks' | 'answers' | 'beats';
  /** What an answer has in common with what it answers: the payload of a ping frame, else numbers and the like. */
  readonly ids: readonly string[];
}

/** What is spoken in a session, as far as it matters here. */
export interface Spoken {
  readonly subprotocol: string;
  readonly engineIo: boolean;
}

/** Longer messages are not looked at: their preview is not all of them. */
const MAX_MESSAGE_BYTES = 160;
/** Frames that can be part of a heartbeat: asked of the server, so that not every frame need be read. */
export const HEARTBEAT_FILTER = `op:ping or op:pong or (op:binary and len<=8) or (op:text and len<=${MAX_MESSAGE_BYTES} and ${String.raw`text~/^(?:[23](?:probe)?|\r?\n|0\{"sid".*)$|\{"type":6\}|"(?:ka|hb)"|ping|pong|heart.?beat|keep.?alive|phx_reply/i`})`;

/** A word that stands alone as a key or a value of JSON, also of JSON in a text of JSON. */
const WORDS = /\\?"(ping|pong|heart[-_ ]?beat|heart[-_ ]?beat[-_ ]?ack|keep[-_ ]?alive|phx_reply)\\?"/gi;
/** Members by which an answer names what it answers, with a value that has a digit in it. */
const IDS =
  /\\?"(?:id|cid|req_?id|request_?id|ref|reply_to|seq|nonce|ping|pong|ts|time|timestamp|data|payload)\\?"\s*:\s*\\?"?([^"\\,{}[\]]{0,64}\d[^"\\,{}[\]]{0,64})/gi;
/** Phoenix: [join, reference, topic, event, payload]. */
const PHOENIX_ID = /^\[[^,]{0,24},\s*"(\d+)",\s*"phoenix"/;
/** `ping`, `ping 17`, `PING :token`, `primus::pong::1700000000000`, `:server PONG server :token`. */
const BARE =
  /^(?::\S{1,64} )?\W{0,4}(?:primus::)?(ping|pong|heartbeat)\b(?:\W{0,3}|\W{1,3}([\w.-]{0,40}\d[\w.-]{0,40})\W{0,3}|(?: \S{1,64})? :(\S{1,64}))\s*$/i;
/** Of subscriptions-transport-ws and of Bitfinex. */
const KEEP_ALIVE = /^\{"type":\s*"ka"\s*[,}]|^\[\s*\d+\s*,\s*"hb"\s*\]$/;

/** What a frame says as a part of a heartbeat; null where it is none, for all that can be seen. */
export function pingSignOf(row: FrameRow, { subprotocol, engineIo }: Spoken): PingSign | null {
  const { opcode, preview } = row;
  if (opcode === Opcode.Ping || opcode === Opcode.Pong) {
    // Where the payload is not held, the length is all that is known of it.
    const payload = preview === null ? `${row.payloadLength}` : `${preview.encoding} ${preview.data}`;
    return { kind: 'ping', role: opcode === Opcode.Ping ? 'asks' : 'answers', ids: [payload] };
  }
  if (preview === null || preview.truncated) return null;
  const { data } = preview;
  if (opcode === Opcode.Binary) return /^mqtt/i.test(subprotocol) ? mqttSign(data) : null;
  if (opcode !== Opcode.Text) return null;
  if (engineIo) {
    const [packet, type, probe] = /^([23])(probe)?$/.exec(data) ?? [];
    if (packet !== undefined) return sign('engine.io', type === '2' ? 'asks' : 'answers', probe ?? null);
  }
  if (/stomp/i.test(subprotocol) && /^\r?\n$/.test(data)) return sign('stomp', 'beats');
  if (/^\{"type":6\}\u001e$/.test(data)) return sign('signalr', 'beats');
  if (KEEP_ALIVE.test(data)) return sign('message', 'beats');
  return wordSign(data);
}

const sign = (kind: BeatKind, role: PingSign['role'], id: string | null = null): PingSign => ({
  kind,
  role,
  ids: id === null ? [] : [id],
});

/** PINGREQ and PINGRESP (MQTT 5, 3.12 and 3.13). */
function mqttSign(hex: string): PingSign | null {
  if (hex === 'c000') return sign('mqtt', 'asks');
  return hex === 'd000' ? sign('mqtt', 'answers') : null;
}

function wordSign(text: string): PingSign | null {
  const [bare, bareWord = '', number, token] = BARE.exec(text) ?? [];
  if (bare !== undefined) {
    return sign('message', bareWord.toLowerCase() === 'pong' ? 'answers' : 'asks', number ?? token ?? null);
  }
  const words = Array.from(text.matchAll(WORDS), ([, word = '']) => word.toLowerCase());
  if (words.length === 0) return null;
  const phoenix = words.includes('phx_reply');
  if (phoenix && !/"phoenix"/.test(text)) return null;
  const answers = phoenix || words.some((word) => word === 'pong' || word.endsWith('ack'));
  const ids = Array.from(text.matchAll(IDS), ([, id = '']) => id.trim());
  const reference = PHOENIX_ID.exec(text)?.[1];
  return {
    kind: 'message',
    role: answers ? 'answers' : 'asks',
    ids: reference === undefined ? ids : [reference, ...ids],
  };
}

/** What engine.io's first packet announces; null where a text is none. */
export function engineIoOpening(text: string): { readonly intervalMs: number; readonly timeoutMs: number } | null {
  if (!/^0\{"sid"/.test(text)) return null;
  const intervalMs = Number(/"pingInterval":(\d+)/.exec(text)?.[1]);
  const timeoutMs = Number(/"pingTimeout":(\d+)/.exec(text)?.[1]);
  return Number.isNaN(intervalMs) || Number.isNaN(timeoutMs) ? null : { intervalMs, timeoutMs };
}
