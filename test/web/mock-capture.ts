import { FrameBit } from '../../src/contract/frame-bits.ts';
import * as word from '../../src/contract/frame-bits.ts';
import type { FrameRow } from '../../src/contract/frame.ts';
import { LIVE_HEADER_BYTES, LIVE_MAGIC, LIVE_PREVIEW_BYTES, LIVE_ROW_BYTES } from '../../src/contract/live.ts';
import type { MessageRow } from '../../src/contract/message.ts';
import { previewBytes } from '../../src/contract/preview.ts';
import type { CloseRecord, SessionDetail, SessionSummary } from '../../src/contract/session.ts';
import { isoMicros } from '../../src/contract/time.ts';
import { ViolationBit, violationCodes } from '../../src/contract/violations.ts';

/** Everything here follows from session and frame numbers alone: a million frames take no memory. */
const text = (value: unknown): Uint8Array =>
  new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));
const KEY = 0x37fa213d;

export function fakePayload(index: number): Uint8Array {
  switch (index % 17) {
    case 3:
      return Uint8Array.from({ length: 64 + (index % 200) }, (_, at) => (at * 37 + index) & 255);
    case 5:
    case 6:
      return text('ping');
    case 7:
      return text(`{"op":"fragment one of ${index}", "some":`);
    case 8:
      return text('"and the middle part of it",');
    case 9:
      return text('"end":true}');
    case 11:
      return text(`evil \u202eRTL\u202c <img src=x onerror=alert(1)> \u0000 end ${index}`);
    case 13:
      return index % 4 === 0 ? Uint8Array.of(0x03) : text({ op: 'ack', id: index, ok: true });
    default:
      return text({
        op: index % 2 === 0 ? 'subscribe' : 'tick',
        ch: 'btc-usd',
        n: index,
        price: 64_123.5 + (index % 100),
        big: 123456789,
        book: Array.from({ length: index % 5 }, (_, at) => ({ bid: at, ask: at + 1 })),
      });
  }
}

export function fakeFrame(index: number): {
  readonly bits: number;
  readonly violations: number;
  readonly payload: Uint8Array;
} {
  const payload = fakePayload(index);
  const kind = index % 17;
  const code =
    kind === 3
      ? 2
      : kind === 5
        ? 9
        : kind === 6
          ? 10
          : kind === 8 || kind === 9
            ? 0
            : kind === 13 && index % 4 === 0
              ? 8
              : 1;
  const down = kind >= 6 && kind !== 10;
  const last = kind !== 7 && kind !== 8;
  const short = payload.length > 125 ? 126 : payload.length;
  const violations =
    code === 8
      ? ViolationBit['close-payload-one-byte']
      : kind === 15 && index % 3 === 0
        ? ViolationBit['rsv-without-extension']
        : 0;
  const bits =
    (last ? 0x80 : 0) |
    (violations !== 0 && code !== 8 ? 0x20 : 0) |
    code |
    (down ? 0 : 0x8000) |
    (short << 8) |
    (down ? FrameBit.ServerToClient : 0) |
    FrameBit.Complete;
  return { bits, violations, payload };
}

const timeUs = (index: number, startedMs: number): number => (startedMs - 60_000) * 1000 + index * 700;

export function fakeRow(index: number, startedMs: number): FrameRow {
  const { bits, violations, payload } = fakeFrame(index);
  return {
    index,
    seq: index + 1,
    time: isoMicros(timeUs(index, startedMs)),
    direction: word.direction(bits),
    fin: word.fin(bits),
    rsv1: word.rsv1(bits),
    rsv2: word.rsv2(bits),
    rsv3: word.rsv3(bits),
    opcode: word.opcode(bits),
    masked: word.masked(bits),
    maskingKey: word.masked(bits) ? KEY.toString(16).padStart(8, '0') : null,
    payloadLength: payload.length,
    heldBytes: payload.length,
    lengthBits: word.lengthBits(bits),
    compressed: word.compressed(bits),
    streamOffset: index * 80,
    complete: true,
    origin: 'peer',
    violations: violationCodes(violations),
    preview: previewBytes(payload, payload.length),
  };
}

export function wireBytes(index: number): Uint8Array {
  const { bits, payload } = fakeFrame(index);
  const head = [bits & 255, (bits >>> 8) & 255];
  if (word.lengthBits(bits) === 16) head.push(payload.length >> 8, payload.length & 255);
  const masked = word.masked(bits);
  const key = [KEY >>> 24, (KEY >>> 16) & 255, (KEY >>> 8) & 255, KEY & 255];
  if (masked) head.push(...key);
  return Uint8Array.from([...head, ...payload.map((byte, at) => (masked ? byte ^ (key[at % 4] ?? 0) : byte))]);
}

/** A live batch of the rows [from, to). */
export function encodeRows(session: number, from: number, to: number, seqBase: number, startedMs: number): Uint8Array {
  const n = Math.max(0, to - from);
  const frames = Array.from({ length: n }, (_, at) => fakeFrame(from + at));
  const previews = frames.map(({ payload }) => payload.subarray(0, LIVE_PREVIEW_BYTES));
  const bytes = new Uint8Array(
    LIVE_HEADER_BYTES + n * LIVE_ROW_BYTES + previews.reduce((sum, each) => sum + each.length, 0),
  );
  const view = new DataView(bytes.buffer);
  view.setUint32(0, LIVE_MAGIC, true);
  view.setUint32(4, n, true);
  let at = LIVE_HEADER_BYTES;
  const f64 = (value: (i: number) => number): void => {
    for (let i = 0; i < n; i += 1, at += 8) view.setFloat64(at, value(i), true);
  };
  const u32 = (value: (i: number) => number): void => {
    for (let i = 0; i < n; i += 1, at += 4) view.setUint32(at, value(i) >>> 0, true);
  };
  f64((i) => seqBase + from + i + 1);
  f64((i) => timeUs(from + i, startedMs));
  f64((i) => frames[i]?.payload.length ?? 0);
  f64((i) => (from + i) * 80);
  u32(() => session);
  u32((i) => from + i);
  u32((i) => frames[i]?.bits ?? 0);
  u32((i) => (word.masked(frames[i]?.bits ?? 0) ? KEY : 0));
  u32((i) => frames[i]?.violations ?? 0);
  let end = 0;
  u32((i) => (end += previews[i]?.length ?? 0));
  for (const preview of previews) {
    bytes.set(preview, at);
    at += preview.length;
  }
  return bytes;
}

const HOSTS = [
  'echo.example',
  'api.exchange.example:8443',
  'localhost:5173',
  'feed.example',
  'chat.internal',
  'push.example',
];
const PATHS = ['/chat', '/v2/stream?symbols=btc,eth', '/', '/socket.io/?EIO=4&transport=websocket', '/graphql', '/rt'];

export function fakeSummary(
  id: number,
  known: {
    readonly frameCount: number;
    readonly firstHeldFrame: number;
    readonly seq: number;
    readonly startedMs: number;
  },
): SessionSummary {
  const state = id <= 2 ? 'open' : id % 7 === 0 ? 'failed' : 'closed';
  const started = (known.startedMs - 60_000 + id) * 1000;
  const { frameCount } = known;
  return {
    id: String(id),
    seq: known.seq,
    url: `${id % 3 === 2 ? 'ws' : 'wss'}://${HOSTS[id % 6] ?? ''}${PATHS[(id * 5) % 6] ?? ''}`,
    mode: 'connect',
    state,
    startedAt: isoMicros(started),
    openedAt: state === 'failed' ? null : isoMicros(started + 40_000),
    closedAt: state === 'open' ? null : isoMicros(started + 9_000_000),
    client: { address: '127.0.0.1', port: 50_000 },
    status: state === 'failed' ? (id % 2 === 0 ? 403 : null) : 101,
    subprotocol: id % 4 === 0 ? 'graphql-ws' : null,
    extensions: id % 3 === 0 ? 'permessage-deflate; client_max_window_bits=15' : null,
    clientToServer: { frames: Math.floor(frameCount * 0.35), bytes: frameCount * 40 },
    serverToClient: { frames: frameCount - Math.floor(frameCount * 0.35), bytes: frameCount * 260 },
    frameCount: state === 'failed' ? 0 : frameCount,
    firstHeldFrame: known.firstHeldFrame,
    violationCount: id % 5 === 1 ? 12 : 0,
    silence:
      state === 'failed'
        ? null
        : {
            since: isoMicros(started + 4_000_000),
            survivedMs: 1_200 + (id % 5) * 300,
            beforeEndMs: state === 'open' ? null : 5_000,
          },
    close: state === 'closed' ? fakeClose(id) : null,
    fault:
      state === 'failed'
        ? {
            by: 'server',
            code: 'upstream-refused-handshake',
            message: id % 2 === 0 ? 'The server answered 403 Forbidden.' : 'The server refuses the connection.',
          }
        : null,
  };
}

function fakeClose(id: number): CloseRecord {
  const clean = id % 4 !== 0;
  return {
    by: id % 2 === 0 ? 'server' : 'client',
    code: clean ? (id % 5 === 0 ? 1008 : 1000) : null,
    reason: clean ? 'done' : '',
    clean,
    how: clean ? 'closing-handshake' : id % 3 === 0 ? 'reset' : 'fin',
    clientFrame: clean ? { code: 1000, reason: 'done', frameIndex: 4 } : null,
    serverFrame: clean ? { code: 1000, reason: '', frameIndex: 5 } : null,
    echoMs: clean ? 12.4 : null,
    clientEnding: clean ? 'fin' : null,
    serverEnding: id % 3 === 0 ? 'reset' : 'fin',
  };
}

export function fakeDetail(summary: SessionSummary): SessionDetail {
  const host = new URL(summary.url).host;
  const request = {
    method: 'GET',
    target: new URL(summary.url).pathname,
    httpVersion: '1.1',
    headers: [
      ['Host', host],
      ['Connection', 'Upgrade'],
      ['Pragma', 'no-cache'],
      ['Upgrade', 'websocket'],
      ['Origin', 'https://app.example'],
      ['Sec-WebSocket-Version', '13'],
      ['Proxy-Connection', 'keep-alive'],
      ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
      ['Sec-WebSocket-Extensions', 'permessage-deflate; client_max_window_bits'],
      ['Sec-WebSocket-Protocol', 'graphql-ws, graphql-transport-ws'],
      ['Cookie', 'sid=abc; theme=dark'],
    ] as const,
  };
  const failed = summary.state === 'failed';
  const response = {
    httpVersion: '1.1',
    status: failed ? 403 : 101,
    reason: failed ? 'Forbidden' : 'Switching Protocols',
    headers: failed
      ? ([
          ['Content-Type', 'text/plain'],
          ['Content-Length', '10'],
        ] as const)
      : ([
          ['Upgrade', 'websocket'],
          ['Connection', 'Upgrade'],
          ['Sec-WebSocket-Accept', 'kWEsZwBKYqTRn6bDNcZWR8UeQFw='],
          ['Sec-WebSocket-Extensions', 'permessage-deflate'],
          ['Set-Cookie', 'hop=1'],
        ] as const),
  };
  return {
    ...summary,
    server: {
      address: '203.0.113.7',
      port: 443,
      tls: {
        version: 'TLSv1.3',
        cipher: 'TLS_AES_128_GCM_SHA256',
        alpn: 'http/1.1',
        certificateSha256: 'ab'.repeat(32),
      },
    },
    clientTls: {
      version: 'TLSv1.3',
      cipher: 'TLS_AES_256_GCM_SHA384',
      alpn: 'http/1.1',
      certificateSha256: 'cd'.repeat(32),
    },
    timingsMs: { dns: 4.2, connect: 18.7, tls: 31.4, upgrade: 22.9, firstFrame: 61.3 },
    handshake: {
      clientRequest: request,
      serverRequest: {
        ...request,
        headers: request.headers
          .filter(([name]) => name !== 'Proxy-Connection')
          .map(([name, value]) => [name, name === 'Sec-WebSocket-Key' ? 'x3JJHMbDL1EzLkh9GBhXDw==' : value] as const),
      },
      serverResponse: {
        ...response,
        headers: response.headers.map(
          ([name, value]) => [name, name === 'Sec-WebSocket-Accept' ? 'HSmrc0sMlYUkAGmm5OPpG2HaGWk=' : value] as const,
        ),
      },
      clientResponse: {
        ...response,
        headers: response.headers.map(
          ([name, value]) => [name, name === 'Sec-WebSocket-Accept' ? 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=' : value] as const,
        ),
      },
    },
    refusalBody: failed ? 'Forbidden\n' : null,
    proof: {
      client: {
        key: 'dGhlIHNhbXBsZSBub25jZQ==',
        expected: 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
        received: 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
        matches: true,
      },
      server: {
        key: 'x3JJHMbDL1EzLkh9GBhXDw==',
        expected: 'HSmrc0sMlYUkAGmm5OPpG2HaGWk=',
        received: 'HSmrc0sMlYUkAGmm5OPpG2HaGWk=',
        matches: true,
      },
    },
    violations:
      summary.violationCount === 0 ? [] : [{ code: 'rsv-without-extension', by: 'server', count: 12, firstFrame: 15 }],
  };
}

export function fakeMessage(index: number, startedMs: number): MessageRow {
  const first = index * 3;
  const { bits, payload } = fakeFrame(first);
  const compressed = index % 3 === 0;
  return {
    index,
    direction: word.direction(bits),
    type: word.opcode(bits) === 2 ? 'binary' : 'text',
    firstFrame: first,
    lastFrame: first + (index % 4 === 0 ? 2 : 0),
    frameCount: index % 4 === 0 ? 3 : 1,
    time: isoMicros(timeUs(first, startedMs)),
    compressed,
    complete: true,
    wireLength: compressed ? Math.ceil(payload.length / 3.4) : payload.length,
    payloadLength: payload.length,
    violations: [],
    preview: previewBytes(payload, payload.length),
  };
}
