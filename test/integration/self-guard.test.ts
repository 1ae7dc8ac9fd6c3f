import { networkInterfaces } from 'node:os';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { reachesOwnListener } from '../../src/proxy/self-guard.ts';
import type { Lookup } from '../../src/proxy/upstream.ts';
import { connectRaw, serveRaw, type RawServer } from '../helpers/raw-peer.ts';
import { handshake, startTestProxy, type TestProxy } from '../helpers/test-proxy.ts';

let dashboard: RawServer;
beforeAll(async () => {
  dashboard = await serveRaw();
});
afterAll(() => dashboard.close());

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const NAME = 'innocent.test';
const lookup: Lookup = (host) =>
  host === NAME
    ? Promise.resolve([
        { address: '203.0.113.7', family: 4 },
        { address: '127.0.0.1', family: 4 },
      ])
    : new Promise((resolve, reject) => {
        void import('node:dns').then(({ lookup: system }) =>
          system(host, { all: true }, (error, found) => (error === null ? resolve(found) : reject(error))),
        );
      });

async function proxyFor(reverseHost?: string): Promise<TestProxy> {
  const proxy = await startTestProxy({
    ownListeners: new Set([{ address: '127.0.0.1', port: dashboard.port }]),
    upstreamOptions: { lookup },
    ...(reverseHost === undefined ? {} : { reverse: { secure: false, host: reverseHost, port: dashboard.port } }),
  });
  closing.push(() => proxy.stop());
  return proxy;
}

const HOSTS = ['127.0.0.1', 'localhost', '[::1]', '[::ffff:127.0.0.1]', '0.0.0.0', '127.1', '2130706433', NAME];
const WAYS: Readonly<Record<string, (at: string) => string>> = {
  CONNECT: (at) => `CONNECT ${at} HTTP/1.1\r\nHost: ${at}\r\n\r\n`,
  'an absolute-form request': (at) =>
    `GET http://${at}/api/status HTTP/1.1\r\nHost: ${at}\r\nConnection: close\r\n\r\n`,
  'an absolute-form handshake': (at) => handshake(`ws://${at}/api/live`, at),
  'a reverse request': () => 'GET /api/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
  'a reverse handshake': () => handshake('/api/live', 'x'),
};

describe("the dashboard's port", () => {
  for (const [way, request] of Object.entries(WAYS)) {
    it.each(HOSTS)(`is not reached by ${way} to %s`, async (host) => {
      const bare = host.replace(/^\[|\]$/g, '');
      const proxy = await proxyFor(way.startsWith('a reverse') ? bare : undefined);
      const client = await connectRaw(proxy.port);
      client.send(request(`${host}:${dashboard.port}`));
      expect(await client.end()).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n[^]*target-is-frametap/);
      expect(dashboard.peers).toHaveLength(0);
      if (way !== 'an absolute-form request' && way !== 'a reverse request') {
        expect((await proxy.capture.failed()).fault).toMatchObject({ by: 'proxy', code: 'target-is-frametap' });
      }
    });
  }
});

it('the proxy does not reach itself either', async () => {
  const proxy = await proxyFor();
  const client = await connectRaw(proxy.port);
  client.send(`CONNECT localhost:${proxy.port} HTTP/1.1\r\nHost: x\r\n\r\n`);
  expect(await client.end()).toMatch(/^HTTP\/1\.1 403 /);
});

describe('a listener of our own', () => {
  const on = (address: string): { address: string; port: number }[] => [{ address, port: 8081 }];
  const LOOPBACKS = [
    '127.0.0.1',
    '127.255.0.9',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '0:0:0:0:0:0:0:1',
    '::',
    '0.0.0.0',
  ];

  it.each(['127.0.0.1', '::1', '0.0.0.0', '::', '::ffff:127.0.0.1'])(
    'on %s is reached by every loopback address',
    (bound) => {
      for (const address of LOOPBACKS) expect(reachesOwnListener(address, 8081, on(bound))).toBe(true);
    },
  );

  it('is not reached by another port or another machine', () => {
    expect(reachesOwnListener('127.0.0.1', 8082, on('127.0.0.1'))).toBe(false);
    expect(reachesOwnListener('203.0.113.9', 8081, on('127.0.0.1'))).toBe(false);
    expect(reachesOwnListener('203.0.113.9', 8081, on('0.0.0.0'))).toBe(false);
    expect(reachesOwnListener('2001:db8::1', 8081, on('::'))).toBe(false);
  });

  it('on one address of this machine is reached by that one, in any spelling', () => {
    expect(reachesOwnListener('203.0.113.9', 8081, on('203.0.113.9'))).toBe(true);
    expect(reachesOwnListener('::ffff:203.0.113.9', 8081, on('203.0.113.9'))).toBe(true);
    expect(reachesOwnListener('2001:DB8:0::1%eth0', 8081, on('2001:db8::1'))).toBe(true);
    expect(reachesOwnListener('127.0.0.1', 8081, on('203.0.113.9'))).toBe(false);
  });

  it('on all addresses is reached by each address of this machine', () => {
    for (const end of Object.values(networkInterfaces()).flatMap((ends) => ends ?? [])) {
      expect(reachesOwnListener(end.address, 8081, on('0.0.0.0'))).toBe(true);
      expect(reachesOwnListener(end.address, 8081, on('::'))).toBe(true);
    }
  });
});
