import { once } from 'node:events';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import { queryObjects } from 'node:v8';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { HeadReader } from '../../src/protocol/head.ts';
import { OpeningHandshake } from '../../src/proxy/upgrade.ts';
import { connectRaw, RawPeer } from '../helpers/raw-peer.ts';
import { ACCEPT, handshake, startTestProxy, testAuthority, type TestProxy } from '../helpers/test-proxy.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** Opens a session through a tunnel, and says nothing in it. */
async function openSession(proxy: TestProxy, port: number, options: { readonly secure: boolean }): Promise<void> {
  const tunnel = await connectRaw(proxy.port);
  closing.push(() => tunnel.socket.destroy());
  tunnel.send(`CONNECT localhost:${port} HTTP/1.1\r\nHost: localhost:${port}\r\n\r\n`);
  await tunnel.until('\r\n\r\n');
  let peer = tunnel;
  if (options.secure) {
    tunnel.socket.removeAllListeners('data');
    const { certificatePem } = await testAuthority();
    peer = new RawPeer(tlsConnect({ socket: tunnel.socket, servername: 'localhost', ca: certificatePem }));
  }
  peer.send(handshake('/', `localhost:${port}`));
  await peer.until(ACCEPT);
}

async function serve(options: { readonly secure: boolean }): Promise<number> {
  if (!options.secure) {
    const sockets = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    await once(sockets, 'listening');
    closing.push(() => sockets.close());
    return (sockets.address() as AddressInfo).port;
  }
  const secureContext = (await testAuthority()).secureContextFor('localhost');
  const server = createHttpsServer({ SNICallback: (_, done) => done(null, secureContext) });
  const sockets = new WebSocketServer({ server });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => {
    for (const socket of sockets.clients) socket.terminate();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

describe('a session that is idle', () => {
  for (const secure of [false, true]) {
    it(`keeps nothing of its opening alive, ${secure ? 'in TLS' : 'plain'}`, async () => {
      const { certificatePem } = await testAuthority();
      const proxy = await startTestProxy({ upstreamOptions: { upstreamCa: [certificatePem] } });
      closing.push(() => proxy.stop());
      const port = await serve({ secure });
      const count = (): number[] =>
        [HeadReader, OpeningHandshake].map((type) => queryObjects(type, { format: 'count' }));
      await openSession(proxy, port, { secure });
      const before = count();
      for (let i = 0; i < 5; i++) await openSession(proxy, port, { secure });
      expect(proxy.capture.sessions.map(({ state }) => state)).toEqual(Array(6).fill('open'));
      await expect.poll(count).toEqual(before);
    });
  }
});
