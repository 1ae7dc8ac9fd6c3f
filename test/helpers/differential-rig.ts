import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { type ClientOptions, WebSocket, WebSocketServer } from 'ws';
import { RawEnd, type RawRole, WsEnd } from './differential-ends.ts';
import type { ProtocolCase } from './protocol-cases.ts';
import { handshake, switching } from './test-proxy.ts';
import { certificate, type Line, type Modes, readHead, startModes, targetOf, type Way } from './ways.ts';
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

const ignore = (): void => undefined;

/** A head less what a proxy has to change: key and accept value, and in some modes target and Host. */
function comparable(head: string): string {
  return head
    .replace(/^GET \S*?(\/\d+)\?\S* /, 'GET $1 ')
    .replace(/\r\n(host|sec-websocket-key|sec-websocket-accept): [^\r]*/gi, '\r\n$1: …');
}

const pathOf = (number: number, way: Way): string => `/${number}?${encodeURIComponent(way.name)}`;

/** The number of the case that a request target names. */
const caseOf = (target: string | undefined): number => Number(/\/(\d+)\?/.exec(target ?? '')?.[1]);

/** Both ends in both roles, and every mode of the proxy before them. */
export class DifferentialRig {
  readonly cases: readonly ProtocolCase[];
  /** By the role of the raw end: the proxy before the server that its opposite, or itself, is. */
  modes!: Readonly<Record<RawRole, Modes>>;
  readonly #servers: Server[] = [];
  /** Cases whose client is on its way, by number: who takes its connection. */
  readonly #awaited = new Map<number, (line: Line, head: string) => void>();
  readonly #accepted = new Map<number, (end: WsEnd) => void>();

  private constructor(cases: readonly ProtocolCase[]) {
    this.cases = cases;
  }

  static async start(cases: readonly ProtocolCase[]): Promise<DifferentialRig> {
    const rig = new DifferentialRig(cases);
    const { certificatePem: cert, keyPem: key } = certificate;
    const wsServers = {
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
    const rawServers = {
      plain: await rig.#listen(createServer(options, (socket) => rig.#acceptRaw({ socket, raw: socket }))),
      secure: await rig.#listen(tlsServer),
    };
    rig.modes = { client: await startModes(wsServers), server: await startModes(rawServers) };
    return rig;
  }

  async stop(): Promise<void> {
    await Promise.all([this.modes.client.stop(), this.modes.server.stop()]);
    for (const server of this.#servers) server.close();
  }

  run(role: RawRole, number: number, way: Way): Promise<Run> {
    return role === 'client' ? this.#runRawClient(number, way) : this.#runRawServer(number, way);
  }

  async #runRawClient(number: number, way: Way): Promise<Run> {
    const one = this.#case(number);
    const accepted = new Promise<WsEnd>((resolve) => this.#accepted.set(number, resolve));
    const modes = this.modes.client;
    const line = await way.connect(modes);
    const host = `127.0.0.1:${modes.ports.plain}`;
    const target = targetOf(way, modes, pathOf(number, way));
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
    const modes = this.modes.server;
    const { socket } = await way.connect(modes);
    const path = pathOf(number, way);
    const options: ClientOptions & { closeTimeout: number } = {
      createConnection: () => socket,
      perMessageDeflate: one.deflate?.client ?? {},
      closeTimeout: CLOSE_TIMEOUT_MS,
      finishRequest: (request) => {
        if (way.absolute === true) request.path = targetOf(way, modes, path);
        request.end();
      },
    };
    const client = new WebSocket(`ws://127.0.0.1:${modes.ports.plain}${path}`, options);
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
