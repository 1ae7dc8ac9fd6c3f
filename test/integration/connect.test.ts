import { once } from 'node:events';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import {
  connect as tlsConnect,
  createServer as createTlsServer,
  type ConnectionOptions,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import type { ProxyOptions } from '../../src/proxy/proxy.ts';
import type { UpstreamOptions } from '../../src/proxy/upstream.ts';
import { startTestApp } from '../helpers/app-rig.ts';
import { connectRaw, drains, RawPeer, serveRaw, type RawServer } from '../helpers/raw-peer.ts';
import { ACCEPT, handshake, startTestProxy, switching, testAuthority, type TestProxy } from '../helpers/test-proxy.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function proxyWith(
  options: Partial<ProxyOptions> & { readonly upstreamOptions?: Partial<UpstreamOptions> } = {},
): Promise<TestProxy> {
  const proxy = await startTestProxy(options);
  closing.push(() => proxy.stop());
  return proxy;
}
async function origin(): Promise<RawServer> {
  const server = await serveRaw();
  closing.push(() => server.close());
  return server;
}
/** A tunnel that has been established, with nothing said in it. */
async function tunnel(proxy: TestProxy, target: string): Promise<RawPeer> {
  const peer = await connectRaw(proxy.port);
  closing.push(() => peer.socket.destroy());
  peer.send(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`);
  await peer.until('\r\n\r\n');
  expect(peer.received).toMatch(/^HTTP\/1\.1 200 /);
  peer.received = '';
  return peer;
}
/** The client's TLS inside a tunnel. */
function secured(peer: RawPeer, options: ConnectionOptions): { peer: RawPeer; socket: TLSSocket } {
  peer.socket.removeAllListeners('data');
  const socket = tlsConnect({ socket: peer.socket, ...options });
  return { peer: new RawPeer(socket), socket };
}
async function tlsContext(host: string): Promise<SecureContext> {
  return (await testAuthority()).secureContextFor(host);
}
/** An https server with a certificate under the test CA. */
async function secureEcho(
  host = '127.0.0.1',
  address = '127.0.0.1',
): Promise<{ port: number; connections: () => number }> {
  const secureContext = await tlsContext(host);
  const server = createHttpsServer({ SNICallback: (_, done) => done(null, secureContext) });
  // Without SNI (addresses) the server's own context is used.
  (server as unknown as { _sharedCreds: unknown })._sharedCreds = secureContext;
  let connections = 0;
  server.on('connection', () => connections++);
  server.on('request', (request, response) => response.end(`you asked for ${request.url ?? ''}`));
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => socket.on('message', (data, binary) => socket.send(data, { binary })));
  server.listen(0, address);
  await once(server, 'listening');
  closing.push(() => {
    for (const socket of sockets.clients) socket.terminate();
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, connections: () => connections };
}

describe('a CONNECT tunnel', () => {
  it('reaches the server before it is established, and uses that connection for the handshake', async () => {
    const server = await origin();
    const proxy = await proxyWith();
    const client = await tunnel(proxy, `127.0.0.1:${server.port}`);
    const upstream = await server.accept();
    client.send(handshake('/chat', `127.0.0.1:${server.port}`));
    await upstream.until('\r\n\r\n');
    upstream.send(switching(upstream.received));
    expect(await client.until('\r\n\r\n')).toContain(ACCEPT);
    expect(server.peers).toHaveLength(1);
    const session = await proxy.capture.open();
    expect(session.start).toMatchObject({ mode: 'connect', url: `ws://127.0.0.1:${server.port}/chat` });
  });

  it.each(['ws://elsewhere.test/chat?x', 'HTTPS://elsewhere.test:1/chat?x'])(
    'is where its handshake goes in the capture, whatever the target claims: %s',
    async (target) => {
      const server = await origin();
      const proxy = await proxyWith();
      const host = `127.0.0.1:${server.port}`;
      const client = await tunnel(proxy, host);
      client.send(handshake(target, host));
      const upstream = await server.accept();
      await upstream.until('\r\n\r\n');
      upstream.send(switching(upstream.received));
      await client.until(ACCEPT);
      expect((await proxy.capture.open()).start.url).toBe(`ws://${host}/chat?x`);
    },
  );

  it('takes bytes that come together with the CONNECT', async () => {
    const server = await origin();
    const proxy = await proxyWith();
    const client = await connectRaw(proxy.port);
    closing.push(() => client.socket.destroy());
    const host = `127.0.0.1:${server.port}`;
    client.send(`CONNECT ${host} HTTP/1.1\r\nHost: ${host}\r\n\r\n${handshake('/', host)}`);
    const upstream = await server.accept();
    expect(await upstream.until('\r\n\r\n')).toMatch(/^GET \/ HTTP\/1\.1\r\n/);
  });

  it('reads a handshake that comes byte by byte', async () => {
    const server = await origin();
    const proxy = await proxyWith();
    const client = await tunnel(proxy, `127.0.0.1:${server.port}`);
    for (const byte of handshake('/', 'x')) {
      client.send(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await (await server.accept()).until('\r\n\r\n')).toMatch(/^GET \/ HTTP\/1\.1\r\n/);
  });

  it('forwards ordinary requests, and dials anew for what comes after', async () => {
    const server = await origin();
    const proxy = await proxyWith();
    const host = `127.0.0.1:${server.port}`;
    const client = await tunnel(proxy, host);
    client.send(`GET /one HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    const first = await server.accept();
    expect(await first.until('\r\n\r\n')).toMatch(/^GET \/one /);
    first.socket.end('HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\none');
    await client.until('one');
    client.send(handshake('/two', host));
    const second = await server.accept();
    expect(await second.until('\r\n\r\n')).toMatch(/^GET \/two /);
    expect(server.peers).toHaveLength(2);
  });

  it.each([
    ['no port', 'example.test', 400, 'target-invalid', 'client'],
    ['port 0', 'example.test:0', 400, 'target-invalid', 'client'],
    ['a URL', 'http://example.test/', 400, 'target-invalid', 'client'],
    ['a name that does not resolve', 'nowhere.test:80', 502, 'upstream-name-not-found', 'server'],
    ['a port that refuses', '127.0.0.1:1', 502, 'upstream-refused', 'server'],
  ])('to %s is refused with the reason, and is in the capture', async (_, target, status, code, by) => {
    const lookup = (): Promise<never> => Promise.reject(Object.assign(new Error('no'), { code: 'ENOTFOUND' }));
    const proxy = await proxyWith({ upstreamOptions: { lookup } });
    const client = await connectRaw(proxy.port);
    client.send(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`);
    expect(await client.end()).toMatch(new RegExp(`^HTTP/1\\.1 ${status} [^]*frametap: ${code}\n`));
    const session = await proxy.capture.failed();
    expect(session).toMatchObject({ start: { url: target, mode: 'connect' }, fault: { by, code } });
  });

  it('does not lead to another tunnel', async () => {
    const server = await origin();
    const client = await tunnel(await proxyWith(), `127.0.0.1:${server.port}`);
    client.send('CONNECT other.test:443 HTTP/1.1\r\nHost: other.test\r\n\r\n');
    expect(await client.end()).toMatch(/^HTTP\/1\.1 400 [^]*frametap: target-invalid\n/);
  });

  it.each(['end', 'reset'] as const)('in which nothing was said carries the %s of the server', async (parting) => {
    const server = await origin();
    const client = await tunnel(await proxyWith(), `127.0.0.1:${server.port}`);
    const { socket } = await server.accept();
    if (parting === 'end') socket.end();
    else socket.resetAndDestroy();
    await client.end();
    expect(client.error?.code).toBe(parting === 'end' ? undefined : 'ECONNRESET');
  });

  it('lets go of the server where the client leaves without a word', async () => {
    const server = await origin();
    const client = await tunnel(await proxyWith(), `127.0.0.1:${server.port}`);
    const upstream = await server.accept();
    client.socket.destroy();
    await upstream.end();
  });

  it('lets go of both where the client ends its side while the server is being reached', async () => {
    const server = await origin();
    const proxy = await proxyWith();
    const client = await connectRaw(proxy.port);
    client.socket.end(`CONNECT 127.0.0.1:${server.port} HTTP/1.1\r\nHost: x\r\n\r\n`);
    const upstream = await server.accept();
    await Promise.all([client.end(), upstream.end()]);
  });

  it('keeps no connection of its own beside a session that took that of another tunnel', async () => {
    const server = await origin();
    // The session's connection moves to another Socket object: only a real one does that.
    const rig = await startTestApp();
    closing.push(() => rig.stop());
    const host = `127.0.0.1:${server.port}`;
    const open = async (): Promise<RawPeer> => {
      const peer = await connectRaw(rig.app.proxy.port);
      closing.push(() => peer.socket.destroy());
      peer.send(`CONNECT ${host} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      await peer.until('\r\n\r\n');
      return peer;
    };
    // Half a TLS record: what was opened for this tunnel waits for a request.
    const hesitant = (await open()).send('\x16\x03\x01');
    const first = await server.accept();
    const client = await open();
    const second = await server.accept();
    client.send(handshake('/', host));
    await first.until('\r\n\r\n');
    first.send(switching(first.received));
    await client.until(ACCEPT);
    await second.end();
    hesitant.socket.destroy();
    client.send('\x81\x80\0\0\0\0');
    await first.until(/\x81\x80....$/s);
  });

  it('serves a client that has said everything, and ended its side, with the CONNECT', async () => {
    const server = await origin();
    const proxy = await proxyWith();
    const client = await connectRaw(proxy.port);
    client.socket.end(`CONNECT 127.0.0.1:${server.port} HTTP/1.1\r\nHost: x\r\n\r\n{"all":1}`);
    const upstream = await server.accept();
    expect(await upstream.end()).toBe('{"all":1}');
    upstream.socket.end('answer');
    expect(await client.end()).toMatch(/^HTTP\/1\.1 200 [^]*\r\n\r\nanswer$/);
  });

  it('tries the next address where one refuses', async () => {
    const server = await origin();
    const lookup = (): Promise<{ address: string; family: number }[]> =>
      Promise.resolve([
        { address: '127.0.0.9', family: 4 },
        { address: '127.0.0.1', family: 4 },
      ]);
    const proxy = await proxyWith({ upstreamOptions: { lookup } });
    const client = await tunnel(proxy, `name.test:${server.port}`);
    client.send(handshake('/', 'name.test'));
    await (await server.accept()).until('\r\n\r\n');
    const session = await proxy.capture.session((one) => one.facts.server !== undefined);
    expect(session.facts).toMatchObject({ server: { address: '127.0.0.1' }, timingsMs: { dns: expect.any(Number) } });
  });
});

describe('a tunnel with something else in it', () => {
  it.each(['SSH-2.0-client\r\n', '\x00\x01binary', '{"json":true}\n'])('passes unread both ways: %j', async (hello) => {
    const server = await origin();
    const proxy = await proxyWith();
    const client = await tunnel(proxy, `127.0.0.1:${server.port}`);
    client.send(hello);
    const upstream = await server.accept();
    await upstream.until(hello);
    upstream.send('answer');
    await client.until('answer');
    client.socket.end('bye');
    await upstream.end();
    expect(upstream.received).toBe(`${hello}bye`);
    upstream.socket.end('last');
    expect(await client.end()).toBe('answerlast');
    expect(proxy.capture.sessions).toHaveLength(0);
  });

  it('passes unread where the server speaks first', async () => {
    const server = await origin();
    const client = await tunnel(await proxyWith(), `127.0.0.1:${server.port}`);
    const upstream = await server.accept();
    upstream.send('220 ready\r\n');
    await client.until('220 ready\r\n');
    client.send('GET / HTTP/1.1\r\n\r\n');
    expect(await upstream.until('\r\n\r\n')).toBe('GET / HTTP/1.1\r\n\r\n');
  });

  it('passes unread where the first line does not come to its end', async () => {
    const server = await origin();
    const client = await tunnel(await proxyWith({ timeouts: { headMs: 100 } }), `127.0.0.1:${server.port}`);
    client.send('NICK');
    expect(await (await server.accept()).until('NICK')).toBe('NICK');
  });

  it('carries a reset of either side', async () => {
    const server = await origin();
    const proxy = await proxyWith();
    for (const breaker of ['client', 'server'] as const) {
      const client = await tunnel(proxy, `127.0.0.1:${server.port}`);
      client.send('\0hello');
      const upstream = await server.accept();
      await upstream.until('hello');
      const [broken, other] = breaker === 'client' ? [client, upstream] : [upstream, client];
      broken.socket.resetAndDestroy();
      await other.end();
      expect(other.error?.code).toBe('ECONNRESET');
    }
  });

  it('stops reading one side while the other does not take it', async () => {
    const server = await origin();
    const client = await tunnel(await proxyWith(), `127.0.0.1:${server.port}`);
    client.send('\0');
    const upstream = await server.accept();
    await upstream.until('\0');
    upstream.socket.pause();
    const chunk = Buffer.alloc(1 << 20, 1);
    let accepted = 0;
    while (client.socket.write(chunk) || (await drains(client.socket))) accepted += chunk.length;
    // Kernel buffers and one high-water mark a socket: far from what was offered.
    expect(accepted).toBeLessThan(64 << 20);
    upstream.socket.resume();
    await once(client.socket, 'drain');
  });
});

describe('TLS in a tunnel', () => {
  it('is opened with a leaf for the name asked for, and what is inside is read', async () => {
    const { port, connections } = await secureEcho('localhost');
    const authority = await testAuthority();
    const proxy = await proxyWith({ upstreamOptions: { upstreamCa: [authority.certificatePem] } });
    const inner = secured(await tunnel(proxy, `localhost:${port}`), {
      servername: 'localhost',
      ca: authority.certificatePem,
    });
    inner.peer.send(handshake('/', `localhost:${port}`));
    await inner.peer.until(ACCEPT);
    const session = await proxy.capture.open();
    expect(session.start.url).toBe(`wss://localhost:${port}/`);
    expect(session.facts).toMatchObject({
      clientTls: { version: 'TLSv1.3', certificateSha256: authority.leafSha256For('localhost') },
      server: { tls: { version: 'TLSv1.3', certificateSha256: authority.leafSha256For('localhost') } },
      timingsMs: { tls: expect.any(Number) },
    });
    expect(inner.socket.getPeerX509Certificate()?.checkHost('localhost')).toBe('localhost');
    expect(connections()).toBe(1);
  });

  it('asks the server by the name that the client asks for, also where the tunnel leads to an address', async () => {
    const { port } = await secureEcho('localhost');
    const authority = await testAuthority();
    const proxy = await proxyWith({ upstreamOptions: { upstreamCa: [authority.certificatePem] } });
    const inner = secured(await tunnel(proxy, `127.0.0.1:${port}`), {
      servername: 'localhost',
      ca: authority.certificatePem,
    });
    inner.peer.send(handshake('/', `localhost:${port}`));
    await inner.peer.until(ACCEPT);
    expect((await proxy.capture.open()).start.url).toBe(`wss://127.0.0.1:${port}/`);
  });

  it('has a leaf for the CONNECT host where no name is asked for', async () => {
    const { port } = await secureEcho();
    const authority = await testAuthority();
    const proxy = await proxyWith({ upstreamOptions: { upstreamCa: [authority.certificatePem] } });
    const inner = secured(await tunnel(proxy, `127.0.0.1:${port}`), {
      ca: authority.certificatePem,
      host: '127.0.0.1',
    });
    inner.peer.send(`GET /page HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`);
    expect(await inner.peer.until('you asked for /page')).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(inner.socket.getPeerX509Certificate()?.checkIP('127.0.0.1')).toBe('127.0.0.1');
  });

  it('has a leaf for an IPv6 address too, and the server is held against its address', async () => {
    const authority = await testAuthority();
    for (const named of ['::1', '::2']) {
      const { port } = await secureEcho(named, '::1');
      const proxy = await proxyWith({ upstreamOptions: { upstreamCa: [authority.certificatePem] } });
      const inner = secured(await tunnel(proxy, `[::1]:${port}`), {
        ca: authority.certificatePem,
        checkServerIdentity: () => undefined,
      });
      inner.peer.send(handshake('/', `[::1]:${port}`));
      if (named === '::1') await inner.peer.until(ACCEPT);
      else expect(await inner.peer.end()).toContain('frametap: upstream-certificate\n');
      expect(inner.socket.getPeerX509Certificate()?.checkIP('::1')).toBe('::1');
    }
  });

  it('carries ws to ws', async () => {
    const { port } = await secureEcho('localhost');
    const authority = await testAuthority();
    const proxy = await proxyWith({ upstreamOptions: { upstreamCa: [authority.certificatePem] } });
    const inner = secured(await tunnel(proxy, `localhost:${port}`), {
      servername: 'localhost',
      ca: authority.certificatePem,
    });
    inner.socket.removeAllListeners('data');
    const client = new WebSocket(`ws://localhost:${port}/`, { createConnection: () => inner.socket });
    await once(client, 'open');
    client.send('hello');
    const [data] = (await once(client, 'message')) as [Buffer];
    expect(data.toString()).toBe('hello');
    client.close(1000, 'done');
    expect((await once(client, 'close'))[0]).toBe(1000);
  });

  it('to a server whose certificate cannot be verified gets 502 with the flag that would allow it', async () => {
    const { port } = await secureEcho('localhost');
    const authority = await testAuthority();
    const proxy = await proxyWith();
    const inner = secured(await tunnel(proxy, `localhost:${port}`), {
      servername: 'localhost',
      ca: authority.certificatePem,
    });
    inner.peer.send(handshake('/', `localhost:${port}`));
    const received = await inner.peer.end();
    expect(received).toMatch(/^HTTP\/1\.1 502 [^]*frametap: upstream-certificate\n/);
    expect(received).toContain('--insecure');
    const session = await proxy.capture.failed();
    expect(session.fault).toMatchObject({ by: 'server', code: 'upstream-certificate' });
    expect(session.fault?.message).toMatch(/issuer|root/);
  });

  it('to a server with a certificate for another name says so; --insecure lets it pass', async () => {
    const { port } = await secureEcho('other.test');
    const authority = await testAuthority();
    for (const insecure of [false, true]) {
      const proxy = await proxyWith({ upstreamOptions: { upstreamCa: [authority.certificatePem], insecure } });
      const inner = secured(await tunnel(proxy, `localhost:${port}`), {
        servername: 'localhost',
        ca: authority.certificatePem,
      });
      inner.peer.send(handshake('/', `localhost:${port}`));
      if (insecure) await inner.peer.until(ACCEPT);
      else {
        expect(await inner.peer.end()).toContain('frametap: upstream-certificate\n');
        expect((await proxy.capture.failed()).fault?.message).toContain('it is for another name');
      }
    }
  });

  it('to a server without TLS says so', async () => {
    const server = await origin();
    const authority = await testAuthority();
    const proxy = await proxyWith();
    const inner = secured(await tunnel(proxy, `localhost:${server.port}`), {
      servername: 'localhost',
      ca: authority.certificatePem,
    });
    inner.peer.send(handshake('/', 'localhost'));
    const upstream = await server.accept();
    await upstream.until('\x16');
    upstream.send('HTTP/1.1 400 Bad Request\r\n\r\n');
    expect(await inner.peer.end()).toContain('frametap: upstream-tls-failed\n');
    expect((await proxy.capture.failed()).fault?.message).toContain('there is no TLS on this port');
  });

  it('of a client that does not trust the CA is named in the log and in the capture', async () => {
    const server = await origin();
    const proxy = await proxyWith();
    const inner = secured(await tunnel(proxy, `localhost:${server.port}`), { servername: 'localhost' });
    await inner.peer.end();
    const session = await proxy.capture.failed();
    expect(session).toMatchObject({
      start: { url: `localhost:${server.port}`, mode: 'connect' },
      fault: { by: 'client', code: 'client-tls-untrusted' },
    });
    expect(session.fault?.message).toContain('http://frametap.test/');
    expect(proxy.log).toEqual([session.fault?.message]);
  });

  it('of a client that goes at our certificate without an alert is taken for the same', async () => {
    const server = await origin();
    const proxy = await proxyWith();
    const client = await tunnel(proxy, `localhost:${server.port}`);
    const recorded = await clientHello();
    client.send(recorded);
    await client.until(/^\x16/);
    client.socket.destroy();
    expect((await proxy.capture.failed()).fault).toMatchObject({ code: 'client-tls-untrusted' });
  });

  it('that is broken is named as failed, with the reason', async () => {
    const server = await origin();
    const proxy = await proxyWith();
    const client = await tunnel(proxy, `localhost:${server.port}`);
    client.send(Buffer.from('\x16\x03\x01\0\x05hello', 'latin1'));
    await client.end();
    expect((await proxy.capture.failed()).fault).toMatchObject({ by: 'client', code: 'client-tls-failed' });
  });

  it('that asks for HTTP/2 alone is not opened', async () => {
    const server = await origin();
    const proxy = await proxyWith();
    const authority = await testAuthority();
    const inner = secured(await tunnel(proxy, `localhost:${server.port}`), {
      servername: 'localhost',
      ca: authority.certificatePem,
      ALPNProtocols: ['h2'],
    });
    await inner.peer.end();
    expect((await proxy.capture.failed()).fault).toMatchObject({ code: 'client-tls-failed' });
  });

  it.each([
    ['secret.*', 'secret.test', '127.0.0.1'],
    ['s?cret.te?t', 'secret.test', '127.0.0.1'],
    ['*.test', 'secret.test.', '127.0.0.1'],
    ['*.test.', 'secret.test', '127.0.0.1'],
    ['[::1]', '[::1]', '::1'],
    ['::*', '[::1]', '::1'],
  ])('passes unread for hosts named by --passthrough %s: %s', async (glob, host, address) => {
    const secureContext = await tlsContext('secret.test');
    const server = createTlsServer({ SNICallback: (_, done) => done(null, secureContext) }, (socket) =>
      socket.end('straight from the server'),
    );
    server.listen(0, address);
    await once(server, 'listening');
    closing.push(() => server.close());
    const { port } = server.address() as AddressInfo;
    const lookup = (): Promise<{ address: string; family: number }[]> => Promise.resolve([{ address, family: 4 }]);
    const proxy = await proxyWith({ passthrough: ['*.example', glob], upstreamOptions: { lookup } });
    const authority = await testAuthority();
    const inner = secured(await tunnel(proxy, `${host}:${port}`), {
      servername: 'secret.test',
      ca: authority.certificatePem,
    });
    expect(await inner.peer.end()).toBe('straight from the server');
    expect(proxy.capture.sessions).toHaveLength(0);
  });

  it('with something that is no HTTP inside passes on to the server, read by nobody', async () => {
    const secureContext = await tlsContext('localhost');
    const server = createTlsServer({ SNICallback: (_, done) => done(null, secureContext) }, (socket) =>
      socket.once('data', (data: Buffer) => socket.end(`got ${data.toString()}`)),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    closing.push(() => server.close());
    const { port } = server.address() as AddressInfo;
    const authority = await testAuthority();
    const proxy = await proxyWith({ upstreamOptions: { upstreamCa: [authority.certificatePem] } });
    const inner = secured(await tunnel(proxy, `localhost:${port}`), {
      servername: 'localhost',
      ca: authority.certificatePem,
    });
    inner.peer.send('\x10\x01mqtt');
    expect(await inner.peer.end()).toBe('got \x10\x01mqtt');
  });
});

/** The bytes with which a TLS client of Node begins. */
async function clientHello(): Promise<string> {
  const server = await serveRaw();
  const socket = tlsConnect({ port: server.port, host: '127.0.0.1', servername: 'localhost' });
  socket.on('error', () => undefined);
  const peer = await server.accept();
  const bytes = await peer.until(/^\x16[^]{100}/);
  socket.destroy();
  server.close();
  return bytes;
}
