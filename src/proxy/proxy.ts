import type { Socket } from 'node:net';
import type { CaptureWriter } from '../capture/session-recorder.ts';
import type { RequestHead } from '../contract/session.ts';
import { FrametapError } from '../errors.ts';
import { fieldValues } from '../protocol/head.ts';
import { formatAuthority, formatHostPort, parseAuthority } from '../protocol/request-target.ts';
import type { Authority } from '../tls/authority.ts';
import { answerBytes, endWith, refusal } from './answer.ts';
import type { ClientConnection, ProxyLogger } from './client-connection.ts';
import { terminateTls } from './client-tls.ts';
import { Deadlines } from './deadlines.ts';
import { HandshakeKeys } from './handshake-keys.ts';
import type { HttpForwarder } from './http-forwarder.ts';
import { answerRefusal, HttpRequests, type HttpExchange } from './http-requests.ts';
import type { Origin } from './leg.ts';
import { createListener, Reception, type Doors, type Listener } from './listener.ts';
import { Tunnels } from './modes/connect.ts';
import { withoutOwnCookie } from './own-cookie.ts';
import type { Mode, Route } from './modes/mode.ts';
import { modesOf } from './modes/table.ts';
import { isOwnHost, OwnPages } from './own-pages.ts';
import { bindPort } from './port.ts';
import { ProxyAuthentication } from './proxy-authentication.ts';
import { asFrametapError, refuseAndRecord } from './recorded-refusal.ts';
import type { OwnListener } from './self-guard.ts';
import { OpeningHandshake, type HandshakeGround, type StartSession } from './upgrade.ts';
import type { TunnelUpstream } from './upstream.ts';

export interface ProxyOptions {
  readonly host: string;
  readonly port: number;
  /** Where the port is taken, the next free one will do. */
  readonly nextFreePort?: boolean;
  readonly authority: Pick<
    Authority,
    'secureContextFor' | 'leafSha256For' | 'certificatePem' | 'certificateDer' | 'sha256'
  >;
  readonly upstream: TunnelUpstream;
  readonly forwarder: HttpForwarder;
  readonly capture: CaptureWriter;
  readonly startSession: StartSession;
  /** The proxy adds itself. */
  readonly ownListeners: Set<OwnListener>;
  readonly reverse?: Origin | null;
  readonly keepHost?: boolean;
  /** `user:password` */
  readonly proxyAuth?: string | null;
  readonly strict?: boolean;
  /** `name=value` of the dashboard's cookie: no server is sent it. */
  readonly ownCookie?: string;
  readonly passthrough?: readonly string[];
  readonly logger: ProxyLogger;
  readonly timeouts?: Partial<ProxyTimeouts>;
}

export interface ProxyTimeouts {
  /** A request's head, and a client's TLS handshake. */
  readonly headMs: number;
  /** The server's answer to an opening handshake. */
  readonly answerMs: number;
  /** A client that has ended its side during the opening handshake. */
  readonly goneMs: number;
  /** Running HTTP exchanges at the end. */
  readonly drainMs: number;
}
const TIMEOUTS: ProxyTimeouts = { headMs: 10_000, answerMs: 30_000, goneMs: 2_000, drainMs: 5_000 };

export interface Proxy {
  readonly host: string;
  readonly port: number;
  /**
   * Accepts no more, lets running HTTP exchanges end (5 s at most) and ends every other connection that has not
   * become a session: those are ended by whoever runs them.
   */
  stop(): Promise<void>;
}

/**
 * Starts the proxy's one port.
 * @throws {FrametapError} `port-taken`, `bind-failed`
 */
export async function startProxy(options: ProxyOptions): Promise<Proxy> {
  const front = new Front(options);
  const { server } = front.listener;
  const { address, port } = await bindPort(server, options);
  // An error of a listening socket (no more file descriptors, say) concerns one connection that never came.
  server.on('error', (error) => options.logger.warn({ err: error }, 'A connection could not be accepted'));
  const own = { address, port };
  options.ownListeners.add(own);
  front.port = port;
  return {
    host: address,
    port,
    async stop() {
      await front.stop();
      options.ownListeners.delete(own);
    },
  };
}

/** Everything between an accepted connection and a session, put together. */
class Front implements Doors {
  port: number;
  readonly listener: Listener;
  readonly #options: ProxyOptions;
  readonly #timeouts: ProxyTimeouts;
  readonly #modes: readonly Mode[];
  readonly #headDeadlines: Deadlines;
  readonly #reception: Reception;
  readonly #tunnels: Tunnels;
  readonly #http: HttpRequests;
  readonly #pages: OwnPages;
  readonly #authentication: ProxyAuthentication;
  readonly #handshakes: HandshakeGround;

  constructor(options: ProxyOptions) {
    this.#options = options;
    this.port = options.port;
    this.#timeouts = { ...TIMEOUTS, ...options.timeouts };
    this.#modes = modesOf({ reverse: options.reverse ?? null, keepHost: options.keepHost ?? false });
    this.#headDeadlines = new Deadlines(this.#timeouts.headMs);
    this.#reception = new Reception(this, this.#headDeadlines);
    this.listener = createListener(this.#reception);
    const { capture, upstream, startSession } = options;
    this.#tunnels = new Tunnels({
      capture,
      upstream,
      reception: this.#reception,
      passthrough: options.passthrough ?? [],
    });
    this.#http = new HttpRequests({
      headTimeoutMs: this.#timeouts.headMs,
      request: (connection, head, exchange) => this.#request(connection, head, exchange),
      handshake: (connection, head, rest) => this.handshake(connection, head, rest),
      connect: (connection, head, rest) => this.connect(connection, head, rest),
      refused: (connection, error) => this.refused(connection, error),
    });
    this.#pages = new OwnPages({
      authority: options.authority,
      proxyUrl: () => `http://${formatHostPort({ host: options.host, port: this.port })}`,
    });
    this.#authentication = new ProxyAuthentication(options.proxyAuth ?? null);
    this.#handshakes = {
      capture,
      upstream,
      startSession,
      strict: options.strict ?? false,
      keys: new HandshakeKeys(),
      answerDeadlines: new Deadlines(this.#timeouts.answerMs),
      goneDeadlines: new Deadlines(this.#timeouts.goneMs),
      released: (connection) => {
        this.#tunnels.released(connection);
        this.listener.release(connection.raw);
      },
    };
  }

  // Doors

  handshake(connection: ClientConnection, head: RequestHead, rest: Buffer): void {
    this.#tunnels.read(connection);
    const denied = this.#authenticate(connection, head);
    if (denied !== null) {
      endWith(connection.socket, connection.raw, answerBytes(refusal(denied)));
      return;
    }
    let route: Route | null = null;
    try {
      route = this.#route(head, connection);
      if (route === null) {
        throw new FrametapError(
          'target-invalid',
          'This is the address of the proxy itself. Set it as the proxy of the client, or start with --reverse.',
        );
      }
      if (isOwnHost(route.origin.host)) {
        // Nothing of the proxy's own pages is captured.
        const answer = refusal(new FrametapError('target-is-frametap', 'There is no WebSocket server here.'));
        endWith(connection.socket, connection.raw, answerBytes(answer));
        return;
      }
    } catch (error) {
      if (!(error instanceof FrametapError)) throw error;
      const mode = route?.mode ?? this.#modes.at(-1)?.name ?? 'absolute-form';
      const url = /^[a-z]+:/i.test(head.target)
        ? head.target
        : `ws://${fieldValues(head.headers, 'host')[0] ?? ''}${head.target}`;
      refuseAndRecord(this.#options.capture, { connection, head, url, mode }, error);
      return;
    }
    const { ownCookie } = this.#options;
    const sent = ownCookie === undefined ? head : withoutOwnCookie(head, ownCookie);
    new OpeningHandshake(this.#handshakes, { connection, head: sent, rest, route }).start();
  }

  connect(connection: ClientConnection, head: RequestHead, rest: Buffer): void {
    const problem = this.#authenticate(connection, head) ?? this.#connectProblem(connection);
    if (problem === null) this.#tunnels.open(connection, head, rest);
    else endWith(connection.socket, connection.raw, answerBytes(refusal(problem)));
  }

  http(connection: ClientConnection): void {
    this.#tunnels.read(connection);
    this.#http.take(connection);
  }

  unread(connection: ClientConnection): void {
    this.#tunnels.unread(connection);
  }

  refused({ address, tunnel }: ClientConnection, { code, message }: FrametapError): void {
    const target = tunnel === null ? null : formatHostPort(tunnel);
    this.#options.logger.warn({ code, client: address, target }, message);
  }

  tls(connection: ClientConnection): void {
    if (this.#tunnels.passesThrough(connection)) {
      this.#tunnels.unread(connection);
      return;
    }
    this.#tunnels.read(connection);
    const host = connection.tunnel?.host ?? connection.raw.localAddress ?? this.#options.host;
    terminateTls(connection, host, { authority: this.#options.authority, deadlines: this.#headDeadlines }).then(
      (secured) => this.#reception.receive(secured),
      (error: unknown) => this.#tlsFailed(connection, error),
    );
  }

  // Ordinary requests

  #request(connection: ClientConnection, head: RequestHead, exchange: HttpExchange): void {
    const { request, response } = exchange;
    try {
      // RFC 9112 §3.2: which of them counts is not for every hop to decide by itself.
      if (fieldValues(head.headers, 'host').length > 1) {
        throw new FrametapError('bad-request', 'The request has more than one Host field.');
      }
      const route = this.#route(head, connection);
      if (route === null) {
        this.#pages.serve(request, response, head.target);
        return;
      }
      const denied = this.#authenticate(connection, head);
      if (denied !== null) throw denied;
      if (isOwnHost(route.origin.host) || (route.mode === 'reverse' && namesOwnHost(head))) {
        this.#pages.serve(request, response, route.target);
        return;
      }
      const { origin, target, host } = route;
      const { ownCookie } = this.#options;
      if (ownCookie !== undefined) request.rawHeaders = withoutOwnCookie(head, ownCookie).headers.flat();
      this.#options.forwarder.forward(request, response, { origin, target, ...(host === undefined ? {} : { host }) });
    } catch (error) {
      if (!(error instanceof FrametapError)) throw error;
      answerRefusal(exchange, error);
    }
  }

  #route(head: RequestHead, connection: ClientConnection): Route | null {
    for (const mode of this.#modes) {
      const route = mode.route(head, connection);
      if (route !== null) return route;
    }
    return null;
  }

  /** What is inside a tunnel was let in with it; the proxy's own pages have no secrets. */
  #authenticate(connection: ClientConnection, head: RequestHead): FrametapError | null {
    return connection.tunnel === null ? this.#authentication.check(head.headers) : null;
  }

  #connectProblem(connection: ClientConnection): FrametapError | null {
    if (this.#options.reverse != null) {
      return new FrametapError(
        'target-invalid',
        'In reverse mode this port leads to one server, and is no proxy for CONNECT.',
      );
    }
    if (connection.tunnel === null) return null;
    return new FrametapError('target-invalid', 'A CONNECT inside of a CONNECT tunnel is not followed.');
  }

  #tlsFailed(connection: ClientConnection, error: unknown): void {
    const problem = asFrametapError(error);
    connection.raw.destroy();
    const { address, port, tunnel } = connection;
    const { capture, reverse, logger } = this.#options;
    const url = tunnel !== null ? formatHostPort(tunnel) : reverse == null ? null : formatAuthority(reverse);
    logger.warn({ code: problem.code, client: address, target: url }, problem.message);
    if (url === null || (tunnel !== null && isOwnHost(tunnel.host))) return;
    const recorder = capture.openSession({
      url,
      mode: tunnel === null ? 'reverse' : 'connect',
      client: { address, port },
    });
    recorder.failed({ by: 'client', code: problem.code, message: problem.message });
  }

  /** See `Proxy.stop`. */
  async stop(): Promise<void> {
    const { server, sockets } = this.listener;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.#timeouts.drainMs);
    });
    await Promise.race([this.#http.close(), limit]);
    clearTimeout(timer);
    for (const socket of sockets) endSoon(socket);
    // Sessions have connections of this server too: their end is not waited for.
    await Promise.race([closed, new Promise((resolve) => setImmediate(resolve))]);
    this.#options.forwarder.close();
  }
}

/** A socket that still writes may finish; one that does not, ends now. */
function endSoon(socket: Socket): void {
  if (socket.writableLength === 0) socket.destroy();
  else endWith(socket, socket, new Uint8Array(0));
}

function namesOwnHost(head: RequestHead): boolean {
  try {
    return isOwnHost(parseAuthority(fieldValues(head.headers, 'host')[0] ?? '', 80).host);
  } catch {
    // What is no host is not ours.
    return false;
  }
}
