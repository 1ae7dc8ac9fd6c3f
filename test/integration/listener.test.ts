import { connect as tlsConnect } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import type { ProxyOptions } from '../../src/proxy/proxy.ts';
import { connectRaw, RawPeer, serveRaw } from '../helpers/raw-peer.ts';
import { ACCEPT, handshake, startTestProxy, switching, type TestProxy } from '../helpers/test-proxy.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function proxyWith(options: Partial<ProxyOptions> = {}): Promise<TestProxy> {
  const proxy = await startTestProxy(options);
  closing.push(() => proxy.stop());
  return proxy;
}
async function client(proxy: TestProxy): Promise<RawPeer> {
  const peer = await connectRaw(proxy.port);
  closing.push(() => peer.socket.destroy());
  return peer;
}
async function origin(): Promise<Awaited<ReturnType<typeof serveRaw>>> {
  const server = await serveRaw();
  closing.push(() => server.close());
  return server;
}

describe('what is no request', () => {
  it.each([
    ['binary garbage', '\0\x01\x02\x03'],
    ['a line of text', 'hello there\r\n'],
    ['SOCKS', '\x05\x01\x00'],
    ['a malformed field', 'GET http://x/ HTTP/1.1\r\nHost : x\r\n\r\n'],
    ['a folded field', 'GET http://x/ HTTP/1.1\r\nHost: x\r\n y\r\n\r\n'],
  ])('gets 400 with a reason at once: %s', async (_, bytes) => {
    const peer = await client(await proxyWith());
    peer.send(bytes);
    expect(await peer.end()).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n[^]*frametap: bad-request\n/);
  });

  it('gets 431 where the head is over 64 KiB', async () => {
    const peer = await client(await proxyWith());
    peer.send(`GET http://x/ HTTP/1.1\r\nX: ${'a'.repeat(70_000)}`);
    expect(await peer.end()).toMatch(/^HTTP\/1\.1 431 [^]*frametap: head-too-large\n/);
  });

  it('gets 408 where the head stops in the middle', async () => {
    const peer = await client(await proxyWith({ timeouts: { headMs: 100 } }));
    peer.send('GET http://x/ HTTP/1.1\r\nHost: x\r\n');
    expect(await peer.end()).toMatch(/^HTTP\/1\.1 408 [^]*frametap: head-timeout\n/);
  });

  it('gets 408 where a later head on the connection stops in the middle', async () => {
    const peer = await client(await proxyWith({ timeouts: { headMs: 150 } }));
    peer.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await peer.until('</html>');
    peer.received = '';
    peer.send('GET / HTTP/1.1\r\nHost: x\r\n');
    expect(await peer.end()).toMatch(/^HTTP\/1\.1 408 [^]*frametap: head-timeout\n/);
  });

  it.each([
    ['431 for a later head over 64 KiB', `GET / HTTP/1.1\r\nX: ${'a'.repeat(70_000)}\r\n\r\n`, /^HTTP\/1\.1 431 /],
    ['400 for later garbage', '\0\x01\x02\x03\r\n\r\n', /^HTTP\/1\.1 400 [^]*frametap: bad-request\n/],
  ])('gets %s on the connection', async (_, bytes, answer) => {
    const peer = await client(await proxyWith());
    peer.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await peer.until('</html>');
    peer.received = '';
    peer.send(bytes);
    expect(await peer.end()).toMatch(answer);
  });

  it('gets 400 where the client ends in the middle of a head', async () => {
    const peer = await client(await proxyWith());
    peer.socket.end('GET http://x/ HT');
    expect(await peer.end()).toMatch(/^HTTP\/1\.1 400 /);
  });

  it('gets SETTINGS and GOAWAY with HTTP_1_1_REQUIRED where it is HTTP/2', async () => {
    const peer = await client(await proxyWith());
    peer.send('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0');
    const bytes = Buffer.from(await peer.end(), 'latin1');
    expect(bytes.subarray(0, 9)).toEqual(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]));
    expect(bytes[12]).toBe(7);
    expect(bytes.readUInt32BE(22)).toBe(0x0d);
    expect(bytes.toString('latin1', 26)).toBe('Frametap speaks HTTP/1.1 here.');
  });

  it('leaves the port as it was for the next one', async () => {
    const proxy = await proxyWith();
    for (const bytes of ['\0', 'PRI * HTTP/2.0\r\n\r\n', '\x16\x03\x01\0\0']) {
      const peer = await client(proxy);
      peer.send(bytes);
      peer.socket.resetAndDestroy();
    }
    const peer = await client(proxy);
    peer.send('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    expect(await peer.end()).toMatch(/^HTTP\/1\.1 200 OK/);
  });
});

describe('an ordinary request', () => {
  it('is forwarded byte by byte as it comes, and others follow on its connection, handshakes included', async () => {
    const server = await origin();
    const proxy = await proxyWith();
    const peer = await client(proxy);
    const request = `POST http://127.0.0.1:${server.port}/a//b HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nContent-Length: 4\r\n\r\nbody`;
    for (const byte of request) {
      peer.send(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const first = await server.accept();
    expect(await first.until('body')).toMatch(/^POST \/a\/\/b HTTP\/1\.1\r\n/);
    first.send('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none');
    await peer.until('one');
    peer.send(handshake(`http://127.0.0.1:${server.port}/ws`, `127.0.0.1:${server.port}`));
    const second = await server.accept();
    expect(await second.until('\r\n\r\n')).toMatch(/^GET \/ws HTTP\/1\.1\r\n/);
    second.socket.end('HTTP/1.1 503 No\r\n\r\n');
    await peer.until('503 No');
    expect((await proxy.capture.failed()).start.mode).toBe('absolute-form');
  });

  it.each(['h2c', 'TLS/1.2, h2c'])(
    'that asks for an upgrade to %s is forwarded as an ordinary one',
    async (protocol) => {
      const server = await origin();
      const peer = await client(await proxyWith());
      const host = `127.0.0.1:${server.port}`;
      peer.send(
        `GET http://${host}/one HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: ${protocol}\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n`,
      );
      const upstream = await server.accept();
      const request = await upstream.until('\r\n\r\n');
      expect(request).toMatch(/^GET \/one HTTP\/1\.1\r\n/);
      expect(request).not.toMatch(/upgrade|http2-settings/i);
      upstream.send('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none');
      await peer.until('one');
      // The connection goes on: also with a body and the same wish.
      peer.send(
        `POST http://${host}/two HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\nContent-Length: 4\r\n\r\nbody`,
      );
      await upstream.until('body');
      upstream.send('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntwo');
      await peer.until('two');
    },
  );

  /** A request, with what is to follow it in the same segment. */
  const pipelined = (port: number, following: string): string =>
    `GET http://127.0.0.1:${port}/slow HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n${following}`;

  it.each([
    ['a handshake', (port: number) => handshake(`http://127.0.0.1:${port}/ws`, `127.0.0.1:${port}`)],
    ['a CONNECT', (port: number) => `CONNECT 127.0.0.1:${port} HTTP/1.1\r\nHost: x\r\n\r\n`],
    ['garbage', () => '\0\x01\x02\r\n\r\n'],
    ['a bad handshake', () => handshake('http://x/', 'x', ['Connection: close', 'Sec-WebSocket-Key: bad'])],
  ])('is answered before %s that was sent behind it', async (name, made) => {
    const server = await origin();
    const peer = await client(await proxyWith());
    peer.send(pipelined(server.port, made(server.port)));
    const slow = await server.accept();
    await slow.until('GET /slow');
    // Everything that came with it has been seen by the time another connection is served.
    const other = await client(await proxyWith());
    other.send('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    await other.end();
    expect(peer.received).toBe('');
    expect(server.peers).toHaveLength(1);
    slow.send('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst');
    if (name === 'a handshake') {
      const upstream = await server.accept();
      await upstream.until('\r\n\r\n');
      upstream.send(switching(upstream.received));
    }
    const expected = { 'a handshake': '101 ', 'a CONNECT': '200 ' }[name] ?? '400 ';
    expect(await peer.until(new RegExp(`first.*${expected}`, 's'))).toMatch(
      new RegExp(`^HTTP/1\\.1 200 OK\r\n[^]*\r\n\r\nfirstHTTP/1\\.1 ${expected}`),
    );
  });

  it('has its long answer whole before that of a handshake that was sent behind it', async () => {
    const server = await origin();
    const peer = await client(await proxyWith());
    const host = `127.0.0.1:${server.port}`;
    peer.socket.pause();
    peer.send(pipelined(server.port, handshake(`http://${host}/ws`, host)));
    const body = 'x'.repeat(30_000_000);
    (await server.accept()).send(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    // The answer fills every buffer on its way first.
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(server.peers).toHaveLength(1);
    peer.socket.resume();
    const upstream = await server.accept();
    await upstream.until('\r\n\r\n');
    upstream.send(switching(upstream.received));
    await peer.until(ACCEPT);
    expect(peer.received.indexOf('HTTP/1.1 101 ')).toBe(peer.received.indexOf('xH') + 1);
    expect(peer.received.indexOf('xH')).toBe(peer.received.indexOf('\r\n\r\n') + 3 + body.length);
  });

  it('that is the last of its connection leaves a handshake behind it unanswered', async () => {
    const server = await origin();
    const proxy = await proxyWith();
    const peer = await client(proxy);
    const host = `127.0.0.1:${server.port}`;
    peer.send(
      pipelined(server.port, handshake(`http://${host}/ws`, host)).replace('Host', 'Connection: close\r\nHost'),
    );
    (await server.accept()).send('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst');
    expect(await peer.end()).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nfirst$/);
    expect(proxy.capture.sessions).toHaveLength(0);
  });

  it('is given up where the client goes, also while others wait for their turn', async () => {
    const server = await origin();
    const peer = await client(await proxyWith());
    const host = `127.0.0.1:${server.port}`;
    peer.send(`GET http://${host}/1 HTTP/1.1\r\nHost: ${host}\r\n\r\n${pipelined(server.port, '')}`);
    const both = [await server.accept(), await server.accept()];
    for (const one of both) await one.until('\r\n\r\n');
    peer.socket.resetAndDestroy();
    for (const one of both) await one.end();
  });

  it.each(['forward', 'reverse', 'tunnel', 'own pages'])('with two Host fields gets 400: %s', async (way) => {
    const server = await origin();
    const reverse = way === 'reverse' ? { secure: false, host: '127.0.0.1', port: server.port } : null;
    const peer = await client(await proxyWith({ reverse }));
    const host = `127.0.0.1:${server.port}`;
    if (way === 'tunnel') {
      peer.send(`CONNECT ${host} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      await peer.until('\r\n\r\n');
      peer.received = '';
    }
    const target = way === 'forward' ? `http://${host}/` : '/';
    peer.send(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\nHost: other.test\r\nConnection: close\r\n\r\n`);
    expect(await peer.end()).toMatch(/^HTTP\/1\.1 400 [^]*frametap: bad-request\n/);
    for (const { received } of server.peers) expect(received).toBe('');
  });

  it('to a server that refuses the connection gets 502 with the reason', async () => {
    const server = await serveRaw();
    server.close();
    const peer = await client(await proxyWith());
    peer.send(`GET http://127.0.0.1:${server.port}/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(await peer.end()).toMatch(/^HTTP\/1\.1 502 [^]*upstream-refused/);
  });

  it.each(['ftp://x/', 'http://user@x/', 'http://x:99999/', 'http:///'])('to %s gets 400', async (target) => {
    const peer = await client(await proxyWith());
    peer.send(`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(await peer.end()).toMatch(/^HTTP\/1\.1 400 [^]*frametap: target-invalid\n/);
  });
});

describe('TLS straight on the port', () => {
  it('is ended here with a leaf for the name asked for, and read like the rest', async () => {
    const server = await origin();
    const proxy = await proxyWith();
    const secure = tlsConnect({
      port: proxy.port,
      host: '127.0.0.1',
      servername: 'proxy.test',
      ca: proxy.authority.certificatePem,
      ALPNProtocols: ['h2', 'http/1.1'],
    });
    const peer = new RawPeer(secure);
    closing.push(() => secure.destroy());
    peer.send(handshake(`ws://127.0.0.1:${server.port}/`, `127.0.0.1:${server.port}`));
    const upstream = await server.accept();
    await upstream.until('\r\n\r\n');
    expect(secure.alpnProtocol).toBe('http/1.1');
    upstream.socket.end('HTTP/1.1 403 No\r\n\r\n');
    await peer.until('403 No');
    expect((await proxy.capture.failed()).facts.clientTls).toMatchObject({ version: 'TLSv1.3', alpn: 'http/1.1' });
  });

  it('has a leaf for the address where no name is asked for', async () => {
    const proxy = await proxyWith();
    const secure = tlsConnect({ port: proxy.port, host: '127.0.0.1', ca: proxy.authority.certificatePem });
    const peer = new RawPeer(secure);
    peer.send('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    expect(await peer.end()).toMatch(/^HTTP\/1\.1 200 OK/);
  });
});

describe('the port', () => {
  it('that is taken is refused where it was asked for, else the next free one is used', async () => {
    const proxy = await proxyWith();
    const options = { port: proxy.port };
    await expect(startTestProxy(options)).rejects.toMatchObject({ code: 'port-taken', exitCode: 69 });
    const other = await proxyWith({ ...options, nextFreePort: true });
    expect(other.port).toBeGreaterThan(proxy.port);
  });

  it('on an address that is not ours is refused', async () => {
    await expect(startTestProxy({ host: '203.0.113.1' })).rejects.toMatchObject({ code: 'bind-failed' });
  });

  it('is one of the listeners that the proxy does not proxy to', async () => {
    const proxy = await startTestProxy();
    expect([...proxy.ownListeners]).toEqual([{ address: '127.0.0.1', port: proxy.port }]);
    await proxy.stop();
    expect(proxy.ownListeners.size).toBe(0);
  });
});

describe('stopping', () => {
  it('lets a running exchange end, ends what waits, and accepts nobody', async () => {
    const server = await origin();
    const proxy = await startTestProxy();
    const waiting = await connectRaw(proxy.port);
    const running = await connectRaw(proxy.port);
    running.send(`GET http://127.0.0.1:${server.port}/ HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n\r\n`);
    const upstream = await server.accept();
    await upstream.until('\r\n\r\n');
    const stopped = proxy.stop();
    upstream.send('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone');
    expect(await running.end()).toMatch(/done$/);
    await waiting.end();
    await stopped;
    await expect(connectRaw(proxy.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('does not wait for longer than its limit', async () => {
    const server = await origin();
    const proxy = await startTestProxy({ timeouts: { drainMs: 50 } });
    const running = await connectRaw(proxy.port);
    running.send(`GET http://127.0.0.1:${server.port}/ HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n\r\n`);
    await (await server.accept()).until('\r\n\r\n');
    await proxy.stop();
    await running.end();
  });

  it('leaves sessions to whoever runs them', async () => {
    const server = await origin();
    const proxy = await startTestProxy({ reverse: { secure: false, host: '127.0.0.1', port: server.port } });
    const peer = await connectRaw(proxy.port);
    peer.send(handshake('/', 'x'));
    const upstream = await server.accept();
    await upstream.until('\r\n\r\n');
    upstream.send(switching(upstream.received));
    await peer.until(ACCEPT);
    await proxy.stop();
    peer.send('after');
    await upstream.until('after');
    peer.socket.destroy();
  });
});
