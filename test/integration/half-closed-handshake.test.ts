import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { handshake, switching } from '../helpers/test-proxy.ts';
import { certificate, type Modes, startModes, targetOf, WAYS } from '../helpers/ways.ts';
import { readToEnd } from '../helpers/session-rig.ts';

/** Masked with a key of zeros: "up". */
const UP = Buffer.from('818200000000', 'hex').toString('latin1') + 'up';
const DOWN = Buffer.from('8104', 'hex').toString('latin1') + 'down';

const servers: Server[] = [];
/** What the server got, to its end. */
let taken: Promise<string>;
let modes: Modes;

/** Answers when it has heard all, and says something after it. */
async function serve(socket: Socket): Promise<string> {
  socket.on('error', () => undefined);
  let received = '';
  for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    const before = received;
    received += chunk.toString('latin1');
    if (!before.includes('\r\n\r\n') && received.includes('\r\n\r\n')) socket.write(switching(received));
  }
  socket.end(Buffer.from(DOWN, 'latin1'));
  return received;
}

beforeAll(async () => {
  const { certificatePem: cert, keyPem: key } = certificate;
  const took = (socket: Socket): void => void (taken = serve(socket));
  servers.push(createServer({ allowHalfOpen: true }, took), createTlsServer({ allowHalfOpen: true, cert, key }, took));
  const ports = servers.map(async (server) => {
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return (server.address() as AddressInfo).port;
  });
  const [plain = 0, secure = 0] = await Promise.all(ports);
  modes = await startModes({ plain, secure });
});
afterAll(async () => {
  await modes.stop();
  for (const server of servers) server.close();
});

describe('a client that ends its side with its handshake', () => {
  it.each(WAYS)('gets the 101 and what the server says after it: $name', async (way) => {
    const { socket } = await way.connect(modes);
    const request = handshake(targetOf(way, modes, '/'), `127.0.0.1:${modes.ports.plain}`);
    socket.end(Buffer.from(request + UP, 'latin1'));
    const { bytes, how } = await readToEnd(socket);
    const received = bytes.toString('latin1');
    expect(received).toMatch(/^HTTP\/1\.1 101 /);
    expect([received.slice(received.indexOf('\r\n\r\n') + 4), how]).toEqual([DOWN, 'fin']);
    // The key is another one: of the frame only the header is the same.
    const toServer = (await taken).split('\r\n\r\n')[1] ?? '';
    expect([toServer.slice(0, 2), toServer.length]).toEqual([UP.slice(0, 2), UP.length]);
    const [session] = (await way.app(modes).sessions()).slice(-1);
    expect(session).toMatchObject({
      state: 'closed',
      fault: null,
      frameCount: 2,
      close: { clientEnding: 'fin', serverEnding: 'fin' },
    });
  });
});
