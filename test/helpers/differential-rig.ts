import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer, type IncomingMessage } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { type ClientOptions, WebSocket, WebSocketServer } from 'ws';
import { makeDemoCertificate } from '../../src/demo/demo-certificate.ts';
import { type AppRig, startTestApp } from './app-rig.ts';
import { type Line, RawEnd, type RawRole, readHead, WsEnd } from './differential-ends.ts';
import type { ProtocolCase } from './protocol-cases.ts';
import { handshake, switching } from './test-proxy.ts';
import type { ParsedFrame } from './wire-frames.ts';

/** What came of one case: the same without a proxy and through it, in every mode. */
export interface Verdict {
  /** The opening handshake as the raw end got it, less what must differ. */
  readonly handshake: string;
  /** What `ws` told: messages, pings, pongs, errors, close. */
  readonly events: readonly string[];
  /** The frames that the raw end got, unmasked. */
  readonly received: readonly string[];
  /** How the connection ended for the raw end, and for `ws`. */
  readonly rawEnding: string;
  readonly wsEnding: string;
}
export interface Run {
  readonly verdict: Verdict;
  /** The raw end's frames as it wrote them, and those that it got. */
  readonly written: readonly Buffer[];
  readonly got: readonly ParsedFrame[];
}

interface Ports {
  readonly plain: number;
  readonly secure: number;
}

/** A way from a client to a server. */
export interface Way {
  readonly name: string;
  /** Whose capture has the sessions. */
  app(rig: DifferentialRig, role: RawRole): AppRig | null;
  connect(rig: DifferentialRig, role: RawRole): Promise<Line>;
  /** The request target is a whole URL. */
  readonly absolute?: true;
}

export const DIRECT: Way = { name: 'directly', app: () => null, connect: (rig, role) => tcp(rig.ports(role).plain) };

export const WAYS: readonly Way[] = [
  {
    name: 'CONNECT, ws',
    app: (rig) => rig.forward,
    connect: (rig, role) => tunnel(rig.forward, rig.ports(role).plain),
  },
  {
    name: 'CONNECT, wss',
    app: (rig) => rig.forward,
    connect: async (rig, role) => secure(await tunnel(rig.forward, rig.ports(role).secure), rig.forward),
  },
  {
    name: 'absolute form',
    app: (rig) => rig.forward,
    connect: (rig) => tcp(rig.forward.app.proxy.port),
    absolute: true,
  },
  {
    name: 'reverse',
    app: (rig, role) => rig.reverse[role].plain,
    connect: (rig, role) => tcp(rig.reverse[role].plain.app.proxy.port),
  },
  {
    name: 'reverse, TLS to the proxy',
    app: (rig, role) => rig.reverse[role].plain,
    connect: async (rig, role) => {
      const app = rig.reverse[role].plain;
      return secure(await tcp(app.app.proxy.port), app);
    },
  },
  {
    name: 'reverse, TLS to the server',
    app: (rig, role) => rig.reverse[role].secure,
    connect: (rig, role) => tcp(rig.reverse[role].secure.app.proxy.port),
  },
];

async function tcp(port: number): Promise<Line> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  socket.on('error', ignore);
  await once(socket, 'connect');
  return { socket, raw: socket };
}
async function secure({ raw }: Line, { app }: AppRig): Promise<Line> {
  const socket = connectTls({ socket: raw, host: '127.0.0.1', ca: await readFile(app.ca.certificate) });
  socket.on('error', ignore);
  await once(socket, 'secureConnect');
  return { socket, raw };
}
async function tunnel({ app }: AppRig, port: number): Promise<Line> {
  const line = await tcp(app.proxy.port);
  line.socket.write(`CONNECT 127.0.0.1:${port} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
  const head = await readHead(line.socket);
  if (!head.startsWith('HTTP/1.1 200 ')) throw new Error(head);
  return line;
}
const ignore = (): void => undefined;

/** A head less what a proxy has to change: key and accept value, and in some modes target and Host. */
function comparable(head: string): string {
  return head
    .replace(/^GET \S*?(\/\d+)\?\S* /, 'GET $1 ')
    .replace(/\r\n(host|sec-websocket-key|sec-websocket-accept): [^\r]*/gi, '\r\n$1: …');
}

/** The number of the case that a request target names. */
const caseOf = (target: string | undefined): number => Number(/\/(\d+)\?/.exec(target ?? '')?.[1]);

/** Both ends in both roles, and every mode of the proxy before them. */
export class DifferentialRig {
  readonly cases: readonly ProtocolCase[];
  forward!: AppRig;
  reverse!: Readonly<Record<RawRole, { readonly plain: AppRig; readonly secure: AppRig }>>;
  #wsServers!: Ports;
  #rawServers!: Ports;
  #folder = '';
  readonly #servers: Server[] = [];
  /** Cases whose client is on its way, by number: who takes its connection. */
  readonly #awaited = new Map<number, (line: Line, head: string) => void>();
  readonly #accepted = new Map<number, (end: WsEnd) => void>();

  private constructor(cases: readonly ProtocolCase[]) {
    this.cases = cases;
  }

  static async start(cases: readonly ProtocolCase[]): Promise<DifferentialRig> {
    const rig = new DifferentialRig(cases);
    const { certificatePem: cert, keyPem: key } = makeDemoCertificate();
    rig.#folder = await mkdtemp(join(tmpdir(), 'frametap-differential-'));
    const upstreamCa = join(rig.#folder, 'upstream.pem');
    await writeFile(upstreamCa, cert);
    rig.#wsServers = {
      plain: await rig.#listen(rig.#serveWs(createHttpServer())),
      secure: await rig.#listen(rig.#serveWs(createHttpsServer({ cert, key }))),
    };
    const options = { allowHalfOpen: true, noDelay: true };
    const raws = new Map<number | undefined, Socket>();
    const tlsServer = createTlsServer({ ...options, cert, key }, (socket) => {
      rig.#acceptRaw({ socket, raw: raws.get(socket.remotePort) ?? socket });
    });
    tlsServer.on('connection', (raw: Socket) => {
      const { remotePort } = raw;
      raws.set(remotePort, raw);
      raw.once('close', () => raws.delete(remotePort));
    });
    rig.#rawServers = {
      plain: await rig.#listen(createServer(options, (socket) => rig.#acceptRaw({ socket, raw: socket }))),
      secure: await rig.#listen(tlsServer),
    };
    const app = (to?: string): Promise<AppRig> =>
      startTestApp({ upstreamCa, ...(to !== undefined && { reverse: to }) });
    const reverseOf = async ({ plain, secure }: Ports): Promise<{ plain: AppRig; secure: AppRig }> => ({
      plain: await app(`ws://127.0.0.1:${plain}`),
      secure: await app(`wss://127.0.0.1:${secure}`),
    });
    rig.forward = await app();
    rig.reverse = { client: await reverseOf(rig.#wsServers), server: await reverseOf(rig.#rawServers) };
    return rig;
  }

  async stop(): Promise<void> {
    const { client, server } = this.reverse;
    const apps = [this.forward, client.plain, client.secure, server.plain, server.secure];
    await Promise.all(apps.map((app) => app.stop()));
    for (const server of this.#servers) server.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** Where the server is that a client of this role's raw end, or of `ws`, talks to. */
  ports(role: RawRole): Ports {
    return role === 'client' ? this.#wsServers : this.#rawServers;
  }

  run(role: RawRole, number: number, way: Way): Promise<Run> {
    return role === 'client' ? this.#runRawClient(number, way) : this.#runRawServer(number, way);
  }

  async #runRawClient(number: number, way: Way): Promise<Run> {
    const one = this.#case(number);
    const accepted = new Promise<WsEnd>((resolve) => this.#accepted.set(number, resolve));
    const line = await way.connect(this, 'client');
    const host = `127.0.0.1:${this.#wsServers.plain}`;
    const target = this.#target(number, way, 'client');
    line.socket.write(
      handshake(target, host, one.deflate === undefined ? [] : [`Sec-WebSocket-Extensions: ${one.deflate.offer}`]),
    );
    const head = await readHead(line.socket);
    if (!head.startsWith('HTTP/1.1 101 ')) throw new Error(head);
    const wsEnd = await accepted;
    return this.#finish(new RawEnd(one, 'client', line), wsEnd, head);
  }

  async #runRawServer(number: number, way: Way): Promise<Run> {
    const one = this.#case(number);
    const awaited = new Promise<{ line: Line; head: string }>((resolve) =>
      this.#awaited.set(number, (line, head) => resolve({ line, head })),
    );
    const { socket } = await way.connect(this, 'server');
    const target = this.#target(number, way, 'server');
    const options: ClientOptions & { closeTimeout: number } = {
      createConnection: () => socket,
      perMessageDeflate: one.deflate?.client ?? {},
      closeTimeout: CLOSE_TIMEOUT_MS,
      finishRequest: (request) => {
        if (way.absolute === true) request.path = target;
        request.end();
      },
    };
    const url = `ws://127.0.0.1:${this.#rawServers.plain}${new URL(target, 'ws://x').pathname}${new URL(target, 'ws://x').search}`;
    const client = new WebSocket(url, options);
    const wsEnd = new WsEnd(client, socket);
    const { line, head } = await awaited;
    line.socket.write(
      switching(head, ...(one.deflate === undefined ? [] : [`Sec-WebSocket-Extensions: ${one.deflate.answer}`])),
    );
    return this.#finish(new RawEnd(one, 'server', line), wsEnd, head);
  }

  async #finish(rawEnd: RawEnd, wsEnd: WsEnd, head: string): Promise<Run> {
    await Promise.all([rawEnd.run(), wsEnd.over]);
    const { received, ending: rawEnding, written, got } = rawEnd;
    const { events, ending: wsEnding } = wsEnd;
    return { verdict: { handshake: comparable(head), events, received, rawEnding, wsEnding }, written, got };
  }

  #case(number: number): ProtocolCase {
    const one = this.cases[number];
    if (one === undefined) throw new RangeError(`there is no case ${number}`);
    return one;
  }

  #target(number: number, way: Way, role: RawRole): string {
    const path = `/${number}?${encodeURIComponent(way.name)}`;
    return way.absolute === true ? `ws://127.0.0.1:${this.ports(role).plain}${path}` : path;
  }

  #acceptRaw(line: Line): void {
    line.socket.on('error', ignore);
    readHead(line.socket).then((head) => {
      const number = caseOf(head.slice(0, head.indexOf('\r\n')));
      this.#awaited.get(number)?.(line, head);
    }, ignore);
  }

  #serveWs<T extends Server>(server: T): T {
    const servers = new Map<object, WebSocketServer>();
    const serverFor = (options: object): WebSocketServer => {
      const known = servers.get(options);
      if (known !== undefined) return known;
      const all = { noServer: true, perMessageDeflate: options, closeTimeout: CLOSE_TIMEOUT_MS };
      const made = new WebSocketServer(all);
      servers.set(options, made);
      return made;
    };
    const plain = {};
    server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
      const number = caseOf(request.url);
      serverFor(this.#case(number).deflate?.server ?? plain).handleUpgrade(request, socket, head, (client) => {
        this.#accepted.get(number)?.(new WsEnd(client, socket));
      });
    });
    return server;
  }

  async #listen(server: Server): Promise<number> {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.#servers.push(server);
    return (server.address() as AddressInfo).port;
  }
}

/** Long enough for a loaded machine: a case that needs it hangs. */
const CLOSE_TIMEOUT_MS = 10_000;
