import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { startDemoTraffic } from '../../src/demo/demo-client.ts';
import { startDemo } from '../../src/demo/demo-site.ts';

describe('the scripted client', () => {
  it('talks to both servers of the demo through the proxy, with its credentials, until it is stopped', async () => {
    const demo = await startDemo();
    const targets: string[] = [];
    const authorizations = new Set<string | undefined>();
    const tunnels = new Set<Socket>();
    let answered: () => void = () => undefined;
    const enough = new Promise<void>((resolve) => (answered = resolve));
    const talking = new Set<Socket>();
    // A proxy that tunnels everything unread.
    const proxy = createServer();
    proxy.on('connect', (request, client: Socket) => {
      targets.push(request.url ?? '');
      authorizations.add(request.headers['proxy-authorization']);
      const [host, port] = (request.url ?? '').split(':');
      const upstream = connect(Number(port), host);
      for (const socket of [client, upstream]) {
        tunnels.add(socket);
        socket.on('error', () => socket.destroy());
        socket.on('close', () => tunnels.delete(socket));
      }
      client.on('close', () => upstream.destroy());
      upstream.on('close', () => client.destroy());
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      client.pipe(upstream).pipe(client);
      let bytes = 0;
      // More than a handshake came down: frames.
      upstream.on('data', (chunk) => {
        bytes += chunk.length;
        if (bytes > 300) talking.add(upstream);
        if (talking.size >= 6) answered();
      });
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const traffic = startDemoTraffic({
      demo,
      proxy: { host: '127.0.0.1', port: (proxy.address() as AddressInfo).port },
      credentials: { user: 'ada', password: 'secret' },
      caPem: demo.certificatePem,
    });
    await enough;
    expect(new Set(targets)).toEqual(new Set([demo.httpUrl, demo.httpsUrl].map((url) => new URL(url).host)));
    expect([...authorizations]).toEqual([`Basic ${Buffer.from('ada:secret').toString('base64')}`]);
    const ended = [...tunnels].map((socket) => new Promise((resolve) => socket.on('close', resolve)));
    await traffic.stop();
    await Promise.all(ended);
    proxy.close();
    await demo.close();
  });

  it('goes on quietly where there is no proxy', async () => {
    const demo = await startDemo();
    const traffic = startDemoTraffic({
      demo,
      proxy: { host: '127.0.0.1', port: 1 },
      credentials: null,
      caPem: demo.certificatePem,
    });
    await new Promise((resolve) => setImmediate(resolve));
    await traffic.stop();
    await demo.close();
  });
});
