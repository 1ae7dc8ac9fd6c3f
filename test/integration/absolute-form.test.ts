import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import type { ClientConnection } from '../../src/proxy/client-connection.ts';
import { absoluteFormMode } from '../../src/proxy/modes/absolute-form.ts';
import { connectRaw, serveRaw, type RawPeer, type RawServer } from '../helpers/raw-peer.ts';
import { ACCEPT, handshake, startTestProxy, switching, type TestProxy } from '../helpers/test-proxy.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function setUp(
  options: Parameters<typeof startTestProxy>[0] = {},
): Promise<{ proxy: TestProxy; server: RawServer; client: RawPeer; host: string }> {
  const server = await serveRaw();
  const proxy = await startTestProxy(options);
  const client = await connectRaw(proxy.port);
  closing.push(
    () => server.close(),
    () => proxy.stop(),
    () => client.socket.destroy(),
  );
  return { proxy, server, client, host: `127.0.0.1:${server.port}` };
}

describe('a handshake in absolute form', () => {
  it.each(['http', 'ws', 'WS'])('goes where its %s URL says, in origin form', async (scheme) => {
    const { proxy, server, client, host } = await setUp();
    client.send(handshake(`${scheme}://${host}/a//b?x=http://y/`, host));
    const upstream = await server.accept();
    expect(await upstream.until('\r\n\r\n')).toMatch(/^GET \/a\/\/b\?x=http:\/\/y\/ HTTP\/1\.1\r\n/);
    expect(upstream.received).toContain(`Host: ${host}\r\n`);
    upstream.send(switching(upstream.received));
    await client.until(ACCEPT);
    expect((await proxy.capture.open()).start).toMatchObject({
      mode: 'absolute-form',
      url: `ws://${host}/a//b?x=http://y/`,
    });
  });

  it.each([
    ['', '/'],
    ['?q', '/?q'],
  ])('whose URL goes on with %j after the authority asks for %s', async (rest, target) => {
    const { server, client, host } = await setUp();
    client.send(handshake(`ws://${host}${rest}`, host));
    expect(await (await server.accept()).until('\r\n\r\n')).toContain(`GET ${target} HTTP/1.1\r\n`);
  });

  it('carries the host of its URL where the Host field says another', async () => {
    const { server, client, host } = await setUp();
    client.send(handshake(`ws://${host}/`, 'elsewhere.test'));
    expect(await (await server.accept()).until('\r\n\r\n')).toContain(`\r\nHost: ${host}\r\n`);
  });

  it.each<[readonly string[], string | undefined]>([
    [[], undefined],
    [['A.test:80'], undefined],
    [['b.test'], 'a.test'],
    [['a.test', 'a.test'], 'a.test'],
    [['b.test', 'a.test'], 'a.test'],
  ])('with the Host fields %j has its Host replaced by %s', (hosts, host) => {
    const headers = hosts.map((value) => ['Host', value] as const);
    const head = { method: 'GET', target: 'http://a.test/', httpVersion: '1.1', headers };
    expect(absoluteFormMode.route(head, {} as ClientConnection)?.host).toBe(host);
  });

  it('does not carry fields that are for the proxy', async () => {
    const { server, client, host } = await setUp();
    client.send(handshake(`ws://${host}/`, host, ['Proxy-Connection: keep-alive', 'proxy-authorization: Basic eDp5']));
    expect(await (await server.accept()).until('\r\n\r\n')).not.toMatch(/proxy-/i);
  });

  it('to https or wss is spoken with TLS, and what fails there is told of', async () => {
    const { server, client, proxy, host } = await setUp();
    client.send(handshake(`wss://${host}/`, host));
    const upstream = await server.accept();
    await upstream.until('\x16');
    upstream.socket.end();
    expect(await client.end()).toMatch(/^HTTP\/1\.1 502 [^]*frametap: upstream-tls-failed\n/);
    expect((await proxy.capture.failed()).start.url).toBe(`wss://${host}/`);
  });

  it('carries ws to ws', async () => {
    const { proxy } = await setUp();
    const echo = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'chat' });
    echo.on('connection', (socket) => socket.on('message', (data, binary) => socket.send(data, { binary })));
    await once(echo, 'listening');
    closing.push(() => echo.close());
    const host = `127.0.0.1:${(echo.address() as AddressInfo).port}`;
    const client = new WebSocket(`ws://127.0.0.1:${proxy.port}/`, ['chat'], {
      headers: { Host: host },
      finishRequest(request) {
        request.path = `http://${host}/`;
        request.end();
      },
    });
    await once(client, 'open');
    expect(client.protocol).toBe('chat');
    client.send('through');
    expect(((await once(client, 'message')) as [Buffer])[0].toString()).toBe('through');
    client.terminate();
    for (const one of echo.clients) one.terminate();
  });
});

it('a handshake to the proxy itself says what to do', async () => {
  const { client, proxy } = await setUp();
  client.send(handshake('/chat', `127.0.0.1:${proxy.port}`));
  expect(await client.end()).toMatch(/^HTTP\/1\.1 400 [^]*frametap: target-invalid\n[^]*--reverse/);
  expect((await proxy.capture.failed()).start.url).toBe(`ws://127.0.0.1:${proxy.port}/chat`);
});

describe("the dashboard's own cookie", () => {
  const own = 'frametap_8081=secret';
  it.each([
    [`a=1; ${own}; b="2"`, 'Cookie: a=1; b="2"\r\n'],
    [`${own}; b=2`, 'Cookie: b=2\r\n'],
    [own, ''],
    [`${own}x; x${own}`, `Cookie: ${own}x; x${own}\r\n`],
  ])('goes to no server: %s', async (sent, left) => {
    const { proxy, server, client, host } = await setUp({ ownCookie: own });
    client.send(handshake(`http://${host}/`, host, [`Cookie: ${sent}`, 'X-Next: 1']));
    const asked = await (await server.accept()).until('\r\n\r\n');
    expect(asked).toContain(`${left}X-Next: 1\r\n`);
    expect(/^cookie/im.test(asked)).toBe(left !== '');
    const plain = await connectRaw(proxy.port);
    closing.push(() => plain.socket.destroy());
    plain.send(`GET http://${host}/ HTTP/1.1\r\nHost: ${host}\r\nCookie: ${sent}\r\nX-Next: 1\r\n\r\n`);
    expect(await (await server.accept()).until('\r\n\r\n')).toContain(`\r\n${left}X-Next: 1\r\n`);
  });
});
