import { once } from 'node:events';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { CA_PEM, startRig, TOKEN, type Rig } from '../helpers/dashboard-rig.ts';

let rig: Rig;
let host: string;
const bearer = `Authorization: Bearer ${TOKEN}`;
beforeAll(async () => {
  rig = await startRig();
  host = `Host: 127.0.0.1:${rig.dashboard.port}`;
});
afterAll(() => rig.stop());

const upgrade = (...more: string[]): string[] => [
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
  ...more,
];
const codeOf = (body: string): unknown => (JSON.parse(body) as { error: { code: unknown } }).error.code;

describe('who may look', () => {
  it.each([
    '/api/status',
    '/api/sessions',
    '/api/ca.pem',
    '/api/export',
    '/api/protos',
    '/api/openapi.json',
    '/api/nothing',
    '/',
    '/x',
  ])('wants a token for %s', async (path) => {
    const without = await rig.raw({ target: path, headers: [host] });
    expect(without.status).toBe(401);
    expect(codeOf(without.body)).toBe('unauthorized');
    const wrong = await rig.raw({ target: path, headers: [host, 'Authorization: Bearer the-token-of-these-testz'] });
    expect(wrong.status).toBe(401);
    const right = await rig.raw({ target: path, headers: [host, bearer] });
    expect(right.status).not.toBe(401);
  });

  it.each(['/healthz', '/readyz'])('opens no WebSocket at %s', async (target) => {
    const upgrade = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];
    const headers = [host, ...upgrade, 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='];
    expect((await rig.raw({ target, headers })).status).toBe(401);
    expect((await rig.raw({ target, headers: [...headers, bearer] })).status).toBe(404);
  });

  it('answers /healthz and /readyz without one', async () => {
    expect(await rig.raw({ target: '/healthz', headers: [host] })).toMatchObject({
      status: 200,
      body: '{"status":"ok"}',
    });
    expect((await rig.raw({ target: '/readyz', headers: [host] })).status).toBe(200);
  });

  it.each([
    '/healthz/../api/status',
    '/healthz/..%2fapi/status',
    '//healthz',
    '/%68ealthz/x',
    '/healthz;/../api/status',
  ])('is not talked into an open path by %s', async (target) => {
    expect((await rig.raw({ target, headers: [host] })).status).toBe(401);
  });

  it('says what it wants to bytes that are no request', async () => {
    const socket = connect({ port: rig.dashboard.port, host: '127.0.0.1' });
    socket.end('garbage\r\n\r\n');
    const answer = await text(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(codeOf(answer.split('\r\n\r\n')[1] ?? '')).toBe('bad-request');
  });

  it('tells people in words and programs in JSON', async () => {
    const page = await rig.raw({ target: '/', headers: [host, 'Accept: text/html,*/*'] });
    expect(page).toMatchObject({ status: 401, headers: { 'content-type': 'text/plain; charset=utf-8' } });
    expect(page.body).toContain('printed at its start');
  });
});

describe('the login', () => {
  it('sets a cookie for the token, leads away from it, and the cookie opens everything', async () => {
    const login = await rig.raw({ target: `/?token=${TOKEN}`, headers: [host] });
    expect(login).toMatchObject({ status: 303, headers: { location: '/', 'cache-control': 'no-store' } });
    expect(login.headers['referrer-policy']).toBe('no-referrer');
    const cookie = String(login.headers['set-cookie']);
    expect(cookie).toMatch(/; HttpOnly; SameSite=Strict$/);
    expect(cookie).not.toContain(TOKEN);
    const pair = cookie.split(';')[0] ?? '';
    expect((await rig.raw({ target: '/api/status', headers: [host, `Cookie: a=b; ${pair}`] })).status).toBe(200);
    expect((await rig.raw({ target: '/api/status', headers: [host, `Cookie: ${pair}x`] })).status).toBe(401);
    const again = await rig.raw({ target: `/?token=${TOKEN}`, headers: [host] });
    expect(again.status).toBe(303);
  });

  it('takes the code of the open URL once, and has another ready', async () => {
    const { openUrl } = rig.dashboard;
    expect(openUrl).not.toContain(TOKEN);
    const target = openUrl.slice(rig.origin.length);
    const first = await rig.raw({ target, headers: [host] });
    expect(first).toMatchObject({ status: 303, headers: { location: '/' } });
    expect((await rig.raw({ target, headers: [host] })).status).toBe(401);
    expect(rig.dashboard.openUrl).not.toBe(openUrl);
    expect(rig.newOpenUrls.at(-1)).toBe(rig.dashboard.openUrl);
    const next = await rig.raw({ target: rig.dashboard.openUrl.slice(rig.origin.length), headers: [host] });
    expect(next.status).toBe(303);
  });

  it('lets a browser that is in open its used address again', async () => {
    const target = rig.dashboard.openUrl.slice(rig.origin.length);
    const login = await rig.raw({ target, headers: [host] });
    const pair = String(login.headers['set-cookie']).split(';')[0];
    expect(await rig.raw({ target, headers: [host, `Cookie: ${pair}`] })).toMatchObject({ status: 303 });
  });

  it.each(['', 'x', `${TOKEN}&token=${TOKEN}`, `${TOKEN}x`])('refuses ?token=%s', async (token) => {
    const answer = await rig.raw({ target: `/?token=${token}`, headers: [host] });
    expect(answer.status).toBe(401);
    expect(answer.headers['set-cookie']).toBeUndefined();
  });

  it('is not used up by HEAD', async () => {
    const { openUrl } = rig.dashboard;
    expect((await rig.raw({ method: 'HEAD', target: openUrl.slice(rig.origin.length), headers: [host] })).status).toBe(
      401,
    );
    expect(rig.dashboard.openUrl).toBe(openUrl);
  });
});

describe('the Host check', () => {
  const paths = ['/healthz', '/api/status', '/', `/?token=${TOKEN}`, '/api/nothing'];
  const strangers = (port: number): string[][] => [
    [],
    ['Host: evil.example'],
    [`Host: evil.example:${port}`],
    ['Host: 127.0.0.1'],
    ['Host: 127.0.0.1:1'],
    [`Host: localhost.:${port}`],
    [`Host: 127.0.0.1:${port}`, 'Host: evil.example'],
    ['Host:'],
  ];
  it('refuses every other name, whatever the route', async () => {
    for (const target of paths) {
      for (const headers of strangers(rig.dashboard.port)) {
        const answer = await rig.raw({ target, headers: [...headers, bearer] });
        expect([400, 403], `${target} ${headers.join()}`).toContain(answer.status);
        expect(answer.headers['set-cookie']).toBeUndefined();
      }
    }
  });
  it('answers to its own names', async () => {
    for (const name of ['127.0.0.1', 'localhost', 'LOCALHOST', '[::1]']) {
      const answer = await rig.raw({ target: '/healthz', headers: [`Host: ${name}:${rig.dashboard.port}`] });
      expect(answer.status, name).toBe(200);
    }
  });
  it('is no proxy: an absolute target is refused', async () => {
    const target = `http://127.0.0.1:${rig.dashboard.port}/api/status`;
    expect((await rig.raw({ target, headers: [host, bearer] })).status).toBe(403);
  });
  it('answers to the addresses of the machine where it is bound to all of them', async () => {
    const wild = await startRig({ host: '0.0.0.0' });
    try {
      const all = Object.values(networkInterfaces()).flatMap((of) => of ?? []);
      for (const { address } of all.filter(({ family }) => family === 'IPv4')) {
        const headers = [`Host: ${address}:${wild.dashboard.port}`];
        expect((await wild.raw({ target: '/healthz', headers })).status, address).toBe(200);
      }
      const evil = [`Host: evil.example:${wild.dashboard.port}`];
      expect((await wild.raw({ target: '/healthz', headers: evil })).status).toBe(403);
      expect(wild.dashboard.url).toBe(`http://127.0.0.1:${wild.dashboard.port}/`);
    } finally {
      await wild.stop();
    }
  });
});

describe('the Origin check', () => {
  it('refuses pages of other origins, whatever the route', async () => {
    const { port } = rig.dashboard;
    const origins = [
      'null',
      'http://evil.example',
      'https://127.0.0.1',
      `https://127.0.0.1:${port}`,
      'http://127.0.0.1:1',
    ];
    for (const target of ['/healthz', '/api/status', '/', `/?token=${TOKEN}`]) {
      for (const origin of origins) {
        const answer = await rig.raw({ target, headers: [host, bearer, `Origin: ${origin}`] });
        expect(answer.status, `${target} ${origin}`).toBe(403);
        expect(codeOf(answer.body)).toBe('origin-not-allowed');
      }
    }
    const own = await rig.raw({ target: '/api/status', headers: [host, bearer, `Origin: http://localhost:${port}`] });
    expect(own.status).toBe(200);
  });
  it('refuses what another site loads without naming its origin, but not a link to here', async () => {
    for (const site of ['cross-site', 'same-site']) {
      const image = [host, bearer, `Sec-Fetch-Site: ${site}`, 'Sec-Fetch-Mode: no-cors', 'Sec-Fetch-Dest: image'];
      expect((await rig.raw({ target: '/api/status', headers: image })).status).toBe(403);
      const frame = [host, bearer, `Sec-Fetch-Site: ${site}`, 'Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: iframe'];
      expect((await rig.raw({ target: '/api/status', headers: frame })).status).toBe(403);
      const link = [host, `Sec-Fetch-Site: ${site}`, 'Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: document'];
      expect((await rig.raw({ target: `/?token=${TOKEN}`, headers: link })).status).toBe(303);
    }
  });
  it('grants nothing by CORS', async () => {
    const preflight = await rig.raw({
      method: 'OPTIONS',
      target: '/api/status',
      headers: [host, 'Origin: http://evil.example', 'Access-Control-Request-Method: GET'],
    });
    expect(preflight.status).toBe(403);
    expect(Object.keys(preflight.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  });
});

describe('the WebSocket upgrade', () => {
  it('is refused without a token, by another name, and from another origin', async () => {
    const target = '/api/live';
    expect((await rig.raw({ target, headers: [host, ...upgrade()] })).status).toBe(401);
    expect((await rig.raw({ target, headers: ['Host: evil.example', bearer, ...upgrade()] })).status).toBe(403);
    const evil = upgrade('Origin: http://evil.example');
    expect((await rig.raw({ target, headers: [host, bearer, ...evil] })).status).toBe(403);
    expect((await rig.raw({ target: '/api/status', headers: [host, bearer, ...upgrade()] })).status).toBe(404);
  });
  it('works with the cookie from our own origin', async () => {
    const login = await rig.raw({ target: `/?token=${TOKEN}`, headers: [host] });
    const cookie = String(login.headers['set-cookie']).split(';')[0] ?? '';
    const socket = new WebSocket(rig.liveUrl, { headers: { cookie, origin: rig.origin } });
    await once(socket, 'open');
    socket.close();
    await once(socket, 'close');
  });
});

describe('every answer', () => {
  it('carries the security headers', async () => {
    for (const target of ['/', '/healthz', '/api/status', '/api/nothing']) {
      const { headers } = await rig.raw({ target, headers: [host, bearer] });
      expect(headers['content-security-policy']).toContain("default-src 'self'");
      expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
      expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' });
      if (target.startsWith('/api/')) expect(headers['cache-control']).toBe('no-store');
    }
  });
  it('is JSON where it is an error, Fastify’s own included', async () => {
    const cases: [string, string, string[], number][] = [
      ['GET', '/api/nothing', [], 404],
      ['PUT', '/api/status', [], 404],
      ['GET', '/api/sessions?limit=many', [], 400],
      ['GET', '/api/sessions/abc', [], 400],
      ['GET', '/%', [], 400],
      ['POST', '/api/recording', ['Content-Type: application/json', 'Content-Length: 1', '', '{'], 400],
      ['POST', '/api/recording', ['Content-Type: text/html', 'Content-Length: 1', '', '{'], 415],
    ];
    for (const [method, target, more, status] of cases) {
      const [blank, body] = more.slice(-2);
      const headers = blank === '' ? more.slice(0, -2) : more;
      const answer = await fetch(rig.origin + target, {
        method,
        headers: {
          authorization: `Bearer ${TOKEN}`,
          ...Object.fromEntries(headers.filter((line) => line.startsWith('Content-T')).map((line) => line.split(': '))),
        },
        ...(body !== undefined && { body }),
      });
      expect(answer.status, `${method} ${target}`).toBe(status);
      expect(answer.headers.get('content-type')).toContain('application/json');
      expect(await answer.json()).toMatchObject({ error: { code: expect.any(String), message: expect.any(String) } });
    }
  });
  it('gives the certificate', async () => {
    const answer = await rig.get('/api/ca.pem');
    expect(await answer.text()).toBe(CA_PEM);
    expect(answer.headers.get('content-type')).toContain('application/x-pem-file');
  });
});
