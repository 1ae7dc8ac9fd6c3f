import { createServer, IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { HeaderList, RequestHead } from '../contract/session.ts';
import { FrametapError, type ErrorCode } from '../errors.ts';
import { isHandshake } from '../protocol/handshake.ts';
import { MAX_HEAD_BYTES } from '../protocol/head.ts';
import { answerBytes, endWith, ignoreError, refusal, refusalFields } from './answer.ts';
import type { ClientConnection } from './client-connection.ts';

export interface HttpRequestsOptions {
  readonly headTimeoutMs: number;
  /** An ordinary request. */
  request(connection: ClientConnection, head: RequestHead, exchange: HttpExchange): void;
  /** A handshake or CONNECT that came on a connection after other requests. */
  handshake(connection: ClientConnection, head: RequestHead, rest: Buffer): void;
  connect(connection: ClientConnection, head: RequestHead, rest: Buffer): void;
  /** What came was no request, was answered so, and nothing else will tell of it. */
  refused(connection: ClientConnection, error: FrametapError): void;
}

export interface HttpExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** Exchanges of one connection, and what listens for its end. */
interface Unanswered {
  readonly exchanges: Set<HttpExchange>;
  readonly gone: () => void;
}

/** Idle connections of browsers live about this long elsewhere too. */
const KEEP_ALIVE_MS = 75_000;

/** Node's HTTP/1.1 server without a port: connections are handed to it when they turn out to be ordinary HTTP. */
export class HttpRequests {
  readonly #options: HttpRequestsOptions;
  readonly #server: Server<typeof Request>;
  readonly #connections = new WeakMap<Duplex, ClientConnection>();
  /** What is not answered yet, by connection. */
  readonly #busy = new Map<Duplex, Unanswered>();
  /** Connections that leave, each with what happens when the last of its answers has gone out. */
  readonly #leaving = new Map<Duplex, () => void>();
  #whenIdle: (() => void) | null = null;

  constructor(options: HttpRequestsOptions) {
    this.#options = options;
    const serve = (request: IncomingMessage, response: ServerResponse): void => this.#serve({ request, response });
    this.#server = createServer(
      {
        IncomingMessage: Request,
        maxHeaderSize: MAX_HEAD_BYTES,
        headersTimeout: options.headTimeoutMs,
        requestTimeout: 0,
        keepAliveTimeout: KEEP_ALIVE_MS,
        connectionsCheckingInterval: Math.min(1000, options.headTimeoutMs),
        requireHostHeader: false,
        noDelay: true,
      },
      serve,
    );
    // The size of the head is the limit: beyond a number of fields Node would drop the rest in silence.
    this.#server.maxHeadersCount = 0;
    this.#server.on('checkContinue', serve);
    this.#server.on('upgrade', (request, socket, rest) => this.#leave(request, socket, rest, 'handshake'));
    this.#server.on('connect', (request, socket, rest) => this.#leave(request, socket, rest, 'connect'));
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket) => this.#refuse(error, socket));
    // The check of header timeouts starts with this event, which only a server with a port of its own would see.
    this.#server.emit('listening');
  }

  /** Takes a connection whose bytes were put back into its socket. */
  take(connection: ClientConnection): void {
    this.#connections.set(connection.socket, connection);
    this.#server.emit('connection', connection.socket);
    connection.socket.resume();
  }

  /** Ends idle connections; resolves when the running exchanges have ended. */
  close(): Promise<void> {
    this.#server.close();
    this.#server.closeIdleConnections();
    return new Promise((resolve) => {
      this.#whenIdle = resolve;
      if (this.#busy.size === 0) resolve();
    });
  }

  #serve(exchange: HttpExchange): void {
    const { request, response } = exchange;
    const { socket } = request;
    const connection = this.#connections.get(socket);
    if (connection === undefined) {
      socket.destroy();
      return;
    }
    request.on('error', ignoreError);
    response.on('error', ignoreError);
    // Behind a request to leave nothing else is answered on this connection.
    if (this.#leaving.has(socket)) return;
    const head = headOf(request);
    if (isHandshake(head)) {
      // Not well made, or Node would have called it an upgrade: it is refused, on the socket itself.
      this.#whenAnswered(socket, () => this.#options.handshake(connection, head, EMPTY));
      return;
    }
    this.#unanswered(socket).exchanges.add(exchange);
    response.once('close', () => this.#exchangeEnded(socket, exchange));
    // While stopping, each answer is the last one of its connection.
    if (this.#whenIdle !== null) response.setHeader('Connection', 'close');
    this.#options.request(connection, head, exchange);
  }

  #unanswered(socket: Socket): Unanswered {
    let unanswered = this.#busy.get(socket);
    if (unanswered === undefined) {
      unanswered = { exchanges: new Set(), gone: () => this.#gone(socket) };
      this.#busy.set(socket, unanswered);
      socket.on('close', unanswered.gone);
    }
    return unanswered;
  }

  #exchangeEnded(socket: Socket, exchange: HttpExchange): void {
    const unanswered = this.#busy.get(socket);
    if (unanswered?.exchanges.delete(exchange) !== true || unanswered.exchanges.size > 0) return;
    socket.off('close', unanswered.gone);
    this.#busy.delete(socket);
    const leave = this.#leaving.get(socket);
    this.#leaving.delete(socket);
    // An answer may have been the connection's last.
    if (socket.writable) leave?.();
    if (this.#busy.size === 0) this.#whenIdle?.();
  }

  #leave(request: IncomingMessage, socket: Duplex, rest: Buffer, door: 'handshake' | 'connect'): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined) {
      socket.destroy();
      return;
    }
    this.#whenAnswered(connection.socket, () => this.#options[door](connection, headOf(request), rest));
  }

  /** Answers go out in the order of the requests (RFC 9112 §9.3.2): a door that writes by itself waits for its turn. */
  #whenAnswered(socket: Socket, open: () => void): void {
    socket.pause();
    const unanswered = this.#busy.get(socket);
    if (unanswered === undefined) {
      open();
      return;
    }
    // After an upgrade Node's server has let go of the socket, and no longer tells the answer under way that there is room again.
    const tellRoom = (): void => {
      for (const { response } of unanswered.exchanges) if (response.socket === socket) response.emit('drain');
    };
    socket.on('drain', tellRoom);
    this.#leaving.set(socket, () => {
      socket.off('drain', tellRoom).setTimeout(0);
      open();
    });
  }

  /** Node tells only the answer that has the socket of its end: those that wait behind it are told here. */
  #gone(socket: Socket): void {
    this.#leaving.delete(socket);
    for (const { response } of [...(this.#busy.get(socket)?.exchanges ?? [])]) {
      if (response.socket !== null) continue;
      response.destroy();
      response.emit('close');
    }
  }

  #refuse(error: NodeJS.ErrnoException, socket: Duplex): void {
    const connection = this.#connections.get(socket);
    // A body that breaks off takes its exchange with it: in the middle of an answer another one would only corrupt it.
    const broken = [...(this.#busy.get(socket)?.exchanges ?? [])].some(({ request }) => !request.complete);
    if (connection === undefined || error.code === 'ECONNRESET' || !socket.writable || broken) {
      socket.destroy();
      return;
    }
    const code = CODES[error.code ?? ''] ?? 'bad-request';
    const problem =
      code === 'bad-request'
        ? new FrametapError(code, `The bytes are no HTTP/1.1 request (${error.code ?? error.message}).`)
        : new FrametapError(code);
    if (this.#leaving.has(socket)) return;
    this.#whenAnswered(connection.socket, () => {
      this.#options.refused(connection, problem);
      endWith(connection.socket, connection.raw, answerBytes(refusal(problem)));
    });
  }
}

const EMPTY = Buffer.alloc(0);
const CODES: Readonly<Record<string, ErrorCode>> = {
  HPE_HEADER_OVERFLOW: 'head-too-large',
  ERR_HTTP_REQUEST_TIMEOUT: 'head-timeout',
};

/** Answers an exchange with a reason of the proxy's own. */
export function answerRefusal({ request, response }: HttpExchange, error: FrametapError): void {
  const { body } = refusal(error);
  const headers = [...refusalFields(error), ['Content-Length', String(body.length)], ['Cache-Control', 'no-store']];
  // An upload that nobody reads would keep the connection busy: it ends with this answer.
  if (!request.complete) headers.push(['Connection', 'close']);
  response.writeHead(error.status, headers.flat());
  response.end(body);
  request.resume();
}

function headOf(request: IncomingMessage): RequestHead {
  const { rawHeaders } = request;
  const headers: HeaderList = Array.from({ length: rawHeaders.length / 2 }, (_, at) => [
    rawHeaders[at * 2] ?? '',
    rawHeaders[at * 2 + 1] ?? '',
  ]);
  return { method: request.method ?? '', target: request.url ?? '', httpVersion: request.httpVersion, headers };
}

/**
 * A request whose Upgrade is not for WebSocket (h2c from curl or Java) is an ordinary request: a server may ignore
 * the field (RFC 9110 §7.8), and http.Server asks `upgrade` whether to stop parsing.
 */
class Request extends IncomingMessage {
  declare private asksUpgrade: boolean;

  get upgrade(): boolean {
    return (
      this.asksUpgrade &&
      (this.method === 'CONNECT' || /(?:^|,)\s*websocket\s*(?:,|$)/i.test(this.headers.upgrade ?? ''))
    );
  }
  set upgrade(asks: boolean | null) {
    this.asksUpgrade = asks === true;
  }
}
