import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { acceptDirectly } from '../../src/proxy/accepted-sockets.ts';

async function listening(onConnection: (socket: Socket) => void): Promise<{ server: Server; port: number }> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, onConnection).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

const connections = (server: Server): Promise<number> =>
  new Promise((resolve, reject) =>
    server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
  );

describe('sockets that are accepted directly', () => {
  it('answer after their peer has ended, and are counted until they are gone', async () => {
    const { server, port } = await listening((socket) => {
      expect(socket.remoteAddress).toBe('127.0.0.1');
      let said = '';
      socket.on('data', (chunk: Buffer) => (said += chunk.toString()));
      socket.on('end', () => socket.end(`heard ${said}`));
    });
    expect(acceptDirectly(server)).toBe(true);
    const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    await once(client, 'connect');
    const closed = once(server, 'close');
    server.close();
    client.write('one ');
    client.end('two');
    let heard = '';
    client.on('data', (chunk: Buffer) => (heard += chunk.toString()));
    await once(client, 'end');
    expect(heard).toBe('heard one two');
    await closed;
    expect(await connections(server)).toBe(0);
  });

  it('tell of a reset', async () => {
    const ended = new Promise<string | undefined>((resolve) => {
      void listening((socket) => {
        socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code));
        socket.resume();
      }).then(({ server, port }) => {
        acceptDirectly(server);
        const client = connect({ port, host: '127.0.0.1' });
        client.on('connect', () => client.resetAndDestroy());
        server.once('connection', () => server.close());
      });
    });
    expect(await ended).toBe('ECONNRESET');
  });

  it("are Node's own where it does not have what that takes", async () => {
    const { server } = await listening((socket) => socket.destroy());
    const fields = server as unknown as { _handle: { onconnection: unknown } };
    const { onconnection } = fields._handle;
    fields._handle.onconnection = null;
    expect(acceptDirectly(server)).toBe(false);
    expect(fields._handle.onconnection).toBeNull();
    fields._handle.onconnection = onconnection;
    server.close();
    expect(acceptDirectly(server)).toBe(false);
  });
});
