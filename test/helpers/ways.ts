import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { makeDemoCertificate } from '../../src/demo/demo-certificate.ts';
import { type AppRig, startTestApp } from './app-rig.ts';

/** A connection, and the TCP socket below it where it is TLS. */
export interface Line {
  readonly socket: Socket;
  readonly raw: Socket;
}
/** The two ports of one server: without and with TLS. */
export interface Ports {
  readonly plain: number;
  readonly secure: number;
}
/** What servers show with TLS; every app here trusts it. */
export const certificate = makeDemoCertificate();

/** Every mode of the proxy before one server. */
export interface Modes {
  readonly ports: Ports;
  readonly forward: AppRig;
  readonly reverse: { readonly plain: AppRig; readonly secure: AppRig };
  stop(): Promise<void>;
}
export async function startModes(ports: Ports): Promise<Modes> {
  const folder = await mkdtemp(join(tmpdir(), 'frametap-modes-'));
  const upstreamCa = join(folder, 'upstream.pem');
  await writeFile(upstreamCa, certificate.certificatePem);
  const [forward, plain, secure] = await Promise.all([
    startTestApp({ upstreamCa }),
    startTestApp({ upstreamCa, reverse: `ws://127.0.0.1:${ports.plain}` }),
    startTestApp({ upstreamCa, reverse: `wss://127.0.0.1:${ports.secure}` }),
  ]);
  return {
    ports,
    forward,
    reverse: { plain, secure },
    async stop() {
      await Promise.all([forward.stop(), plain.stop(), secure.stop()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A way from a client to a server. */
export interface Way {
  readonly name: string;
  /** Whose capture has the sessions. */
  app(modes: Modes): AppRig;
  connect(modes: Modes): Promise<Line>;
  /** The request target is a whole URL. */
  readonly absolute?: true;
}

export const DIRECT: Way = {
  name: 'directly',
  app: () => {
    throw new Error('no proxy');
  },
  connect: ({ ports }) => openTcp(ports.plain),
};

export const WAYS: readonly Way[] = [
  {
    name: 'CONNECT, ws',
    app: ({ forward }) => forward,
    connect: ({ forward, ports }) => openTunnel(forward, ports.plain),
  },
  {
    name: 'CONNECT, wss',
    app: ({ forward }) => forward,
    connect: async ({ forward, ports }) => openTls(await openTunnel(forward, ports.secure), forward),
  },
  {
    name: 'absolute form',
    app: ({ forward }) => forward,
    connect: ({ forward }) => openTcp(forward.app.proxy.port),
    absolute: true,
  },
  {
    name: 'reverse',
    app: ({ reverse }) => reverse.plain,
    connect: ({ reverse }) => openTcp(reverse.plain.app.proxy.port),
  },
  {
    name: 'reverse, TLS to the proxy',
    app: ({ reverse }) => reverse.plain,
    connect: async ({ reverse }) => openTls(await openTcp(reverse.plain.app.proxy.port), reverse.plain),
  },
  {
    name: 'reverse, TLS to the server',
    app: ({ reverse }) => reverse.secure,
    connect: ({ reverse }) => openTcp(reverse.secure.app.proxy.port),
  },
];

/** The request target for a path on the modes' server. */
export function targetOf(way: Way, { ports }: Modes, path: string): string {
  return way.absolute === true ? `ws://127.0.0.1:${ports.plain}${path}` : path;
}

async function openTcp(port: number): Promise<Line> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  socket.on('error', ignore);
  await once(socket, 'connect');
  return { socket, raw: socket };
}
async function openTls({ raw }: Line, { app }: AppRig): Promise<Line> {
  const socket = connectTls({ socket: raw, host: '127.0.0.1', ca: await readFile(app.ca.certificate) });
  socket.on('error', ignore);
  try {
    await once(socket, 'secureConnect');
  } catch (error) {
    raw.destroy();
    throw error;
  }
  return { socket, raw };
}
async function openTunnel({ app }: AppRig, port: number): Promise<Line> {
  const line = await openTcp(app.proxy.port);
  line.socket.write(`CONNECT 127.0.0.1:${port} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
  try {
    const head = await readHead(line.socket);
    if (head.startsWith('HTTP/1.1 200 ')) return line;
    throw new Error(head);
  } catch (error) {
    line.socket.destroy();
    throw error;
  }
}
const ignore = (): void => undefined;

/** Resolves when the socket is closed, after an error too. */
export function untilClosed(socket: Socket): Promise<void> {
  return socket.closed ? Promise.resolve() : new Promise((resolve) => socket.once('close', () => resolve()));
}

/** Reads a head, and puts what came after it back. The socket is paused afterwards. */
export async function readHead(socket: Socket): Promise<string> {
  let bytes = Buffer.alloc(0);
  for (;;) {
    const chunk = socket.read() as Buffer | null;
    if (chunk === null) {
      if (socket.readableEnded || socket.destroyed) throw new Error(`no head, but ${bytes.toString('latin1')}`);
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          socket.off('readable', wake).off('end', wake).off('close', wake);
          resolve();
        };
        socket.on('readable', wake).on('end', wake).on('close', wake);
      });
      continue;
    }
    bytes = Buffer.concat([bytes, chunk]);
    const end = bytes.indexOf('\r\n\r\n');
    if (end < 0) continue;
    if (bytes.length > end + 4) socket.unshift(bytes.subarray(end + 4));
    return bytes.toString('latin1', 0, end + 4);
  }
}
