import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Server, Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ClientOptions, type ServerOptions, WebSocket, WebSocketServer } from 'ws';
import type { Direction } from '../../src/contract/frame.ts';
import type { SessionDetail } from '../../src/contract/session.ts';
import { payloadBytes, readCapture } from '../helpers/exported-capture.ts';
import { certificate, type Modes, startModes, targetOf, type Way, WAYS } from '../helpers/ways.ts';

/** What one end sent. */
interface Sent {
  readonly data: Buffer;
  readonly binary: boolean;
}
/** Two `ws` ends with the proxy between them. */
interface Pair {
  readonly client: WebSocket;
  readonly server: WebSocket;
  /** What each end got, in order. */
  readonly clientGot: Sent[];
  readonly serverGot: Sent[];
  session(): Promise<SessionDetail>;
  /** Closes from the client, and waits until both have closed and the capture knows. */
  finish(): Promise<SessionDetail>;
}

const servers: Server[] = [];
const waiting = new Map<string, { readonly options: ServerOptions; readonly accept: (server: WebSocket) => void }>();
let modes: Modes;

async function serve(server: Server): Promise<number> {
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    const { options, accept } = waiting.get(request.url ?? '') ?? {};
    if (options === undefined || accept === undefined) {
      socket.destroy();
      return;
    }
    const ws = new WebSocketServer({ noServer: true, ...options });
    ws.handleUpgrade(request, socket, head, (accepted) => accept(accepted));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  servers.push(server);
  return (server.address() as AddressInfo).port;
}

beforeAll(async () => {
  const { certificatePem: cert, keyPem: key } = certificate;
  modes = await startModes({
    plain: await serve(createHttpServer()),
    secure: await serve(createHttpsServer({ cert, key })),
  });
});
afterAll(async () => {
  await modes.stop();
  for (const server of servers) server.close();
});

let paths = 0;

async function open(
  way: Way,
  options: { readonly server?: ServerOptions; readonly client?: ClientOptions; readonly subprotocols?: string[] } = {},
): Promise<Pair> {
  const path = `/pair-${++paths}`;
  const clientGot: Sent[] = [];
  const serverGot: Sent[] = [];
  const accepted = new Promise<WebSocket>((resolve) => {
    waiting.set(path, {
      options: options.server ?? {},
      accept(server) {
        server.on('message', (data: Buffer, binary) => serverGot.push({ data, binary }));
        resolve(server);
      },
    });
  });
  const { socket } = await way.connect(modes);
  const client = new WebSocket(`ws://127.0.0.1:${modes.ports.plain}${path}`, options.subprotocols ?? [], {
    ...options.client,
    createConnection: () => socket,
    finishRequest(request) {
      request.path = targetOf(way, modes, path);
      request.end();
    },
  });
  client.on('message', (data: Buffer, binary) => clientGot.push({ data, binary }));
  client.on('error', () => undefined);
  await once(client, 'open');
  const server = await accepted;
  server.on('error', () => undefined);
  const app = way.app(modes);
  const session = async (state?: 'closed'): Promise<SessionDetail> => {
    const found = await app.waitForSession(
      (one) => one.url.endsWith(path) && (state === undefined || one.state === state),
    );
    return app.session(found.id);
  };
  return {
    client,
    server,
    clientGot,
    serverGot,
    session: () => session(),
    async finish() {
      if (client.readyState === WebSocket.OPEN) client.close(1000, 'done');
      const open = [client, server].filter((end) => end.readyState !== WebSocket.CLOSED);
      await Promise.all(open.map((end) => once(end, 'close')));
      return session('closed');
    },
  };
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const told = (messages: readonly Sent[]): string[] =>
  messages.map(({ data, binary }) => `${binary ? 'binary' : 'text'} ${data.length} ${sha256(data)}`);

function say(socket: WebSocket, messages: readonly Sent[]): void {
  for (const { data, binary } of messages) socket.send(data, { binary });
}
async function heard(got: readonly Sent[], count: number, socket: WebSocket): Promise<void> {
  while (got.length < count) await once(socket, 'message');
}

/** The session's export is valid, and its messages are those that were sent. */
async function expectCaptured(
  way: Way,
  session: SessionDetail,
  sent: Readonly<Record<Direction, readonly Sent[]>>,
): Promise<void> {
  const answer = await way.app(modes).fetch(`/api/export?format=json&session=${session.id}`);
  const [exported] = readCapture(await answer.text()).sessions;
  expect(exported?.frameCount).toBe(session.frameCount);
  const messages = exported?.messages ?? [];
  for (const direction of ['client-to-server', 'server-to-client'] as const) {
    const captured = messages.filter((one) => one.direction === direction);
    const shown = captured.map(({ type, payloadLength, payload }) => {
      const bytes = payloadBytes(payload) ?? Buffer.alloc(0);
      return `${type} ${String(payloadLength)} ${sha256(bytes)}`;
    });
    const expected = sent[direction].map(({ data, binary }) => {
      // What is longer than 8 MiB is shown up to there.
      const visible = data.subarray(0, 8 << 20);
      return `${binary ? 'binary' : 'text'} ${data.length} ${sha256(visible)}`;
    });
    expect(shown).toEqual(expected);
  }
}

const text = (content: string): Sent => ({ data: Buffer.from(content), binary: false });
const bytes = (content: Buffer): Sent => ({ data: content, binary: true });
const lines = Array.from({ length: 400 }, (_, i) => `Line ${i} of what both ends say, with characters: żółć 𝄞.`);
const CONVERSATION: readonly Sent[] = [
  text('hello'),
  text(''),
  text(lines.join('\n')),
  bytes(Buffer.alloc(70_000, 'again and again ')),
  bytes(randomBytes(40_000)),
  text(lines.slice(0, 50).join('\n')),
];

/** Both ends say it at once; everything arrives, and is in the capture. */
async function converse(way: Way, pair: Pair): Promise<SessionDetail> {
  const answers = CONVERSATION.toReversed();
  say(pair.client, CONVERSATION);
  say(pair.server, answers);
  await Promise.all([
    heard(pair.serverGot, CONVERSATION.length, pair.server),
    heard(pair.clientGot, answers.length, pair.client),
  ]);
  expect(told(pair.serverGot)).toEqual(told(CONVERSATION));
  expect(told(pair.clientGot)).toEqual(told(answers));
  const session = await pair.finish();
  expect(session.violations).toEqual([]);
  expect(session.close).toMatchObject({ by: 'client', code: 1000, reason: 'done', clean: true });
  await expectCaptured(way, session, { 'client-to-server': CONVERSATION, 'server-to-client': answers });
  return session;
}

const BITS = [8, 9, 10, 11, 12, 13, 14, 15];
/** Every parameter of RFC 7692 §7.1, as `ws` may be told to negotiate it; with what is agreed on then. */
const DEFLATE: readonly { readonly client: object; readonly server: object; readonly agreed: RegExp }[] = [
  { client: {}, server: {}, agreed: /^permessage-deflate$/ },
  { client: {}, server: { clientNoContextTakeover: true }, agreed: /client_no_context_takeover/ },
  { client: {}, server: { serverNoContextTakeover: true }, agreed: /server_no_context_takeover/ },
  {
    client: { serverNoContextTakeover: true, clientNoContextTakeover: true },
    server: { serverNoContextTakeover: true, clientNoContextTakeover: true },
    agreed: /(client|server)_no_context_takeover.*(client|server)_no_context_takeover/,
  },
  ...BITS.map((bits) => ({
    client: {},
    server: { serverMaxWindowBits: bits },
    agreed: new RegExp(`server_max_window_bits=${bits}`),
  })),
  ...BITS.map((bits) => ({
    client: {},
    server: { clientMaxWindowBits: bits },
    agreed: new RegExp(`client_max_window_bits=${bits}`),
  })),
  {
    client: { serverMaxWindowBits: 10 },
    server: { serverMaxWindowBits: 10, clientMaxWindowBits: 9, serverNoContextTakeover: true },
    agreed: /server_max_window_bits=10; client_max_window_bits=9; server_no_context_takeover/,
  },
];

describe.each(WAYS)('ws talks to ws through the proxy: $name', (way) => {
  it('without compression, and the subprotocol that the server chooses is chosen', async () => {
    const pair = await open(way, {
      subprotocols: ['chat.v1', 'chat.v2'],
      server: { handleProtocols: (offered) => (offered.has('chat.v2') ? 'chat.v2' : false) },
      client: { perMessageDeflate: false },
    });
    expect([pair.client.protocol, pair.server.protocol, pair.client.extensions]).toEqual(['chat.v2', 'chat.v2', '']);
    const session = await converse(way, pair);
    expect(session).toMatchObject({ subprotocol: 'chat.v2', extensions: null });
  });

  it('with each way to negotiate compression', async () => {
    await Promise.all(
      DEFLATE.map(async ({ client, server, agreed }) => {
        const pair = await open(way, {
          client: { perMessageDeflate: { threshold: 0, ...client } },
          server: { perMessageDeflate: { threshold: 0, ...server } },
        });
        const session = await converse(way, pair);
        expect(session.extensions).toMatch(agreed);
      }),
    );
  });

  it.each([false, true])('in fragments with pings between them, compressed: %s', async (compressed) => {
    const perMessageDeflate = compressed && { threshold: 0 };
    const pair = await open(way, { client: { perMessageDeflate }, server: { perMessageDeflate } });
    const pings: string[] = [];
    for (const end of [pair.client, pair.server]) end.on('ping', (data: Buffer) => pings.push(data.toString()));
    for (const end of [pair.client, pair.server]) {
      for (const [at, line] of lines.entries()) {
        end.send(line, { fin: at === lines.length - 1 });
        if (at % 100 === 0) end.ping(`ping ${at}`);
      }
      end.send(randomBytes(0), { fin: false, binary: true });
      end.send(Buffer.alloc(100_000, 1), { fin: true });
    }
    await Promise.all([heard(pair.serverGot, 2, pair.server), heard(pair.clientGot, 2, pair.client)]);
    const sent = [text(lines.join('')), bytes(Buffer.alloc(100_000, 1))];
    expect(told(pair.serverGot)).toEqual(told(sent));
    expect(told(pair.clientGot)).toEqual(told(sent));
    expect(pings.sort()).toEqual([0, 0, 100, 100, 200, 200, 300, 300].map((at) => `ping ${at}`));
    const session = await pair.finish();
    expect(session.violations).toEqual([]);
    await expectCaptured(way, session, { 'client-to-server': sent, 'server-to-client': sent });
  });

  it('in a storm of pings, each answered once and by nobody else', async () => {
    // On its own `ws` would take so many for an attack.
    const patient: object = { maxPendingAutoPongs: 0 };
    const pair = await open(way, { client: patient, server: patient });
    const count = 1000;
    const sent = Array.from({ length: count }, (_, i) => `${i} ${'.'.repeat(i % 120)}`);
    const seen = { client: [] as string[], server: [] as string[] };
    const answered = { client: [] as string[], server: [] as string[] };
    for (const end of ['client', 'server'] as const) {
      pair[end].on('ping', (data: Buffer) => seen[end].push(data.toString()));
      pair[end].on('pong', (data: Buffer) => answered[end].push(data.toString()));
      for (const payload of sent) pair[end].ping(payload);
    }
    for (const end of ['client', 'server'] as const) {
      while (answered[end].length < count) await once(pair[end], 'pong');
    }
    const session = await pair.finish();
    for (const end of ['client', 'server'] as const) {
      expect(seen[end]).toEqual(sent);
      expect(answered[end]).toEqual(sent);
    }
    // Pings and pongs both ways, and two close frames.
    expect(session.frameCount).toBe(4 * count + 2);
  });

  it('with 16 MiB in one message, both ways at once', async () => {
    const pair = await open(way, { client: { perMessageDeflate: false } });
    const big = randomBytes(1 << 20);
    const message = bytes(Buffer.concat(Array.from({ length: 16 }, () => big)));
    say(pair.client, [message]);
    say(pair.server, [message]);
    await Promise.all([heard(pair.serverGot, 1, pair.server), heard(pair.clientGot, 1, pair.client)]);
    expect(told(pair.serverGot)).toEqual(told([message]));
    expect(told(pair.clientGot)).toEqual(told([message]));
    const session = await pair.finish();
    expect([session.clientToServer.bytes, session.serverToClient.bytes].every((n) => n >= 16 << 20)).toBe(true);
    const app = way.app(modes);
    const answer = await app.fetch(`/api/sessions/${session.id}/frames/0/payload`);
    expect(sha256(Buffer.from(await answer.arrayBuffer()))).toBe(sha256(message.data));
    await app.fetch(`/api/sessions/${session.id}`, { method: 'DELETE' });
  });

  it('with 5,000 small messages each way at once, none lost and in order', async () => {
    const pair = await open(way, {
      client: { perMessageDeflate: false },
      server: { perMessageDeflate: false },
    });
    const sent = Array.from({ length: 5000 }, (_, i) => (i % 3 === 0 ? bytes(Buffer.of(i, i >> 8)) : text(`no. ${i}`)));
    say(pair.client, sent);
    say(pair.server, sent);
    await Promise.all([
      heard(pair.serverGot, sent.length, pair.server),
      heard(pair.clientGot, sent.length, pair.client),
    ]);
    expect(sha256(Buffer.from(told(pair.serverGot).join()))).toBe(sha256(Buffer.from(told(sent).join())));
    expect(sha256(Buffer.from(told(pair.clientGot).join()))).toBe(sha256(Buffer.from(told(sent).join())));
    const session = await pair.finish();
    expect(session.violations).toEqual([]);
    await expectCaptured(way, session, { 'client-to-server': sent, 'server-to-client': sent });
  });

  it('and one of them closes while the other is still talking', async () => {
    const pair = await open(way);
    const sent = Array.from({ length: 200 }, (_, i) => text(`no. ${i}`));
    pair.server.once('message', () => pair.server.close(4001, 'enough'));
    say(pair.client, sent);
    const [code, reason] = (await once(pair.client, 'close')) as [number, Buffer];
    expect([code, reason.toString()]).toEqual([4001, 'enough']);
    const session = await pair.finish();
    expect(session.close).toMatchObject({ by: 'server', code: 4001, reason: 'enough', clean: true });
    await expectCaptured(way, session, { 'client-to-server': sent, 'server-to-client': [] });
  });

  it.each(['client', 'server'] as const)('and the %s terminates: the other sees 1006', async (who) => {
    const pair = await open(way);
    say(pair.client, [text('last words')]);
    await heard(pair.serverGot, 1, pair.server);
    const [one, other] = who === 'client' ? [pair.client, pair.server] : [pair.server, pair.client];
    const closed = once(other, 'close') as Promise<[number, Buffer]>;
    one.terminate();
    expect((await closed)[0]).toBe(1006);
    const session = await pair.finish();
    expect(session.close).toMatchObject({ by: who, code: null, clean: false });
    expect(session.close?.clientFrame ?? session.close?.serverFrame).toBeNull();
  });

  it.each(['client', 'server'] as const)(
    'and the %s ends its side only: what comes back still arrives',
    async (who) => {
      const pair = await open(way, { client: { perMessageDeflate: false } });
      const [one, other] = who === 'client' ? [pair.client, pair.server] : [pair.server, pair.client];
      const got = who === 'client' ? pair.clientGot : pair.serverGot;
      const transport = (one as unknown as { _socket: Socket })._socket;
      const answer = bytes(Buffer.alloc(3_000_000, 5));
      say(other, [answer]);
      transport.end();
      await heard(got, 1, one);
      expect(told(got)).toEqual(told([answer]));
      const session = await pair.finish();
      expect(session.close).toMatchObject({ by: who, code: null, clean: false, how: 'fin' });
      expect(session.close?.[`${who}Ending`]).toBe('fin');
    },
  );
});
