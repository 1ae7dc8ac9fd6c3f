import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import type { ProxyOptions } from '../../src/proxy/proxy.ts';
import type { Leg } from '../../src/proxy/leg.ts';
import { joinUnread } from '../../src/proxy/tunnel.ts';
import { connectRaw, drains, serveRaw, type RawPeer, type RawServer } from '../helpers/raw-peer.ts';
import { ACCEPT, acceptOf, handshake, KEY, startTestProxy, type TestProxy } from '../helpers/test-proxy.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** Client and server by hand, the proxy between them, in reverse mode. */
async function setUp(
  options: Partial<ProxyOptions> = {},
): Promise<{ proxy: TestProxy; server: RawServer; client: RawPeer }> {
  const server = await serveRaw();
  closing.push(() => server.close());
  const proxy = await startTestProxy({
    reverse: { secure: false, host: '127.0.0.1', port: server.port },
    keepHost: true,
    ...options,
  });
  closing.push(() => proxy.stop());
  const client = await connectRaw(proxy.port);
  closing.push(() => client.socket.destroy());
  return { proxy, server, client };
}

/** Reads the proxy's request and answers it. */
async function answer(
  server: RawServer,
  made: (accept: string) => string,
): Promise<{ peer: RawPeer; request: string }> {
  const peer = await server.accept();
  const request = await peer.until('\r\n\r\n');
  peer.send(made(acceptOf(request)));
  return { peer, request };
}
const switching = (accept: string, ...lines: string[]): string =>
  [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${accept}`,
    ...lines,
    '',
    '',
  ].join('\r\n');

describe('the opening handshake', () => {
  const REQUEST = [
    'GET /a//b?x=%7E HTTP/1.1',
    'hOsT: example.test',
    'Upgrade: WebSocket',
    'X-Dup: 1',
    'Connection: keep-alive, Upgrade',
    'x-dup: 2',
    'Cookie: caf\xe9=1',
    `SEC-WebSocket-KEY: ${KEY}`,
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Protocol: chat',
    '',
    '',
  ].join('\r\n');

  it('reaches the server with nothing changed but the key', async () => {
    const { server, client, proxy } = await setUp();
    client.send(REQUEST);
    const { request } = await answer(server, switching);
    const key = /SEC-WebSocket-KEY: (\S+)/.exec(request)?.[1] ?? '';
    expect(key).not.toBe(KEY);
    expect(Buffer.from(key, 'base64')).toHaveLength(16);
    expect(request).toBe(REQUEST.replace(KEY, key));
    const session = await proxy.capture.open();
    expect(session.facts.handshake?.clientRequest?.headers).toContainEqual(['SEC-WebSocket-KEY', KEY]);
    expect(session.facts.handshake?.serverRequest?.headers).toContainEqual(['SEC-WebSocket-KEY', key]);
  });

  it('comes back with nothing changed but the accept value', async () => {
    const { server, client, proxy } = await setUp();
    client.send(REQUEST);
    const made = (accept: string): string =>
      [
        'HTTP/1.1 101 Sure, why not',
        'Set-Cookie: a=1',
        'upgrade: websocket',
        'Connection: upgrade',
        'SEC-websocket-accept: ' + accept,
        'set-cookie: b=2',
        'Sec-WebSocket-Protocol: chat',
        '',
        '',
      ].join('\r\n');
    const { request } = await answer(server, made);
    expect(await client.until('\r\n\r\n')).toBe(made(ACCEPT));
    const session = await proxy.capture.open();
    expect(session.start).toMatchObject({ mode: 'reverse', url: `ws://127.0.0.1:${server.port}/a//b?x=%7E` });
    expect(session.facts).toMatchObject({
      status: 101,
      subprotocol: 'chat',
      extensions: null,
      server: { address: '127.0.0.1', port: server.port, tls: null },
      proof: {
        client: { key: KEY, expected: ACCEPT, received: ACCEPT, matches: true },
        server: { expected: acceptOf(request), received: acceptOf(request), matches: true },
      },
      timingsMs: { dns: null, connect: expect.any(Number), tls: null, upgrade: expect.any(Number) },
    });
    expect(session.facts.handshake?.serverResponse?.headers).toContainEqual([
      'SEC-websocket-accept',
      acceptOf(request),
    ]);
    expect(session.facts.handshake?.clientResponse?.headers).toContainEqual(['SEC-websocket-accept', ACCEPT]);
    expect(session.violations).toEqual([]);
  });

  it('may be cut anywhere, on both legs', async () => {
    const server = await serveRaw();
    const proxy = await startTestProxy({
      reverse: { secure: false, host: '127.0.0.1', port: server.port },
      keepHost: true,
    });
    closing.push(
      () => server.close(),
      () => proxy.stop(),
    );
    for (let at = 1; at < REQUEST.length; at += 7) {
      const client = await connectRaw(proxy.port);
      client.send(REQUEST.slice(0, at));
      await new Promise((resolve) => setImmediate(resolve));
      client.send(REQUEST.slice(at));
      const peer = await server.accept();
      const whole = switching(acceptOf(await peer.until('\r\n\r\n')));
      peer.send(whole.slice(0, at % whole.length));
      await new Promise((resolve) => setImmediate(resolve));
      peer.send(whole.slice(at % whole.length));
      expect(await client.until('\r\n\r\n')).toBe(switching(ACCEPT));
      client.socket.destroy();
      await peer.end();
    }
  });

  it('loses no frame that comes in one segment with it, from either side', async () => {
    const { server, client } = await setUp();
    client.send(`${REQUEST}\x81\x82\0\0\0\0up`);
    const { peer } = await answer(server, (accept) => `${switching(accept)}\x81\x04down`);
    expect(await client.until('down')).toBe(`${switching(ACCEPT)}\x81\x04down`);
    expect(await peer.until(/up$/)).toMatch(/\r\n\r\n\x81\x82\0\0\0\0up$/);
  });

  it('keeps interim answers that come before the 101', async () => {
    const { server, client } = await setUp();
    client.send(REQUEST);
    await answer(server, (accept) => `HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n${switching(accept)}`);
    expect(await client.until(ACCEPT)).toMatch(/^HTTP\/1\.1 103 Early Hints\r\nLink: <\/x>\r\n\r\nHTTP\/1\.1 101 /);
  });

  it('may be answered behind empty lines, however they come', async () => {
    const { server, client } = await setUp();
    client.send(REQUEST);
    const peer = await server.accept();
    const request = await peer.until('\r\n\r\n');
    for (const piece of ['\r', '\n', 'HT', switching(acceptOf(request)).slice(2)]) {
      peer.send(piece);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await client.until(ACCEPT);
  });

  it('is sent no more interim answers than it reads: the server is stopped', async () => {
    const { server, client } = await setUp();
    client.socket.pause();
    client.send(REQUEST);
    const peer = await server.accept();
    await peer.until('\r\n\r\n');
    const hints = Buffer.from(`HTTP/1.1 103 Early Hints\r\nLink: <${'x'.repeat(16_000)}>\r\n\r\n`.repeat(64));
    let sent = 0;
    while (peer.socket.write(hints) || (await drains(peer.socket))) sent += hints.length;
    // What the systems' buffers on both legs take, and no more.
    expect(sent).toBeLessThan(64 * 1024 * 1024);
    client.socket.resume();
    peer.send(switching(acceptOf(peer.received)));
    await client.until(ACCEPT);
    expect(client.received.length).toBeGreaterThan(sent);
  });

  it('carries the end of either side afterwards', async () => {
    const { server, client } = await setUp();
    client.send(REQUEST);
    const { peer } = await answer(server, switching);
    await client.until('\r\n\r\n');
    client.socket.end('bye');
    await peer.end();
    expect(peer.received.endsWith('bye')).toBe(true);
    peer.socket.end('see you');
    await client.end();
    expect(client.received.endsWith('see you')).toBe(true);
  });

  it('is one that ws accepts, with subprotocol, compression and cookies', async () => {
    const echo = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: { threshold: 0 } });
    closing.push(() => echo.close());
    await once(echo, 'listening');
    echo.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
    const { client, proxy } = await setUp({
      reverse: { secure: false, host: '127.0.0.1', port: (echo.address() as AddressInfo).port },
    });
    client.send(handshake('/', 'x', ['Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits']));
    expect(await client.until('\r\n\r\n')).toContain(ACCEPT);
    expect((await proxy.capture.open()).facts.extensions).toContain('permessage-deflate');
    for (const socket of echo.clients) socket.terminate();
  });
});

describe("a client's own bad handshake", () => {
  it.each([
    ['POST', handshake('/', 'x').replace('GET', 'POST'), 400, 'handshake-method'],
    ['HTTP/1.0', handshake('/', 'x').replace('HTTP/1.1', 'HTTP/1.0'), 400, 'handshake-http-version'],
    ['a bad key', handshake('/', 'x', ['Sec-WebSocket-Key: short']), 400, 'handshake-key'],
    ['no Connection token', handshake('/', 'x', ['Connection: keep-alive']), 400, 'handshake-connection'],
    ['no Upgrade', handshake('/', 'x', ['-Upgrade']), 400, 'handshake-upgrade'],
    ['a body', `${handshake('/', 'x', ['Content-Length: 5'])}GET /`, 400, 'handshake-body'],
    ['chunks', `${handshake('/', 'x', ['Transfer-Encoding: chunked'])}0\r\n\r\n`, 400, 'handshake-body'],
    ['no Host', handshake('/', 'x', ['-Host']), 400, 'handshake-host'],
    ['version 8', handshake('/', 'x', ['Sec-WebSocket-Version: 8']), 426, 'handshake-version'],
  ])('with %s is answered with the reason, and is in the capture', async (_, request, status, code) => {
    const { server, client, proxy } = await setUp();
    client.send(request);
    const received = await client.end();
    expect(received).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(received).toContain(`frametap: ${code}\n`);
    expect(received.includes('Sec-WebSocket-Version: 13\r\n')).toBe(status === 426);
    const session = await proxy.capture.failed();
    expect(session.fault).toMatchObject({ by: 'client', code });
    expect(session.facts.handshake?.clientRequest?.target).toBe('/');
    expect(session.facts.handshake?.clientResponse?.status).toBe(status);
    expect(server.peers).toHaveLength(0);
  });

  it('is refused just so after an ordinary request on the same connection', async () => {
    const { server, client, proxy } = await setUp();
    client.send('GET /page HTTP/1.1\r\nHost: x\r\n\r\n');
    await answer(server, () => 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi');
    await client.until('hi');
    client.received = '';
    client.send(handshake('/', 'x', ['Connection: keep-alive']));
    expect(await client.end()).toContain('frametap: handshake-connection\n');
    expect((await proxy.capture.failed()).fault).toMatchObject({ code: 'handshake-connection' });
  });
});

describe('a server that does not open', () => {
  it('is no handshake with a wrong accept: 502, and nothing is tunnelled', async () => {
    const { server, client, proxy } = await setUp();
    client.send(handshake('/', 'x'));
    const { peer } = await answer(server, () => `${switching('AAAAAAAAAAAAAAAAAAAAAAAAAAA=')}\x81\x04leak`);
    const received = await client.end();
    expect(received).toMatch(/^HTTP\/1\.1 502 [\s\S]*frametap: upstream-bad-accept\n/);
    expect(received).not.toContain('leak');
    await peer.end();
    const session = await proxy.capture.failed();
    expect(session).toMatchObject({ fault: { by: 'server', code: 'upstream-bad-accept' }, state: 'failed' });
    expect(session.violations).toEqual([{ code: 'accept-mismatch', by: 'server' }]);
    expect(session.facts.proof?.server).toMatchObject({ received: 'AAAAAAAAAAAAAAAAAAAAAAAAAAA=', matches: false });
  });

  it.each([
    ['a counted body', 'Content-Length: 5\r\n\r\nsorry', 'sorry'],
    ['a chunked body', 'Transfer-Encoding: chunked\r\n\r\n5\r\nsorry\r\n0\r\nX-T: 1\r\n\r\n', 'sorry'],
    ['no body', 'content-length:0\r\n\r\n', ''],
  ])('has its refusal with %s relayed byte for byte, and both connections end', async (_, rest, body) => {
    const { server, client, proxy } = await setUp();
    client.send(handshake('/', 'x'));
    const wire = `HTTP/1.1 403 Not You\r\nserver:  odd\r\nX-A: 1\r\nx-a: 2\r\n${rest}`;
    const { peer } = await answer(server, () => wire);
    expect(await client.end()).toBe(wire);
    await peer.end();
    const session = await proxy.capture.failed();
    expect(session.fault).toMatchObject({ by: 'server', code: 'upstream-refused-handshake' });
    expect(session.facts).toMatchObject({ status: 403, refusalBody: body });
  });

  it('has a refusal without a length relayed until it closes', async () => {
    const { server, client } = await setUp();
    client.send(handshake('/', 'x'));
    const { peer } = await answer(server, () => 'HTTP/1.1 500 Oh\r\n\r\nfirst ');
    await client.until('first ');
    peer.socket.end('last');
    expect(await client.end()).toBe('HTTP/1.1 500 Oh\r\n\r\nfirst last');
  });

  it('has a long refusal relayed whole to a client that has ended its side, and its first 4 KiB kept', async () => {
    const { server, client, proxy } = await setUp();
    client.socket.end(handshake('/', 'x'));
    const body = 'x'.repeat(3_000_000);
    await answer(server, () => `HTTP/1.1 401 No\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    expect((await client.end()).length).toBe(
      body.length + `HTTP/1.1 401 No\r\nContent-Length: ${body.length}\r\n\r\n`.length,
    );
    expect((await proxy.capture.failed()).facts.refusalBody).toHaveLength(4096);
  });

  it('carries a reset in the middle of a refusal', async () => {
    const { server, client } = await setUp();
    client.send(handshake('/', 'x'));
    const { peer } = await answer(server, () => 'HTTP/1.1 500 Oh\r\nContent-Length: 100\r\n\r\nfirst');
    await client.until('first');
    peer.socket.resetAndDestroy();
    await client.end();
    expect(client.error?.code).toBe('ECONNRESET');
  });

  it.each([
    ['closes before it answers', (peer: RawPeer) => peer.socket.end(), 502, 'upstream-closed'],
    ['resets before it answers', (peer: RawPeer) => peer.socket.resetAndDestroy(), 502, 'upstream-closed'],
    [
      'closes in the middle of its answer',
      (peer: RawPeer) => peer.socket.end('HTTP/1.1 101 Sw'),
      502,
      'upstream-closed',
    ],
    ['speaks first, and no HTTP', (peer: RawPeer) => peer.send('SSH-2.0-x\r\n'), 502, 'upstream-bad-response'],
    ['speaks no HTTP', (peer: RawPeer) => peer.send('hello\r\n\r\n'), 502, 'upstream-bad-response'],
    [
      'answers with an endless head',
      (peer: RawPeer) => peer.send(`HTTP/1.1 101 x\r\nX: ${'a'.repeat(70_000)}`),
      502,
      'upstream-bad-response',
    ],
    [
      'folds a field',
      (peer: RawPeer) => peer.send('HTTP/1.1 101 x\r\nX: a\r\n b\r\n\r\n'),
      502,
      'upstream-bad-response',
    ],
    ['says nothing', () => undefined, 504, 'upstream-timeout'],
  ])('and %s is told of, and in the capture', async (_, act, status, code) => {
    const { server, client, proxy } = await setUp({ timeouts: { answerMs: 200 } });
    client.send(handshake('/', 'x'));
    const peer = await server.accept();
    await peer.until('\r\n\r\n');
    act(peer);
    const received = await client.end();
    expect(received).toMatch(new RegExp(`^HTTP/1\\.1 ${status} [^]*frametap: ${code}\n`));
    expect((await proxy.capture.failed()).fault).toMatchObject({ by: 'server', code });
    await peer.end();
  });

  it('and refuses the connection is told of, and in the capture', async () => {
    const { server, client, proxy } = await setUp();
    server.close();
    await once(server.server, 'close');
    client.send(handshake('/', 'x'));
    expect(await client.end()).toMatch(/^HTTP\/1\.1 502 [^]*frametap: upstream-refused\n/);
    expect((await proxy.capture.failed()).fault).toMatchObject({ by: 'server', code: 'upstream-refused' });
  });
});

describe('what was not offered', () => {
  it.each([
    ['Sec-WebSocket-Protocol: other', 'subprotocol-not-offered'],
    ['Sec-WebSocket-Extensions: x-other', 'extension-not-offered'],
  ])('passes and is marked: %s', async (line, code) => {
    const { server, client, proxy } = await setUp();
    client.send(handshake('/', 'x'));
    await answer(server, (accept) => switching(accept, line));
    expect(await client.until('\r\n\r\n')).toBe(switching(ACCEPT, line));
    expect((await proxy.capture.open()).violations).toEqual([{ code, by: 'server' }]);
  });

  it('is refused with --strict', async () => {
    const { server, client, proxy } = await setUp({ strict: true });
    client.send(handshake('/', 'x'));
    await answer(server, (accept) => switching(accept, 'Sec-WebSocket-Protocol: other'));
    expect(await client.end()).toMatch(/^HTTP\/1\.1 502 [^]*frametap: upstream-not-offered\n/);
    expect((await proxy.capture.failed()).fault).toMatchObject({ code: 'upstream-not-offered' });
  });
});

describe('a client that ends its side with its handshake', () => {
  it('gets the 101 and what the server sends, and the server gets its bytes and its end', async () => {
    const legs: Leg[] = [];
    const { server, client, proxy } = await setUp({
      startSession: ({ client: own, server: other }) => {
        legs.push(own, other);
        joinUnread(own, other);
      },
    });
    client.socket.end(Buffer.from(`${handshake('/', 'x')}\x81\x82\0\0\0\0up`, 'latin1'));
    const peer = await server.accept();
    await peer.until('\r\n\r\n');
    peer.send(`${switching(acceptOf(peer.received))}\x81\x04down`);
    expect(await client.until('down')).toBe(`${switching(ACCEPT)}\x81\x04down`);
    expect(await peer.end()).toMatch(/\r\n\r\n\x81\x82\0\0\0\0up$/);
    peer.socket.end('last');
    expect(await client.end()).toMatch(/last$/);
    expect((await proxy.capture.open()).facts.status).toBe(101);
    expect(legs.map(({ ended }) => ended === true)).toEqual([true, false]);
  });

  it('is told where the server closes without an answer', async () => {
    const { server, client, proxy } = await setUp();
    client.socket.end(handshake('/', 'x'));
    const peer = await server.accept();
    await peer.until('\r\n\r\n');
    peer.socket.end();
    expect(await client.end()).toMatch(/^HTTP\/1\.1 502 [^]*frametap: upstream-closed\n/);
    expect((await proxy.capture.failed()).fault).toMatchObject({ by: 'server', code: 'upstream-closed' });
  });
});

describe('a client that goes before the answer', () => {
  it.each([
    ['with a FIN', (client: RawPeer) => client.socket.destroy()],
    ['with a reset', (client: RawPeer) => client.socket.resetAndDestroy()],
  ])('%s is recorded as gone, and the server is let go', async (_, leave) => {
    const { server, client, proxy } = await setUp({ timeouts: { goneMs: 100 } });
    client.send(handshake('/', 'x'));
    const peer = await server.accept();
    await peer.until('\r\n\r\n');
    leave(client);
    await peer.end();
    expect((await proxy.capture.failed()).fault).toMatchObject({ by: 'client', code: 'client-gone' });
  });
});
