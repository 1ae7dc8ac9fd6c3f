import { afterEach, describe, expect, it } from 'vitest';
import type { ProxyOptions } from '../../src/proxy/proxy.ts';
import { connectRaw, serveRaw, type RawPeer, type RawServer } from '../helpers/raw-peer.ts';
import { handshake, startTestProxy, type TestProxy } from '../helpers/test-proxy.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const SECRET = 'user:pass:wörd';
const GIVEN = `Proxy-Authorization: Basic ${Buffer.from(SECRET).toString('base64')}`;

async function setUp(
  options: Partial<ProxyOptions> = {},
): Promise<{ proxy: TestProxy; server: RawServer; client: RawPeer; host: string }> {
  const server = await serveRaw();
  const proxy = await startTestProxy({ proxyAuth: SECRET, ...options });
  const client = await connectRaw(proxy.port);
  closing.push(
    () => server.close(),
    () => proxy.stop(),
    () => client.socket.destroy(),
  );
  return { proxy, server, client, host: `127.0.0.1:${server.port}` };
}

type Ask = (host: string, line: string) => string;
const CONNECT: Ask = (host, line) => `CONNECT ${host} HTTP/1.1\r\nHost: ${host}\r\n${line}\r\n\r\n`;
const GET: Ask = (host, line) =>
  `GET http://${host}/ HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${line}\r\n\r\n`;
const UPGRADE: Ask = (host, line) => handshake(`ws://${host}/`, host, [line]);
const OWN: Ask = (_, line) => GET('frametap.test', line);

describe('a proxy with --proxy-auth', () => {
  for (const [way, ask] of Object.entries({ CONNECT, GET, UPGRADE, OWN })) {
    it.each([
      ['none', 'X: 1'],
      ['a wrong password', `Proxy-Authorization: Basic ${Buffer.from('user:other').toString('base64')}`],
      ['another scheme', `Proxy-Authorization: Bearer ${Buffer.from(SECRET).toString('base64')}`],
      ['two', `${GIVEN}\r\n${GIVEN}`],
      ['credentials for the server', `Authorization: Basic ${Buffer.from(SECRET).toString('base64')}`],
    ])(`answers ${way} with 407 where the credentials are %s`, async (_, line) => {
      const { proxy, server, client, host } = await setUp();
      client.send(ask(host, line));
      expect(await client.end()).toMatch(/^HTTP\/1\.1 407 [^]*\r\nProxy-Authenticate: Basic realm="Frametap"/);
      expect(server.peers).toHaveLength(0);
      expect(proxy.capture.sessions).toHaveLength(0);
    });
  }

  it('lets a handshake with them pass, and neither forwards nor records them', async () => {
    const { proxy, server, client, host } = await setUp();
    client.send(UPGRADE(host, GIVEN.replace('Basic ', 'basic  ')));
    expect(await (await server.accept()).until('\r\n\r\n')).not.toMatch(/proxy-authorization/i);
    expect(JSON.stringify(proxy.capture.sessions[0]?.facts)).not.toContain(GIVEN.slice(-12));
    expect(JSON.stringify(proxy.log)).not.toContain(GIVEN.slice(-12));
  });

  it('does not record those of a CONNECT that fails', async () => {
    const { proxy, server, client, host } = await setUp();
    server.close();
    client.send(CONNECT(host, GIVEN));
    expect(await client.end()).toMatch(/^HTTP\/1\.1 502 /);
    const session = await proxy.capture.failed();
    expect(JSON.stringify(session.facts)).toContain('Proxy-Authorization');
    expect(JSON.stringify(session.facts)).not.toContain(GIVEN.slice(-12));
  });

  it('lets a request with them pass, and does not forward them', async () => {
    const { server, client, host } = await setUp();
    client.send(GET(host, GIVEN));
    expect(await (await server.accept()).until('\r\n\r\n')).not.toMatch(/proxy-authorization/i);
  });

  it('asks once for a tunnel, and not again inside of it', async () => {
    const { server, client, host } = await setUp();
    client.send(CONNECT(host, GIVEN));
    await client.until('200 Connection established');
    client.send(handshake('/', host));
    expect(await (await server.accept()).until('\r\n\r\n')).toMatch(/^GET \/ HTTP/);
  });

  it('asks for each request on one connection', async () => {
    const { server, client, host } = await setUp();
    client.send(`GET http://${host}/ HTTP/1.1\r\nHost: ${host}\r\n${GIVEN}\r\n\r\n`);
    const upstream = await server.accept();
    await upstream.until('\r\n\r\n');
    upstream.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    await client.until('ok');
    client.send(GET(host, 'X: 1'));
    await client.until('HTTP/1.1 407 ');
  });

  it('asks in reverse mode too, and leaves Authorization to the server', async () => {
    const server = await serveRaw();
    const { proxy, client } = await setUp({ reverse: { secure: false, host: '127.0.0.1', port: server.port } });
    closing.push(() => server.close());
    client.send(handshake('/', 'x', ['Authorization: Basic eDp5']));
    expect(await client.end()).toMatch(/^HTTP\/1\.1 407 /);
    const again = await connectRaw(proxy.port);
    closing.push(() => again.socket.destroy());
    again.send(handshake('/', 'x', ['Authorization: Basic eDp5', GIVEN]));
    expect(await (await server.accept()).until('\r\n\r\n')).toContain('Authorization: Basic eDp5\r\n');
  });

  it('shows the CA to somebody who opens its address straight', async () => {
    const { client } = await setUp();
    client.send('GET /ca.pem HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    expect(await client.end()).toContain('BEGIN CERTIFICATE');
  });
});
