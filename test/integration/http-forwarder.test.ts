import { once } from 'node:events';
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { Readable } from 'node:stream';
import util from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FrametapError } from '../../src/errors.ts';
import { issueTestCertificate } from '../helpers/raw-http-certificate.ts';
import {
  startForwardingProxy,
  type ForwardingProxy,
  type ForwardingProxyOptions,
} from '../helpers/raw-http-forwarding.ts';
import { closeRaw, RawOrigin, type RawPeer } from '../helpers/raw-http.ts';

let proxies: ForwardingProxy[] = [];
let origin: RawOrigin;

async function startProxy(options?: ForwardingProxyOptions): Promise<ForwardingProxy> {
  const proxy = await startForwardingProxy(options);
  proxies.push(proxy);
  return proxy;
}

beforeEach(async () => {
  origin = await RawOrigin.listen();
});

afterEach(async () => {
  await closeRaw();
  for (const proxy of proxies) await proxy.close();
  proxies = [];
});

const at = (target: string): string => `http://origin.test:${origin.port}${target}`;
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** Sends a whole request and gives the connection on which the server has it. */
async function begin(client: RawPeer, request: string): Promise<{ server: RawPeer; head: string }> {
  client.write(request);
  const server = await origin.accept();
  return { server, head: await server.readHead() };
}

/** Lets everything that is going to move, move: round trips through the same process are the clock. */
async function settle(proxy: ForwardingProxy, moved: () => number): Promise<number> {
  const clock = await RawOrigin.listen();
  const client = await proxy.connect();
  let server: RawPeer | undefined;
  for (let still = 0; still < 40;) {
    const before = moved();
    client.write(`GET http://clock.test:${clock.port}/ HTTP/1.1\r\nHost: c\r\n\r\n`);
    server ??= await clock.accept();
    await server.readHead();
    server.write(OK);
    await client.readMessage();
    still = moved() === before ? still + 1 : 0;
  }
  return moved();
}

describe('the request target', () => {
  it.each([
    '/a//b///c',
    '/login?next=http://other.test//x/../y',
    '/q?json={"a":["b"]}&s=\'x\'`^|',
    '/back\\slash?c:\\d',
    '/%7Euser/a%2Fb/%2e%2e/c/../d/./e',
    '/semi;colon,comma?=&&=?a?b',
  ])('goes up as it was written: %s', async (target) => {
    const client = await (await startProxy()).connect();
    const { head } = await begin(client, `GET ${at(target)} HTTP/1.1\r\nHost: o\r\n\r\n`);
    expect(head).toBe(`GET ${target} HTTP/1.1\r\nHost: o\r\n\r\n`);
  });

  it.each([
    ['GET', '', '/'],
    ['GET', '?q=1', '/?q=1'],
    ['OPTIONS', '', '*'],
  ])('%s of an absolute URL that stops after its authority and "%s" goes up as %s', async (method, rest, target) => {
    const client = await (await startProxy()).connect();
    const { head } = await begin(client, `${method} ${at(rest)} HTTP/1.1\r\nHost: o\r\n\r\n`);
    expect(head).toMatch(new RegExp(`^${method} ${target.replace(/[*?]/g, '\\$&')} HTTP/1\\.1\r\n`));
  });
});

describe('request header fields', () => {
  it('go up in their order, case and number, less what is meant for the proxy', async () => {
    const client = await (await startProxy()).connect();
    const { head } = await begin(
      client,
      `GET ${at('/')} HTTP/1.1\r\nhOST: Origin.Test\r\nX-a: 1\r\nAccept:  spaced  out \r\nx-A: 2\r\nCookie: a=1\r\n` +
        'Connection: keep-alive, X-Hop, close, Host, Content-Length\r\nx-hop: gone\r\nKeep-Alive: timeout=9\r\n' +
        'Proxy-Authorization: Basic c2VjcmV0\r\nProxy-Connection: keep-alive\r\nTE: trailers\r\nUpgrade: h2c\r\n' +
        'X-Forwarded-For: from.client\r\nCOOKIE: b=2\r\nX-Empty:\r\n\r\n',
    );
    expect(head).toBe(
      'GET / HTTP/1.1\r\nhOST: Origin.Test\r\nX-a: 1\r\nAccept: spaced  out\r\nx-A: 2\r\nCookie: a=1\r\n' +
        'X-Forwarded-For: from.client\r\nCOOKIE: b=2\r\nX-Empty: \r\n\r\n',
    );
  });

  it('get a Host where the client named none', async () => {
    const client = await (await startProxy()).connect();
    const { head } = await begin(client, `GET ${at('/')} HTTP/1.0\r\n\r\n`);
    expect(head).toBe(`GET / HTTP/1.1\r\nHost: origin.test:${origin.port}\r\n\r\n`);
  });

  it('get another Host in its place where one is given', async () => {
    const client = await (await startProxy({ host: 'behind.test' })).connect();
    const { head } = await begin(client, `GET ${at('/')} HTTP/1.1\r\nA: 1\r\nhost: x\r\nB: 2\r\nHost: y\r\n\r\n`);
    expect(head).toBe('GET / HTTP/1.1\r\nA: 1\r\nhost: behind.test\r\nB: 2\r\n\r\n');
  });

  it('keep their bytes, Latin-1 and UTF-8 alike, with and without Expect, and so do those of the response', async () => {
    const proxy = await startProxy();
    const utf8 = Buffer.from('grün→').toString('latin1');
    for (const expectation of ['', 'Expect: 100-continue\r\n']) {
      const client = await proxy.connect();
      const fields = `Host: o\r\nX-Latin: gr\xfcn\r\nX-Utf: ${utf8}\r\n${expectation}Content-Length: 0\r\n\r\n`;
      const { server, head } = await begin(client, `POST ${at('/')} HTTP/1.1\r\n${fields}`);
      expect(head).toBe(`POST / HTTP/1.1\r\n${fields}`);
      if (expectation !== '') {
        server.write('HTTP/1.1 100 Continue\r\n\r\n');
        await client.readHead();
      }
      for (const framing of ['Content-Length: 0\r\n\r\n', 'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n']) {
        if (framing.startsWith('T')) {
          client.write(`GET ${at('/')} HTTP/1.1\r\nHost: o\r\n\r\n`);
          await server.readHead();
        }
        const answer = `HTTP/1.1 200 Gr\xfc\xdfe\r\nX-Latin: gr\xfcn\r\nX-Utf: ${utf8}\r\n${framing}`;
        server.write(answer);
        expect(await client.readBytes(answer.length)).toBe(answer);
      }
      server.socket.end();
      await server.closed;
    }
  });
});

describe('the response head', () => {
  it('comes down with its reason, order, case and repeated fields, and nothing is added', async () => {
    const client = await (await startProxy()).connect();
    const { server } = await begin(client, `GET ${at('/')} HTTP/1.1\r\nHost: o\r\n\r\n`);
    server.write(
      'HTTP/1.1 299 Quite  Fine\r\nset-COOKIE: a=1\r\nX-One: 1\r\nSet-Cookie: b=2\r\nx-one: 2\r\nKeep-Alive: timeout=1\r\n' +
        'Connection: keep-alive, X-Hop\r\nX-Hop: gone\r\nProxy-Authenticate: Basic\r\nContent-length: 2\r\n\r\nok',
    );
    expect(await client.readMessage()).toEqual({
      head:
        'HTTP/1.1 299 Quite  Fine\r\nset-COOKIE: a=1\r\nX-One: 1\r\nSet-Cookie: b=2\r\nx-one: 2\r\n' +
        'Content-length: 2\r\n\r\n',
      body: 'ok',
    });
  });

  it('keeps a `Connection: close` of the proxy’s own, and only that', async () => {
    const client = await (await startProxy({ lastAnswers: true })).connect();
    const { server } = await begin(client, `GET ${at('/')} HTTP/1.1\r\nHost: o\r\n\r\n`);
    server.write('HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nX: y\r\nContent-Length: 2\r\n\r\nok');
    expect(await client.readRest()).toBe('HTTP/1.1 200 OK\r\nConnection: close\r\nX: y\r\nContent-Length: 2\r\n\r\nok');
  });

  it('may have 2,500 fields and 125 KB', async () => {
    const client = await (await startProxy()).connect();
    const { server } = await begin(client, `GET ${at('/')} HTTP/1.1\r\nHost: o\r\n\r\n`);
    const fields = Array.from({ length: 2_500 }, (_, index) => `X-${index}: ${'v'.repeat(42)}\r\n`).join('');
    server.write(`HTTP/1.1 200 OK\r\n${fields}Content-Length: 0\r\n\r\n`);
    expect(await client.readHead()).toBe(`HTTP/1.1 200 OK\r\n${fields}Content-Length: 0\r\n\r\n`);
  });

  it.each([
    ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n'],
    ['HEAD', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['GET', 'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\nContent-Length: 1000\r\n\r\n'],
    ['GET', 'HTTP/1.1 204 No Content\r\nX: y\r\n\r\n'],
    ['DELETE', 'HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n'],
  ])('of a bodyless answer to %s is exact, and the connection goes on: %j', async (method, answer) => {
    const client = await (await startProxy()).connect();
    const { server } = await begin(client, `${method} ${at('/')} HTTP/1.1\r\nHost: o\r\n\r\n`);
    server.write(answer);
    expect(await client.readHead()).toBe(answer);
    client.write(`GET ${at('/next')} HTTP/1.1\r\nHost: o\r\n\r\n`);
    expect(await server.readHead()).toContain('GET /next ');
    server.write(OK);
    expect(await client.readMessage()).toEqual({ head: OK.slice(0, -2), body: 'ok' });
  });

  it('comes after a 103 with fields of any kind', async () => {
    const client = await (await startProxy()).connect();
    const { server } = await begin(client, `GET ${at('/')} HTTP/1.1\r\nHost: o\r\n\r\n`);
    const hints = 'HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\nX-Hint: \xfc\r\nLink: </b.js>\r\n\r\n';
    server.write(hints);
    expect(await client.readHead()).toBe(hints);
    server.write(OK);
    expect((await client.readMessage()).body).toBe('ok');
  });

  it('comes also after interim responses without an end, of which the client is sent what it reads', async () => {
    const client = await (await startProxy()).connect();
    const { server } = await begin(client, `GET ${at('/')} HTTP/1.1\r\nHost: o\r\n\r\n`);
    client.socket.pause();
    const hints = Buffer.from(`HTTP/1.1 103 Early Hints\r\nLink: <${'x'.repeat(16_000)}>\r\n\r\n`.repeat(64));
    for (let i = 0; i < 100; i++) if (!server.socket.write(hints)) await once(server.socket, 'drain');
    server.write(OK);
    client.socket.resume();
    // What the systems' buffers took; it was not kept in ours.
    expect((await client.readThrough('200 OK')).length).toBeLessThan(64 * 1024 * 1024);
  });

  it.each([
    ['a field with a control character', 'HTTP/1.1 200 OK\r\nX: a\x01b\r\nContent-Length: 0\r\n\r\n'],
    ['a field name with a blank', 'HTTP/1.1 200 OK\r\nBad Name: x\r\nContent-Length: 0\r\n\r\n'],
    ['a reason with a control character', 'HTTP/1.1 200 O\x01K\r\nContent-Length: 0\r\n\r\n'],
    ['a status below 100', 'HTTP/1.1 099 Low\r\nContent-Length: 0\r\n\r\n'],
    ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
    ['a switch of protocols', 'HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'],
  ])('with %s is answered with a 502 that says why', async (_, answer) => {
    const proxy = await startProxy();
    const client = await proxy.connect();
    const { server } = await begin(client, `GET ${at('/')} HTTP/1.1\r\nHost: o\r\n\r\n`);
    server.write(answer);
    const { head, body } = await client.readMessage();
    expect(head).toMatch(/^HTTP\/1\.1 502 /);
    expect(head).toContain('Frametap-Error: upstream-bad-response\r\n');
    expect(body).toContain("See the server's log.");
    expect(proxy.warnings).toEqual(['upstream-bad-response']);
    await server.closed;
    const again = await begin(client, `GET ${at('/')} HTTP/1.1\r\nHost: o\r\n\r\n`);
    again.server.write(OK);
    expect((await client.readMessage()).body).toBe('ok');
  });
});

describe('bodies', () => {
  it('of a DELETE in chunks go up in chunks, with no length of their own', async () => {
    const client = await (await startProxy()).connect();
    const { server, head } = await begin(
      client,
      `DELETE ${at('/x')} HTTP/1.1\r\nHost: o\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n`,
    );
    expect(head).toBe('DELETE /x HTTP/1.1\r\nHost: o\r\nTransfer-Encoding: chunked\r\n\r\n');
    expect(await server.readChunked()).toEqual({ body: 'abcde', trailers: '' });
    server.write(OK);
    await client.readMessage();
    client.write(`GET ${at('/after')} HTTP/1.1\r\nHost: o\r\n\r\n`);
    expect(await server.readHead()).toBe('GET /after HTTP/1.1\r\nHost: o\r\n\r\n');
  });

  it('are not invented: a POST without one goes up without one', async () => {
    const client = await (await startProxy()).connect();
    const { head } = await begin(client, `POST ${at('/')} HTTP/1.1\r\nHost: o\r\n\r\n`);
    expect(head).toBe('POST / HTTP/1.1\r\nHost: o\r\n\r\n');
  });

  it('bring their trailers up', async () => {
    const client = await (await startProxy()).connect();
    const { server, head } = await begin(
      client,
      `POST ${at('/')} HTTP/1.1\r\nHost: o\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n` +
        '2\r\nhi\r\n0\r\nX-Sum: 1\r\nx-sum: \xfc\r\n\r\n',
    );
    expect(head).toContain('Trailer: X-Sum\r\n');
    expect(await server.readChunked()).toEqual({ body: 'hi', trailers: 'X-Sum: 1\r\nx-sum: \xfc\r\n' });
  });

  it('bring their trailers down', async () => {
    const client = await (await startProxy()).connect();
    const { server } = await begin(client, `GET ${at('/')} HTTP/1.1\r\nHost: o\r\n\r\n`);
    const head = 'HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n';
    server.write(`${head}2\r\nhi\r\n0\r\nX-Sum: 1\r\nx-Other: \xfc\r\n\r\n`);
    expect(await client.readHead()).toBe(head);
    expect(await client.readChunked()).toEqual({ body: 'hi', trailers: 'X-Sum: 1\r\nx-Other: \xfc\r\n' });
  });

  it('that end with the server’s connection come down whole, and the client’s connection goes on', async () => {
    const client = await (await startProxy()).connect();
    const { server } = await begin(client, `GET ${at('/')} HTTP/1.1\r\nHost: o\r\n\r\n`);
    server.write('HTTP/1.0 200 OK\r\nX: y\r\n\r\nuntil the end');
    server.socket.end();
    expect((await client.readMessage()).body).toBe('until the end');
    const again = await begin(client, `GET ${at('/')} HTTP/1.1\r\nHost: o\r\n\r\n`);
    again.server.write(OK);
    expect((await client.readMessage()).body).toBe('ok');
  });

  it('in a coding that does not delimit them come down as they are, up to the end of the connection', async () => {
    const client = await (await startProxy()).connect();
    const { server } = await begin(client, `GET ${at('/')} HTTP/1.1\r\nHost: o\r\n\r\n`);
    server.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nzipped');
    server.socket.end();
    const answer = await client.readRest();
    expect(answer).toContain('Transfer-Encoding: gzip\r\n');
    expect(answer.split('\r\n\r\n')[1]).toBe('zipped');
  });

  it('of answers to pipelined requests come down in the order of the requests', async () => {
    const proxy = await startProxy();
    const client = await proxy.connect();
    const request = (path: string): string => `GET ${at(path)} HTTP/1.1\r\nHost: o\r\n\r\n`;
    client.write(request('/1') + request('/2'));
    const servers = [await origin.accept(), await origin.accept()];
    const heads = await Promise.all(servers.map((server) => server.readHead()));
    const first = heads[0]?.startsWith('GET /1 ') === true ? 0 : 1;
    servers[1 - first]?.write('HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n');
    servers[1 - first]?.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond');
    await settle(proxy, () => proxy.upstreamSockets.slice(0, 2).reduce((sum, socket) => sum + socket.bytesRead, 0));
    servers[first]?.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst');
    expect([(await client.readMessage()).body, (await client.readMessage()).body]).toEqual(['first', 'second']);
  });

  it('in broken chunks end the upstream connection, without a last chunk', async () => {
    const client = await (await startProxy()).connect();
    const { server } = await begin(
      client,
      `POST ${at('/')} HTTP/1.1\r\nHost: o\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`,
    );
    await server.readThrough('abc\r\n');
    client.write('zz\r\n');
    expect(await server.readRest()).toBe('');
  });

  it('of 300 MB go up as a stream, unaltered', async () => {
    const proxy = await startProxy();
    const client = await proxy.connect();
    const block = Buffer.alloc(1_000_000, 'every byte counts; ');
    const blocks = 300;
    const { server } = await begin(
      client,
      `PUT ${at('/')} HTTP/1.1\r\nHost: o\r\nContent-Length: ${block.length * blocks}\r\n\r\n`,
    );
    const before = process.memoryUsage.rss();
    let peak = 0;
    const [sent, received] = [createHash('sha1'), createHash('sha1')];
    let count = 0;
    const done = new Promise<void>((resolve) => {
      server.stream((chunk) => {
        received.update(chunk);
        count += chunk.length;
        peak = Math.max(peak, process.memoryUsage.rss());
        if (count >= block.length * blocks) resolve();
      });
    });
    for (let index = 0; index < blocks; index++) {
      block.writeUInt32BE(index);
      sent.update(block);
      const copy = Buffer.from(block);
      if (!client.socket.write(copy)) await new Promise((resolve) => client.socket.once('drain', resolve));
    }
    await done;
    expect(count).toBe(block.length * blocks);
    expect(received.digest('hex')).toBe(sent.digest('hex'));
    expect(peak - before).toBeLessThan(150_000_000);
    server.write(OK);
    expect((await client.readMessage()).body).toBe('ok');
  });

  const BULK_BYTES = 96 * 1024 * 1024;
  /** What the kernel's buffers of two connections take, with room to spare. */
  const HELD_BYTES = 40 * 1024 * 1024;

  it('stop coming from the client while the server does not read', async () => {
    const proxy = await startProxy();
    const client = await proxy.connect();
    const { server } = await begin(
      client,
      `PUT ${at('/')} HTTP/1.1\r\nHost: o\r\nContent-Length: ${BULK_BYTES}\r\n\r\n`,
    );
    server.socket.pause();
    client.write(Buffer.alloc(BULK_BYTES, 7));
    await settle(proxy, () => proxy.upstreamSockets[0]?.bytesWritten ?? 0);
    expect(proxy.upstreamSockets[0]?.bytesWritten).toBeLessThan(HELD_BYTES);
    let count = 0;
    const done = new Promise<void>((resolve) => {
      server.stream((chunk) => {
        count += chunk.length;
        if (count === BULK_BYTES) resolve();
      });
    });
    server.socket.resume();
    await done;
  });

  it('stop coming from the server while the client does not read', async () => {
    const proxy = await startProxy();
    const client = await proxy.connect();
    const { server } = await begin(client, `GET ${at('/')} HTTP/1.1\r\nHost: o\r\n\r\n`);
    server.write(`HTTP/1.1 200 OK\r\nContent-Length: ${BULK_BYTES}\r\n\r\n`);
    await client.readHead();
    client.socket.pause();
    server.write(Buffer.alloc(BULK_BYTES, 7));
    await settle(proxy, () => proxy.upstreamSockets[0]?.bytesRead ?? 0);
    expect(proxy.upstreamSockets[0]?.bytesRead).toBeLessThan(HELD_BYTES);
    let count = 0;
    const done = new Promise<void>((resolve) => {
      client.stream((chunk) => {
        count += chunk.length;
        if (count === BULK_BYTES) resolve();
      });
    });
    client.socket.resume();
    await done;
  });

  it('of server-sent events come down event by event, the head before the first', async () => {
    const client = await (await startProxy()).connect();
    const { server } = await begin(client, `GET ${at('/')} HTTP/1.1\r\nHost: o\r\nAccept: text/event-stream\r\n\r\n`);
    server.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n');
    expect(await client.readHead()).toContain('Content-Type: text/event-stream\r\n');
    for (const event of ['data: one\n\n', ': \n\n', 'data: two\n\n']) {
      server.write(event);
      expect(await client.readThrough('\n\n\r\n')).toContain(event);
    }
  });

  it('wait for the server’s 100 where the client expects it', async () => {
    const client = await (await startProxy()).connect();
    const { server, head } = await begin(
      client,
      `POST ${at('/')} HTTP/1.1\r\nHost: o\r\nexpect: 100-continue\r\nContent-Length: 4\r\n\r\n`,
    );
    expect(head).toBe('POST / HTTP/1.1\r\nHost: o\r\nexpect: 100-continue\r\nContent-Length: 4\r\n\r\n');
    expect(client.pending).toBe('');
    server.write('HTTP/1.1 100 Continue\r\n\r\n');
    expect(await client.readHead()).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    client.write('body');
    expect(await server.readBytes(4)).toBe('body');
    server.write(OK);
    expect((await client.readMessage()).body).toBe('ok');
  });

  it('are not sent where the server refuses the expectation', async () => {
    const client = await (await startProxy()).connect();
    const { server } = await begin(
      client,
      `POST ${at('/')} HTTP/1.1\r\nHost: o\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n`,
    );
    server.write('HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n');
    expect(await client.readHead()).toMatch(/^HTTP\/1\.1 417 No\r\n/);
  });

  it('may be answered before they are complete', async () => {
    const client = await (await startProxy()).connect();
    const half = 'x'.repeat(4_000_000);
    const { server } = await begin(
      client,
      `POST ${at('/')} HTTP/1.1\r\nHost: o\r\nContent-Length: ${2 * half.length}\r\n\r\n${half}`,
    );
    await server.readBytes(half.length);
    server.write('HTTP/1.1 413 Too Much\r\nContent-Length: 3\r\n\r\nbig');
    expect(await client.readMessage()).toMatchObject({ body: 'big' });
    client.write(half);
    expect(await server.readBytes(half.length)).toBe(half);
    client.write(`GET ${at('/next')} HTTP/1.1\r\nHost: o\r\n\r\n`);
    expect(await server.readHead()).toContain('GET /next ');
    expect(origin.accepted).toBe(1);
  });

  it('are read to their end and dropped where the server answered and closed', async () => {
    const client = await (await startProxy()).connect();
    const { server } = await begin(client, `POST ${at('/')} HTTP/1.1\r\nHost: o\r\nContent-Length: 9000000\r\n\r\n`);
    server.write('HTTP/1.1 413 Too Much\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbig');
    server.socket.end();
    expect(await client.readMessage()).toMatchObject({ body: 'big' });
    client.write(Buffer.alloc(9_000_000));
    const again = await begin(client, `GET ${at('/')} HTTP/1.1\r\nHost: o\r\n\r\n`);
    again.server.write(OK);
    expect(await client.readMessage()).toMatchObject({ body: 'ok' });
  });
});

describe('an HTTP/1.0 client', () => {
  it('gets no chunks and no interim response; the end of the connection ends the body', async () => {
    const client = await (await startProxy()).connect();
    const { server, head } = await begin(client, `GET ${at('/')} HTTP/1.0\r\nHost: o\r\nExpect: 100-continue\r\n\r\n`);
    expect(head).toBe('GET / HTTP/1.1\r\nHost: o\r\n\r\n');
    server.write('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nTrailer: T\r\n');
    server.write('Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nT: 1\r\n\r\n');
    const answer = await client.readRest();
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(answer.toLowerCase()).not.toContain('transfer-encoding');
    expect(answer.split('\r\n\r\n')[1]).toBe('abcde');
    expect(client.ending).toBe('fin');
  });

  it('keeps its connection where it asked for that and the body has a length', async () => {
    const client = await (await startProxy()).connect();
    const request = `GET ${at('/')} HTTP/1.0\r\nHost: o\r\nConnection: keep-alive\r\n\r\n`;
    const { server } = await begin(client, request);
    server.write(OK);
    expect((await client.readMessage()).head).toMatch(/connection: keep-alive\r\n/i);
    client.write(request);
    await server.readHead();
    server.write(OK);
    expect((await client.readMessage()).body).toBe('ok');
  });

  it('sees a reset, not an end, where the server breaks off', async () => {
    const client = await (await startProxy()).connect();
    const { server } = await begin(client, `GET ${at('/')} HTTP/1.0\r\nHost: o\r\n\r\n`);
    server.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n');
    await client.readThrough('hello');
    server.socket.end();
    await client.closed;
    expect(client.ending).toBe('reset');
  });
});

describe('upstream connections', () => {
  it('are used again for requests of any client', async () => {
    const proxy = await startProxy();
    const first = await proxy.connect();
    const { server } = await begin(first, `GET ${at('/1')} HTTP/1.1\r\nHost: o\r\n\r\n`);
    server.write(OK);
    await first.readMessage();
    const second = await proxy.connect();
    second.write(`POST ${at('/2')} HTTP/1.1\r\nHost: o\r\nContent-Length: 4\r\n\r\nbody`);
    expect(await server.readMessage()).toMatchObject({ body: 'body' });
    server.write(OK);
    expect((await second.readMessage()).body).toBe('ok');
    expect(origin.accepted).toBe(1);
  });

  it('belong to one port of one host', async () => {
    const proxy = await startProxy();
    const other = await RawOrigin.listen();
    for (const { server: target, port } of [
      { server: origin, port: origin.port },
      { server: other, port: other.port },
    ]) {
      for (const host of ['a.test', 'b.test']) {
        const client = await proxy.connect();
        client.write(`GET http://${host}:${port}/ HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
        const server = await target.accept();
        expect(await server.readHead()).toContain(`Host: ${host}\r\n`);
        server.write(OK);
        await client.readMessage();
      }
    }
    expect([origin.accepted, other.accepted]).toEqual([2, 2]);
  });

  it('have a time limit while they are idle and none while they are at work', async () => {
    const proxy = await startProxy();
    const client = await proxy.connect();
    const { server } = await begin(client, `GET ${at('/')} HTTP/1.1\r\nHost: o\r\n\r\n`);
    const [socket] = proxy.upstreamSockets;
    expect(socket?.timeout ?? 0).toBe(0);
    server.write(OK);
    await client.readMessage();
    expect(socket?.timeout).toBeGreaterThan(0);
    client.write(`GET ${at('/poll')} HTTP/1.1\r\nHost: o\r\n\r\n`);
    await server.readHead();
    expect(socket?.timeout).toBe(0);
  });

  it('are ended by close() when idle, and after their exchange when at work', async () => {
    const proxy = await startProxy();
    const [one, two] = [await proxy.connect(), await proxy.connect()];
    const idle = await begin(one, `GET ${at('/')} HTTP/1.1\r\nHost: o\r\n\r\n`);
    const busy = await begin(two, `GET ${at('/')} HTTP/1.1\r\nHost: o\r\n\r\n`);
    idle.server.write(OK);
    await one.readMessage();
    proxy.forwarder.close();
    await idle.server.closed;
    busy.server.write(OK);
    expect((await two.readMessage()).body).toBe('ok');
    await busy.server.closed;
  });

  it('speak TLS to a secure origin, by its own name, verified against the CA', async () => {
    const { ca, cert, key } = issueTestCertificate('secure.test');
    const names: string[] = [];
    const secure = await RawOrigin.listen({
      cert,
      key,
      SNICallback: (name, done) => {
        names.push(name);
        done(null);
      },
    });
    const client = await (await startProxy({ ca })).connect();
    for (const again of [false, true]) {
      client.write(`GET https://secure.test:${secure.port}/s HTTP/1.1\r\nHost: secure.test\r\n\r\n`);
      const server = again ? undefined : await secure.accept();
      if (server === undefined) break;
      expect(await server.readHead()).toBe('GET /s HTTP/1.1\r\nHost: secure.test\r\n\r\n');
      server.write(OK);
      expect((await client.readMessage()).body).toBe('ok');
      expect(names).toEqual(['secure.test']);
    }
    const stranger = await (await startProxy()).connect();
    stranger.write(`GET https://secure.test:${secure.port}/s HTTP/1.1\r\nHost: secure.test\r\n\r\n`);
    const { head, body } = await stranger.readMessage();
    expect(head).toContain('Frametap-Error: upstream-certificate\r\n');
    expect(body).toContain('--upstream-ca');
  });

  it('are waited for by a POST where there are as many as there may be', async () => {
    const proxy = await startProxy({ maxConnectionsPerOrigin: 1 });
    const [one, two] = [await proxy.connect(), await proxy.connect()];
    const { server } = await begin(one, `GET ${at('/slow')} HTTP/1.1\r\nHost: o\r\n\r\n`);
    two.write(`POST ${at('/waits')} HTTP/1.1\r\nHost: o\r\nContent-Length: 4\r\n\r\nbody`);
    await settle(proxy, () => origin.accepted);
    expect(server.pending).toBe('');
    server.write(OK);
    expect((await one.readMessage()).body).toBe('ok');
    expect(await server.readMessage()).toEqual({
      head: 'POST /waits HTTP/1.1\r\nHost: o\r\nContent-Length: 4\r\n\r\n',
      body: 'body',
    });
    server.write(OK);
    expect((await two.readMessage()).body).toBe('ok');
    expect(origin.accepted).toBe(1);
  });
});

describe('a kept connection that the server closes', () => {
  async function keepOne(proxy: ForwardingProxy): Promise<{ client: RawPeer; server: RawPeer }> {
    const client = await proxy.connect();
    const { server } = await begin(client, `GET ${at('/first')} HTTP/1.1\r\nHost: o\r\n\r\n`);
    server.write(OK);
    await client.readMessage();
    return { client, server };
  }

  it('between two requests is not used again', async () => {
    const { client, server } = await keepOne(await startProxy());
    server.socket.end();
    await server.closed;
    const again = await begin(client, `POST ${at('/')} HTTP/1.1\r\nHost: o\r\nContent-Length: 2\r\n\r\nhi`);
    again.server.write(OK);
    expect((await client.readMessage()).body).toBe('ok');
  });

  it.each(['fin', 'reset'])('as a GET arrives (%s) costs nothing: the GET goes up again, once', async (how) => {
    const proxy = await startProxy();
    const { client, server } = await keepOne(proxy);
    client.write(`GET ${at('/again')} HTTP/1.1\r\nHost: o\r\n\r\n`);
    await server.readHead();
    if (how === 'fin') server.socket.end();
    else server.socket.resetAndDestroy();
    const fresh = await origin.accept();
    expect(await fresh.readHead()).toBe('GET /again HTTP/1.1\r\nHost: o\r\n\r\n');
    fresh.write(OK);
    expect((await client.readMessage()).body).toBe('ok');
    expect(proxy.warnings).toEqual([]);
  });

  it('takes its idle neighbours with it: the second attempt has a connection of its own', async () => {
    const proxy = await startProxy();
    const clients = [await proxy.connect(), await proxy.connect()] as const;
    const servers: RawPeer[] = [];
    for (const client of clients)
      servers.push((await begin(client, `GET ${at('/')} HTTP/1.1\r\nHost: o\r\n\r\n`)).server);
    for (const server of servers) server.write(OK);
    for (const client of clients) await client.readMessage();
    clients[0].write(`GET ${at('/again')} HTTP/1.1\r\nHost: o\r\n\r\n`);
    const used = await Promise.any(servers.map((server) => server.readHead().then(() => server)));
    used.socket.end();
    const fresh = await origin.accept();
    fresh.write(OK);
    expect((await clients[0].readMessage()).body).toBe('ok');
    for (const server of servers) await server.closed;
  });

  it('again at the second attempt ends in a 502', async () => {
    const { client, server } = await keepOne(await startProxy());
    client.write(`GET ${at('/again')} HTTP/1.1\r\nHost: o\r\n\r\n`);
    await server.readHead();
    server.socket.end();
    const fresh = await origin.accept();
    await fresh.readHead();
    fresh.socket.end();
    expect((await client.readMessage()).head).toContain('Frametap-Error: upstream-closed\r\n');
    expect(origin.accepted).toBe(2);
  });

  it.each([
    ['a POST', 'POST', 'Content-Length: 0\r\n\r\n', ''],
    ['a body', 'PUT', 'Content-Length: 2\r\n\r\nhi', ''],
    ['a part of the answer', 'GET', '\r\n', 'HTTP/1.1 200 OK\r\nContent-'],
  ])('after %s is a 502: nothing is sent twice that may have been done', async (_, method, rest, answer) => {
    const { client, server } = await keepOne(await startProxy());
    client.write(`${method} ${at('/')} HTTP/1.1\r\nHost: o\r\n${rest}`);
    await server.readMessage();
    server.write(answer);
    server.socket.end();
    expect((await client.readMessage()).head).toMatch(/^HTTP\/1\.1 502 /);
    expect(origin.accepted).toBe(1);
  });
});

describe('http-proxy', () => {
  it('is loaded without the call that Node 22 warns of', async () => {
    const require = createRequire(import.meta.url);
    for (const file of Object.keys(require.cache)) {
      if (/node_modules.http-proxy\b/.test(file)) Reflect.deleteProperty(require.cache, file);
    }
    const deprecated = vi.spyOn(util as unknown as { _extend: () => unknown }, '_extend');
    vi.resetModules();
    const { createHttpProxy } = await import('../../src/proxy/http/http-proxy.ts');
    const request = Object.assign(new Readable({ read: () => undefined }), { method: 'GET', url: '/', headers: {} });
    const agent = { addRequest: vi.fn() };
    createHttpProxy().web(request as never, {} as never, { target: 'http://x:1/', agent });
    expect(agent.addRequest).toHaveBeenCalledOnce();
    expect(deprecated).not.toHaveBeenCalled();
    deprecated.mockRestore();
  });

  it('prints no warning', async () => {
    const warnings: string[] = [];
    const note = (warning: Error): void => void warnings.push(String(warning));
    process.on('warning', note);
    const client = await (await startProxy()).connect();
    const { server } = await begin(client, `POST ${at('/')} HTTP/1.1\r\nHost: o\r\nContent-Length: 2\r\n\r\nhi`);
    server.write(OK);
    await client.readMessage();
    process.off('warning', note);
    expect(warnings).toEqual([]);
  });
});

describe('a client that goes away', () => {
  it('before the answer ends the upstream connection', async () => {
    const client = await (await startProxy()).connect();
    const { server } = await begin(client, `GET ${at('/')} HTTP/1.1\r\nHost: o\r\n\r\n`);
    client.socket.destroy();
    await server.closed;
  });

  it('during the answer ends the upstream connection', async () => {
    const client = await (await startProxy()).connect();
    const { server } = await begin(client, `GET ${at('/')} HTTP/1.1\r\nHost: o\r\n\r\n`);
    server.write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nsome');
    await client.readThrough('some');
    client.socket.resetAndDestroy();
    await server.closed;
  });

  it('during its upload ends the upstream connection', async () => {
    const proxy = await startProxy();
    const client = await proxy.connect();
    const { server } = await begin(client, `POST ${at('/')} HTTP/1.1\r\nHost: o\r\nContent-Length: 1000\r\n\r\nsome`);
    await server.readBytes(4);
    client.socket.destroy();
    await server.closed;
    expect(proxy.warnings).toEqual([]);
  });

  it('during its upload, after the answer, ends the upstream connection', async () => {
    const client = await (await startProxy()).connect();
    const { server } = await begin(client, `POST ${at('/')} HTTP/1.1\r\nHost: o\r\nContent-Length: 1000\r\n\r\nsome`);
    server.write(OK);
    await client.readMessage();
    client.socket.destroy();
    await server.closed;
  });

  it('while the server is being connected to leaves nothing behind', async () => {
    let connect = (): void => undefined;
    const asked = new Promise<void>((resolve) => (connect = resolve));
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const proxy = await startProxy({
      beforeConnect: ({ host }) => {
        if (host !== 'origin.test') return;
        connect();
        return gate;
      },
    });
    const client = await proxy.connect();
    client.write(`GET ${at('/unsent')} HTTP/1.1\r\nHost: o\r\n\r\n`);
    await asked;
    client.socket.destroy();
    await settle(proxy, () => 0);
    release();
    expect(await (await origin.accept()).readRest()).toBe('');
    expect(proxy.warnings).toEqual([]);
  });
});

describe('a server that fails', () => {
  it('to take the connection is a 502 with the reason and the remedy', async () => {
    const { port } = origin;
    await new Promise((resolve) => origin.server.close(resolve));
    const proxy = await startProxy();
    const client = await proxy.connect();
    for (const body of ['\r\n', `Content-Length: 9\r\n\r\nsome body`]) {
      client.write(`POST http://origin.test:${port}/ HTTP/1.1\r\nHost: o\r\n${body}`);
      const answer = await client.readMessage();
      expect(answer.head).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\nContent-Type: text\/plain; charset=utf-8\r\n/);
      expect(answer.head).toContain('Frametap-Error: upstream-refused\r\n');
      expect(answer.body).toBe(
        'frametap: upstream-refused\nThe server refuses the connection.\nCheck that it is running, and its port.\n',
      );
    }
    expect(proxy.warnings).toEqual(['upstream-refused', 'upstream-refused']);
  });

  it.each([
    ['target-is-frametap', 403],
    ['upstream-timeout', 504],
    ['upstream-name-not-found', 502],
  ] as const)('to be reached by %s is a %d', async (code, status) => {
    const proxy = await startProxy({ beforeConnect: () => Promise.reject(new FrametapError(code)) });
    const client = await proxy.connect();
    client.write(`GET ${at('/')} HTTP/1.1\r\nHost: o\r\n\r\n`);
    const { head } = await client.readMessage();
    expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(head).toContain(`Frametap-Error: ${code}\r\n`);
    expect(origin.accepted).toBe(0);
  });

  it('to answer a HEAD is a 502 without a body', async () => {
    const client = await (await startProxy()).connect();
    const { server } = await begin(client, `HEAD ${at('/')} HTTP/1.1\r\nHost: o\r\nConnection: close\r\n\r\n`);
    server.socket.end();
    expect(await client.readRest()).toMatch(/^HTTP\/1\.1 502 [^]*Frametap-Error: upstream-closed\r\n[^]*\r\n\r\n$/);
  });

  it('by a reset in the middle of the body breaks the client’s off as well', async () => {
    const proxy = await startProxy();
    const client = await proxy.connect();
    const { server } = await begin(client, `GET ${at('/')} HTTP/1.1\r\nHost: o\r\n\r\n`);
    server.write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nsome');
    await client.readThrough('some');
    server.socket.resetAndDestroy();
    expect(await client.readRest()).toBe('');
    expect(proxy.warnings).toEqual(['upstream-closed']);
  });

  it('by a FIN in the middle of a chunk delivers what came, and no last chunk', async () => {
    const client = await (await startProxy()).connect();
    const { server } = await begin(client, `GET ${at('/')} HTTP/1.1\r\nHost: o\r\n\r\n`);
    server.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwhol\r\nff\r\npart');
    server.socket.end();
    const answer = await client.readRest();
    expect(answer).toContain('whol');
    expect(answer).toContain('part');
    expect(answer).not.toContain('\r\n0\r\n');
  });
});
