import { once } from 'node:events';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import type { ProxyOptions } from '../../src/proxy/proxy.ts';
import { connectRaw, serveRaw, type RawPeer, type RawServer } from '../helpers/raw-peer.ts';
import { handshake, startTestProxy, testAuthority, type TestProxy } from '../helpers/test-proxy.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function setUp(
  options: Partial<ProxyOptions> = {},
): Promise<{ proxy: TestProxy; server: RawServer; client: RawPeer; host: string }> {
  const server = await serveRaw();
  const proxy = await startTestProxy({ reverse: { secure: false, host: '127.0.0.1', port: server.port }, ...options });
  const client = await connectRaw(proxy.port);
  closing.push(
    () => server.close(),
    () => proxy.stop(),
    () => client.socket.destroy(),
  );
  return { proxy, server, client, host: `127.0.0.1:${server.port}` };
}

describe('in reverse mode', () => {
  it("a handshake goes to the origin with its path, the origin's Host and the client's Origin", async () => {
    const { server, client, host } = await setUp();
    client.send(handshake('/a?b', 'public.test', ['Origin: https://page.test']));
    const request = await (await server.accept()).until('\r\n\r\n');
    expect(request).toMatch(new RegExp(`^GET /a\\?b HTTP/1\\.1\r\nHost: ${host}\r\n`));
    expect(request).toContain('\r\nOrigin: https://page.test\r\n');
  });

  it("keeps the client's Host with --keep-host", async () => {
    const { server, client } = await setUp({ keepHost: true });
    client.send(handshake('/', 'public.test'));
    expect(await (await server.accept()).until('\r\n\r\n')).toContain('\r\nHost: public.test\r\n');
  });

  it('ordinary requests go there too', async () => {
    const { server, client, host } = await setUp();
    client.send('GET //x?y HTTP/1.1\r\nHost: public.test\r\n\r\n');
    const upstream = await server.accept();
    expect(await upstream.until('\r\n\r\n')).toMatch(new RegExp(`^GET //x\\?y HTTP/1\\.1\r\n[^]*Host: ${host}\r\n`));
    upstream.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    await client.until('ok');
  });

  it('an absolute URL has no say about where it goes', async () => {
    const { server, client, host } = await setUp();
    client.send(handshake('http://elsewhere.test/path', 'elsewhere.test'));
    expect(await (await server.accept()).until('\r\n\r\n')).toMatch(
      new RegExp(`^GET /path HTTP/1\\.1\r\nHost: ${host}\r\n`),
    );
  });

  it('CONNECT leads nowhere', async () => {
    const { server, client } = await setUp();
    client.send('CONNECT elsewhere.test:443 HTTP/1.1\r\nHost: elsewhere.test\r\n\r\n');
    expect(await client.end()).toMatch(/^HTTP\/1\.1 400 [^]*frametap: target-invalid\n/);
    expect(server.peers).toHaveLength(0);
  });

  it("the proxy's own pages are there under their own name only", async () => {
    const { server, client } = await setUp();
    client.send('GET /ca.pem HTTP/1.1\r\nHost: frametap.test\r\nConnection: close\r\n\r\n');
    expect(await client.end()).toContain('BEGIN CERTIFICATE');
    expect(server.peers).toHaveLength(0);
  });

  for (const clientScheme of ['ws', 'wss']) {
    for (const secure of [false, true]) {
      it(`ws talks ${clientScheme} to the proxy and ${secure ? 'wss' : 'ws'} to the origin`, async () => {
        const authority = await testAuthority();
        const web = createHttpsServer({
          SNICallback: (_, done) => done(null, authority.secureContextFor('localhost')),
        });
        const echo = secure
          ? new WebSocketServer({ server: web })
          : new WebSocketServer({ port: 0, host: '127.0.0.1' });
        if (secure) web.listen(0, '127.0.0.1');
        await once(secure ? web : echo, 'listening');
        echo.on('connection', (socket) => socket.on('message', (data, binary) => socket.send(data, { binary })));
        closing.push(() => {
          for (const one of echo.clients) one.terminate();
          echo.close();
          web.close();
        });
        const { port } = echo.address() as AddressInfo;
        const proxy = await startTestProxy({
          reverse: { secure, host: 'localhost', port },
          upstreamOptions: { upstreamCa: [authority.certificatePem] },
        });
        closing.push(() => proxy.stop());
        const client = new WebSocket(`${clientScheme}://127.0.0.1:${proxy.port}/`, { ca: authority.certificatePem });
        await once(client, 'open');
        const payload = Buffer.alloc(300_000, 7);
        client.send(payload);
        expect(((await once(client, 'message')) as [Buffer])[0].equals(payload)).toBe(true);
        client.close(3000, 'enough');
        const [code, reason] = (await once(client, 'close')) as [number, Buffer];
        expect([code, reason.toString()]).toEqual([3000, 'enough']);
        const session = await proxy.capture.open();
        expect(session.start).toMatchObject({ mode: 'reverse', url: `${secure ? 'wss' : 'ws'}://localhost:${port}/` });
        expect(session.facts.clientTls === null).toBe(clientScheme === 'ws');
      });
    }
  }

  it('a client that does not trust the CA is named', async () => {
    const { proxy, host } = await setUp();
    const client = new WebSocket(`wss://127.0.0.1:${proxy.port}/`);
    await once(client, 'error');
    expect(await proxy.capture.failed()).toMatchObject({
      start: { mode: 'reverse', url: host },
      fault: { by: 'client', code: 'client-tls-untrusted' },
    });
  });
});
