import { request } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { WebSocket } from 'ws';
import type { Credentials } from '../option-values.ts';
import type { DemoSite } from './demo-site.ts';
import { DEMO_CLOSES } from './demo-sockets.ts';

/** How often one more of the connections that end by themselves is opened. */
const NEXT_END_MS = 4000;
const SAYINGS = [
  'Hello from the scripted client.',
  '{"type":"question","text":"Is anybody there?"}',
  'Zażółć gęślą jaźń',
];

/** A client that talks to the demo site through the proxy, so that there is something to see without a browser. */
export function startDemoTraffic(options: {
  readonly demo: DemoSite;
  readonly proxy: { readonly host: string; readonly port: number };
  readonly credentials: Credentials | null;
  /** The proxy's CA: what it presents for the site's https. */
  readonly caPem: string;
}): { stop(): Promise<void> } {
  const open = new Set<WebSocket>();
  const timers = new Set<NodeJS.Timeout>();
  let stopped = false;
  const every = (milliseconds: number, act: () => void): NodeJS.Timeout => {
    const timer = setInterval(act, milliseconds);
    timers.add(timer);
    return timer;
  };
  const connect = (path: string, secure: boolean, subprotocols: string[] = []): void => {
    const base = secure ? options.demo.httpsUrl : options.demo.httpUrl;
    void openTunnel(options, new URL(base).host).then(
      (tunnel) => {
        const socket = new WebSocket(`${base.replace('http', 'ws')}${path}`, subprotocols, {
          // The host is what the certificate is checked against.
          createConnection: () =>
            secure ? connectTls({ socket: tunnel, host: new URL(base).hostname, ca: options.caPem }) : tunnel,
          perMessageDeflate: path === '/compressed',
          origin: base,
        });
        open.add(socket);
        // A refused handshake and a reset are among what is to be seen.
        socket.on('error', () => socket.terminate());
        socket.on('close', () => open.delete(socket));
        if (stopped) socket.terminate();
        socket.on('open', () => {
          const timer = talk(path, socket, every);
          if (timer !== null) socket.on('close', () => clearInterval(timer));
        });
      },
      // The proxy may be about to stop; the next one of these tries again.
      () => undefined,
    );
  };

  connect('/ticker', false);
  connect('/chat', true, ['chat.v2', 'chat.v1']);
  connect('/binary', true);
  connect('/compressed', false);
  connect('/fragments', false);
  connect('/pings', true);
  connect('/broken', true);
  connect('/forbidden', false);
  let round = 0;
  every(NEXT_END_MS, () => {
    const ends = ['forbidden', ...DEMO_CLOSES.map(([how]) => `close/${how}`)];
    connect(`/${ends[(round + 1) % ends.length]}`, round % 2 === 1);
    round += 1;
  });

  return {
    stop() {
      stopped = true;
      for (const timer of timers) clearInterval(timer);
      for (const socket of open) socket.terminate();
      return Promise.resolve();
    },
  };
}

function talk(
  path: string,
  socket: WebSocket,
  every: (milliseconds: number, act: () => void) => NodeJS.Timeout,
): NodeJS.Timeout | null {
  let said = 0;
  const say = (): void => {
    const saying = SAYINGS[said++ % SAYINGS.length] ?? '';
    if (path === '/binary') socket.send(Uint8Array.from({ length: 48 }, (_, i) => (i * said) & 0xff));
    else if (path === '/fragments') {
      socket.send(saying.slice(0, 8), { fin: false });
      socket.send(saying.slice(8), { fin: true });
    } else socket.send(saying);
  };
  if (!['/chat', '/binary', '/compressed', '/fragments'].includes(path)) return null;
  say();
  return every(3000, say);
}

/** RFC 9110 §9.3.6: CONNECT, then the bytes belong to the peers. */
function openTunnel(
  { proxy, credentials }: { proxy: { host: string; port: number }; credentials: Credentials | null },
  target: string,
): Promise<Socket> {
  const basic = credentials === null ? null : Buffer.from(`${credentials.user}:${credentials.password}`);
  return new Promise((resolve, reject) => {
    const connecting = request({
      host: proxy.host === '0.0.0.0' ? '127.0.0.1' : proxy.host === '::' ? '::1' : proxy.host,
      port: proxy.port,
      method: 'CONNECT',
      path: target,
      agent: false,
      headers: {
        host: target,
        ...(basic === null ? {} : { 'proxy-authorization': `Basic ${basic.toString('base64')}` }),
      },
    });
    connecting.on('connect', (response, socket: Duplex) => {
      if (response.statusCode === 200) resolve(socket as Socket);
      else {
        socket.destroy();
        reject(new Error(`the proxy answered ${response.statusCode}`));
      }
    });
    connecting.on('response', (response) => reject(new Error(`the proxy answered ${response.statusCode}`)));
    connecting.on('error', reject);
    connecting.end();
  });
}
