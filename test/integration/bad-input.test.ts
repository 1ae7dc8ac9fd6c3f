import { once } from 'node:events';
import { createServer as createHttpServer, get as httpGet, type IncomingMessage } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connect, type AddressInfo, type Server, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import type { SessionSummary } from '../../src/contract/session.ts';
import type { Status } from '../../src/contract/status.ts';
import { type AppRig, startTestApp } from '../helpers/app-rig.ts';
import { openChromium } from '../helpers/chromium.ts';
import { connectRaw, RawPeer, serveRaw, type RawServer } from '../helpers/raw-peer.ts';
import { acceptOf, handshake, startTestProxy, switching } from '../helpers/test-proxy.ts';
import { certificate, type Modes, startModes, untilClosed, WAYS } from '../helpers/ways.ts';

const servers: Server[] = [];
let modes: Modes;
let rig: AppRig;
let raw: RawServer;
const log: { code?: string; msg: string }[] = [];

async function serveEcho(server: Server): Promise<number> {
  new WebSocketServer({ server: server as ReturnType<typeof createHttpServer> }).on('connection', (socket) => {
    socket.on('error', () => undefined);
    socket.on('message', (data, binary) => socket.send(data, { binary }));
  });
  server.on('request', (_: IncomingMessage, response: { end(body: string): void }) => response.end('<p>a page'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  servers.push(server);
  return (server.address() as AddressInfo).port;
}

beforeAll(async () => {
  const { certificatePem: cert, keyPem: key } = certificate;
  modes = await startModes({
    plain: await serveEcho(createHttpServer()),
    secure: await serveEcho(createHttpsServer({ cert, key })),
  });
  const write = (line: string): void => void log.push(JSON.parse(line) as { code?: string; msg: string });
  // It knows no CA of the servers.
  rig = await startTestApp({}, pino({ level: 'info' }, { write }));
  raw = await serveRaw();
});
afterAll(async () => {
  raw.close();
  await Promise.all([rig.stop(), modes.stop()]);
  for (const server of servers) server.close();
});

/** Whatever was said to it: the next one is served as ever. */
async function expectNormalSession(): Promise<void> {
  const peer = await tunnel(modes.ports.plain);
  peer.socket.removeAllListeners('data');
  const client = new WebSocket(`ws://127.0.0.1:${modes.ports.plain}/`, { createConnection: () => peer.socket });
  await once(client, 'open');
  client.send('still there?');
  const [data] = (await once(client, 'message')) as [Buffer];
  expect(data.toString()).toBe('still there?');
  client.close(1000);
  await once(client, 'close');
}
afterEach(expectNormalSession);

async function tunnel(port: number): Promise<RawPeer> {
  const peer = await connectRaw(rig.app.proxy.port);
  peer.send(`CONNECT 127.0.0.1:${port} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
  await peer.until('\r\n\r\n');
  expect(peer.received).toMatch(/^HTTP\/1\.1 200 /);
  peer.received = '';
  return peer;
}
const failedWith = (code: string, url: string): Promise<SessionSummary> =>
  rig.waitForSession((session) => session.fault?.code === code && session.url.includes(url));
async function told(code: string): Promise<void> {
  await vi.waitFor(() => expect(log.map((line) => line.code)).toContain(code));
}
async function refusingPort(): Promise<number> {
  const server = await serveRaw();
  server.close();
  return server.port;
}

describe('what is no request', () => {
  it.each([
    ['garbage', '\0\xff\x80garbage', /^HTTP\/1\.1 400 [^]*frametap: bad-request\n/, 'bad-request'],
    ['a line of text', 'good morning\r\n\r\n', /^HTTP\/1\.1 400 [^]*frametap: bad-request\n/, 'bad-request'],
    ['SOCKS', '\x05\x01\0', /^HTTP\/1\.1 400 [^]*SOCKS/, 'bad-request'],
    [
      'an HTTP/2 preface',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      /Frametap speaks HTTP\/1\.1 here\.$/,
      'http2-unsupported',
    ],
    [
      'a header block over the limit',
      `GET http://x/ HTTP/1.1\r\nX: ${'a'.repeat(70_000)}\r\n\r\n`,
      /^HTTP\/1\.1 431 [^]*frametap: head-too-large\n/,
      'head-too-large',
    ],
  ])('is answered and logged: %s', async (_, bytes, answer, code) => {
    log.length = 0;
    const peer = await connectRaw(rig.app.proxy.port);
    peer.send(bytes);
    expect(await peer.end()).toMatch(answer);
    await told(code);
    peer.socket.destroy();
  });

  it('is answered and logged after an ordinary request too', async () => {
    log.length = 0;
    const peer = await connectRaw(rig.app.proxy.port);
    peer.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await peer.until('</html>');
    peer.received = '';
    peer.send('\0\x01\x02\r\n\r\n');
    expect(await peer.end()).toMatch(/^HTTP\/1\.1 400 [^]*frametap: bad-request\n/);
    await told('bad-request');
    peer.socket.destroy();
  });

  it('is answered and logged where a handshake stops in the middle, alone and in a tunnel', async () => {
    const proxy = await startTestProxy({ timeouts: { headMs: 150 } });
    for (const inTunnel of [false, true]) {
      const peer = await connectRaw(proxy.port);
      if (inTunnel) {
        peer.send(`CONNECT 127.0.0.1:${raw.port} HTTP/1.1\r\nHost: 127.0.0.1:${raw.port}\r\n\r\n`);
        await peer.until('200');
        await raw.accept();
        peer.received = '';
      }
      peer.send(handshake(`ws://127.0.0.1:${raw.port}/`, `127.0.0.1:${raw.port}`).slice(0, 60));
      expect(await peer.end()).toContain('frametap: head-timeout\n');
      peer.socket.destroy();
    }
    expect(proxy.log).toHaveLength(2);
    await proxy.stop();
  });
});

describe('a server that cannot be talked to', () => {
  it('because its port refuses: CONNECT gets 502, a handshake gets 502, and both are sessions', async () => {
    const port = await refusingPort();
    const connecting = await connectRaw(rig.app.proxy.port);
    connecting.send(`CONNECT 127.0.0.1:${port} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
    expect(await connecting.end()).toMatch(/^HTTP\/1\.1 502 [^]*frametap: upstream-refused\n/);
    const upgrading = await connectRaw(rig.app.proxy.port);
    upgrading.send(handshake(`ws://127.0.0.1:${port}/chat`, `127.0.0.1:${port}`));
    expect(await upgrading.end()).toMatch(/^HTTP\/1\.1 502 [^]*frametap: upstream-refused\n/);
    expect(await failedWith('upstream-refused', `127.0.0.1:${port}`)).toMatchObject({ mode: 'connect' });
    expect(await failedWith('upstream-refused', `127.0.0.1:${port}/chat`)).toMatchObject({ mode: 'absolute-form' });
  });

  it.each([
    ['answers 101 with a wrong Accept', switching('sec-websocket-key: wrong'), 'upstream-bad-accept'],
    [
      'answers 101 without an Accept',
      'HTTP/1.1 101 Sure\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
      'upstream-bad-accept',
    ],
    ['answers something that is no HTTP', 'SSH-2.0-server\r\n\r\n', 'upstream-bad-response'],
    ['answers with an endless header', `HTTP/1.1 101 OK\r\nX: ${'a'.repeat(70_000)}`, 'upstream-bad-response'],
    ['closes before it answers', '', 'upstream-closed'],
    ['closes in the middle of its answer', 'HTTP/1.1 101 Switching Pro', 'upstream-closed'],
  ])('because it %s: 502 with the reason, and a session', async (name, answer, code) => {
    const path = `/${encodeURIComponent(name)}`;
    const peer = await connectRaw(rig.app.proxy.port);
    peer.send(handshake(`ws://127.0.0.1:${raw.port}${path}`, `127.0.0.1:${raw.port}`));
    const server = await raw.accept();
    await server.until('\r\n\r\n');
    server.send(answer);
    if (code === 'upstream-closed') server.socket.end();
    expect(await peer.end()).toMatch(new RegExp(`^HTTP/1\\.1 502 [^]*frametap: ${code}\n`));
    expect(await failedWith(code, path)).toMatchObject({ state: 'failed', fault: { by: 'server' } });
    await server.end();
    peer.socket.destroy();
  });

  it('because its certificate cannot be verified: 502 with the reason and the flags that would allow it', async () => {
    const outer = await tunnel(modes.ports.secure);
    outer.socket.removeAllListeners('data');
    const ca = await (await fetch(new URL('ca.pem', rig.app.proxy.url))).text();
    const socket = connectTls({ socket: outer.socket, host: '127.0.0.1', ca });
    const peer = new RawPeer(socket);
    peer.send(handshake('/unverified', `127.0.0.1:${modes.ports.secure}`));
    const answer = await peer.end();
    expect(answer).toMatch(/^HTTP\/1\.1 502 [^]*frametap: upstream-certificate\n[^]*self-signed/);
    expect(answer).toContain('--insecure');
    expect(answer).toContain('--upstream-ca');
    expect((await failedWith('upstream-certificate', '/unverified')).fault?.message).toContain('self-signed');
    socket.destroy();
  });
});

describe('a client that does not trust the CA', () => {
  it('is named in the log and among the sessions: a TLS client of Node', async () => {
    log.length = 0;
    const outer = await tunnel(modes.ports.secure);
    outer.socket.removeAllListeners('data');
    const socket = connectTls({ socket: outer.socket, host: '127.0.0.1' });
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toMatch(/UNABLE_TO_VERIFY|SELF_SIGNED/);
    await failedWith('client-tls-untrusted', `127.0.0.1:${modes.ports.secure}`);
    await told('client-tls-untrusted');
  });

  it('is named in the log and among the sessions: Chromium', async () => {
    log.length = 0;
    const browser = await openChromium({ through: rig.app, trusting: false });
    try {
      const page = await browser.context.newPage();
      await page.goto(`http://127.0.0.1:${modes.ports.plain}/`);
      const outcome = await page.evaluate(
        (url) =>
          new Promise((resolve) => {
            const socket = new globalThis.WebSocket(url);
            socket.onopen = () => resolve('open');
            socket.onclose = ({ code }) => resolve(code);
          }),
        `wss://localhost:${modes.ports.secure}/`,
      );
      expect(outcome).toBe(1006);
      const session = await failedWith('client-tls-untrusted', `localhost:${modes.ports.secure}`);
      expect(session.fault?.message).toContain('http://frametap.test/');
      await told('client-tls-untrusted');
    } finally {
      await browser.close();
    }
  });
});

describe('somebody who vanishes', () => {
  it('from a download: the server is let go', async () => {
    const closed: Promise<unknown>[] = [];
    const server = createHttpServer((_, response) => {
      closed.push(once(response, 'close'));
      const pour = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536)));
        response.once('drain', pour);
      };
      pour();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    for (let at = 0; at < 20; at++) {
      const { host, port: proxyPort } = rig.app.proxy;
      const request = httpGet({ host, port: proxyPort, path: `http://127.0.0.1:${port}/`, agent: false });
      request.on('error', () => undefined);
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      response.on('error', () => undefined);
      await once(response, 'data');
      if (at % 2 === 0) response.destroy();
      else response.socket.resetAndDestroy();
    }
    expect(closed).toHaveLength(20);
    await Promise.all(closed);
    server.closeAllConnections();
    server.close();
  });

  it('from the dashboard, reading or not: sessions go on', async () => {
    const { dashboard } = rig.app;
    const headers = { authorization: `Bearer ${dashboard.token}` };
    const open = async (): Promise<WebSocket> => {
      const live = new WebSocket(`${dashboard.url.replace('http', 'ws')}api/live`, { headers });
      live.on('error', () => undefined);
      await once(live, 'open');
      live.send(JSON.stringify({ type: 'hello', epoch: null, since: 0 }));
      return live;
    };
    const dashboards = await Promise.all(Array.from({ length: 12 }, open));
    for (const [at, live] of dashboards.entries()) if (at % 3 === 0) live.pause();
    await expectNormalSession();
    for (const [at, live] of dashboards.entries()) {
      if (at % 2 === 0) (live as unknown as { _socket: Socket })._socket.resetAndDestroy();
      else live.terminate();
    }
    await expectNormalSession();
    expect((await rig.get<Status>('/api/status')).openSessions).toBe(0);
  });
});

/** A small generator with a seed, so that a failing run can be had again. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
const openSockets = (): number => process.getActiveResourcesInfo().filter((one) => one === 'TCPSocketWrap').length;

describe('five hundred who come and go at every stage', () => {
  it('leave nothing behind', async () => {
    const seed = Number(process.env['FRAMETAP_TEST_SEED'] ?? Date.now() % 1_000_000);
    const random = randomFrom(seed);
    const before = openSockets();
    // A server that breaks off wherever it stands.
    const hostile = await serveRaw();
    hostile.server.on('connection', (socket: Socket) => {
      const stage = random(5);
      socket.on('end', () => socket.end());
      const end = (): void =>
        void [() => socket.end(), () => socket.destroy(), () => socket.resetAndDestroy()][random(3)]?.();
      if (stage === 0) end();
      socket.once('data', (data: Buffer) => {
        const request = data.toString('latin1');
        if (stage === 1) end();
        else if (stage === 2) socket.write('HTTP/1.1 101 Swit', end);
        else if (acceptOf(request) !== '') socket.write(switching(request), stage === 3 ? end : undefined);
      });
    });
    const ports = { plain: hostile.port, secure: modes.ports.secure };
    const partings = [
      (socket: Socket) => socket.end(),
      (_: Socket, below: Socket) => below.destroy(),
      (_: Socket, below: Socket) => below.resetAndDestroy(),
    ];
    const one = async (): Promise<void> => {
      const stage = random(8);
      // Half a ClientHello is waited for, for 10 s: who stops there goes.
      const part = partings[stage === 3 ? 1 + random(2) : random(3)];
      const wrong = random(2) === 0 ? { ...modes, ports } : modes;
      const { forward } = modes;
      const leave = async (socket: Socket, underlying = socket): Promise<void> => {
        underlying.on('error', () => undefined);
        socket.on('error', () => undefined).resume();
        part?.(socket, underlying);
        // Who only ends its side waits for the other's end.
        await untilClosed(underlying);
      };
      if (stage < 4) {
        const socket = connect({ port: forward.app.proxy.port, host: '127.0.0.1' });
        socket.on('error', () => undefined);
        await once(socket, 'connect');
        const head = `CONNECT 127.0.0.1:${wrong.ports.plain} HTTP/1.1\r\nHost: x\r\n\r\n`;
        if (stage === 1) socket.write(head.slice(0, random(head.length)));
        if (stage === 2) socket.write(head);
        if (stage === 3) socket.write(Buffer.concat([Buffer.from(head), Buffer.from('160301', 'hex')]));
        if (random(2) === 0) await new Promise((resolve) => setTimeout(resolve, random(8)));
        await leave(socket);
        return;
      }
      const way = WAYS[random(WAYS.length)] ?? WAYS[0];
      const line = await way?.connect(wrong).catch(() => null);
      if (line == null) return;
      const { socket } = line;
      const target = way?.absolute === true ? `ws://127.0.0.1:${wrong.ports.plain}/storm` : '/storm';
      const text = handshake(target, `127.0.0.1:${wrong.ports.plain}`);
      if (stage === 5) socket.write(text.slice(0, random(text.length)));
      if (stage > 5) socket.write(text);
      if (stage === 7) {
        socket.resume();
        const heard = (event: string): Promise<void> => new Promise((resolve) => socket.once(event, () => resolve()));
        await Promise.race([heard('data'), heard('end'), heard('close'), untilClosed(line.raw)]);
        if (socket.destroyed) return;
        socket.write(Buffer.from('818500000000', 'hex'));
        socket.write(Buffer.from('hello').subarray(0, random(6)));
      }
      if (random(2) === 0) await new Promise((resolve) => setTimeout(resolve, random(8)));
      await leave(socket, line.raw);
    };
    let started = 0;
    const worker = async (): Promise<void> => {
      while (started++ < 500) await one();
    };
    await Promise.all(Array.from({ length: 25 }, worker));
    hostile.close();
    // Nothing is open any more, in the process (where some linger for 2 s) and in the capture.
    const linger = { timeout: 20_000, interval: 100 };
    await vi.waitFor(() => expect(openSockets(), `seed ${seed}`).toBeLessThanOrEqual(before), linger);
    for (const app of [modes.forward, modes.reverse.plain, modes.reverse.secure]) {
      const alive = (await app.sessions()).filter(({ state }) => state === 'connecting' || state === 'open');
      expect(alive, `seed ${seed}`).toEqual([]);
      expect((await app.get<Status>('/api/status')).openSessions).toBe(0);
    }
  }, 60_000);
});
