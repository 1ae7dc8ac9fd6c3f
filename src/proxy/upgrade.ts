import type { CaptureWriter, SessionRecorder } from '../capture/session-recorder.ts';
import type { RequestHead, ResponseHead } from '../contract/session.ts';
import { elapsedMs } from '../clock.ts';
import { FrametapError } from '../errors.ts';
import type { NegotiatedDeflate } from '../protocol/extensions.ts';
import {
  acceptFor,
  checkClientHandshake,
  checkServerAnswer,
  clientAnswer,
  serverRequest,
} from '../protocol/handshake.ts';
import {
  fieldValues,
  HeadReader,
  parseResponseHead,
  serializeRequestHead,
  serializeResponseHead,
} from '../protocol/head.ts';
import { formatAuthority } from '../protocol/request-target.ts';
import { answerBytes, endWith, refusal } from './answer.ts';
import type { ClientConnection } from './client-connection.ts';
import { hasBeenReset } from './connection-error.ts';
import type { Deadline, Deadlines } from './deadlines.ts';
import type { HandshakeKeys } from './handshake-keys.ts';
import type { Leg, Upstream, UpstreamConnection } from './leg.ts';
import type { Route } from './modes/mode.ts';
import { withoutProxyCredentials } from './proxy-authentication.ts';
import { asFrametapError, blameFor } from './recorded-refusal.ts';
import { RefusedHandshake } from './refused-handshake.ts';

/** Takes over both legs once the opening handshake has succeeded. */
export type StartSession = (session: {
  readonly recorder: SessionRecorder;
  readonly client: Leg;
  readonly server: Leg;
  readonly deflate: NegotiatedDeflate | null;
}) => void;

/** What all opening handshakes share. */
export interface HandshakeGround {
  readonly capture: CaptureWriter;
  readonly upstream: Upstream;
  readonly startSession: StartSession;
  readonly strict: boolean;
  readonly keys: HandshakeKeys;
  /** How long a server may take to answer. */
  readonly answerDeadlines: Deadlines;
  /** How long a client that has ended its side is still waited for. */
  readonly goneDeadlines: Deadlines;
  /** The connection leaves the proxy's own care. */
  readonly released: (connection: ClientConnection) => void;
}

/** More than this before the 101 and the client is read no further. */
const MAX_EARLY_BYTES = 64 * 1024;
const EMPTY = Buffer.alloc(0);

/** The URL of a handshake's session: where it goes, whatever authority an absolute target claims. */
export function webSocketUrl({ origin, target }: Route): string {
  const rest = target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#\\]*/i, '');
  const path = rest.startsWith('/') ? rest : `/${rest}`;
  return `${origin.secure ? 'wss' : 'ws'}://${formatAuthority(origin)}${path}`;
}

/** One opening handshake: the client's request, ours, the server's answer, ours. */
export class OpeningHandshake {
  readonly #ground: HandshakeGround;
  readonly #connection: ClientConnection;
  readonly #request: RequestHead;
  readonly #route: Route;
  readonly #recorder: SessionRecorder;
  #early: Buffer;
  #clientEnded = false;
  #server: UpstreamConnection | null = null;
  #serverRequest: RequestHead | null = null;
  #reader = new HeadReader();
  #sentAtMs = 0;
  #deadline: Deadline | null = null;
  #goneDeadline: Deadline | null = null;
  #settled = false;
  /** The client does not take the interim answers. */
  #blocked = false;

  constructor(
    ground: HandshakeGround,
    start: {
      readonly connection: ClientConnection;
      readonly head: RequestHead;
      readonly rest: Buffer;
      readonly route: Route;
    },
  ) {
    this.#ground = ground;
    this.#connection = start.connection;
    this.#request = start.head;
    this.#route = start.route;
    this.#early = start.rest;
    const { address, port, clientTls } = start.connection;
    this.#recorder = ground.capture.openSession({
      url: webSocketUrl(start.route),
      mode: start.route.mode,
      client: { address, port },
    });
    this.#recorder.update({ clientTls, handshake: { clientRequest: withoutProxyCredentials(start.head) } });
  }

  /** Goes on by itself to a session or a refusal. */
  start(): void {
    const problem = checkClientHandshake(this.#request);
    if (problem !== null) {
      this.#fail(problem);
      return;
    }
    const { socket } = this.#connection;
    socket.on('data', this.#clientSent).on('end', this.#clientEnds).on('close', this.#clientGone);
    if (this.#early.length < MAX_EARLY_BYTES) socket.resume();
    else socket.pause();
    this.#ground.upstream.connect(this.#route.origin).then(
      (server) => this.#connected(server),
      (error: unknown) => this.#fail(asFrametapError(error)),
    );
  }

  // The client, while it waits

  readonly #clientSent = (chunk: Buffer): void => {
    this.#early = this.#early.length === 0 ? chunk : Buffer.concat([this.#early, chunk]);
    if (this.#early.length >= MAX_EARLY_BYTES) this.#connection.socket.pause();
  };

  /**
   * It may have gone, or only have no more to say: the server has a little time to answer. What came before the end
   * goes to the server first, and only a session can bring it.
   */
  readonly #clientEnds = (): void => {
    const { socket, raw } = this.#connection;
    if (hasBeenReset(raw, { finSent: socket.writableEnded })) {
      this.#clientGone();
      return;
    }
    this.#clientEnded = true;
    this.#goneDeadline = this.#ground.goneDeadlines.start(this.#clientGone);
  };

  readonly #clientGone = (): void => {
    if (this.#settled) return;
    this.#settle();
    this.#recorder.failed({ by: 'client', code: 'client-gone', message: GONE });
    this.#connection.raw.destroy();
    this.#server?.raw.destroy();
  };

  // The server

  #connected(server: UpstreamConnection): void {
    if (this.#settled) {
      server.raw.destroy();
      return;
    }
    this.#server = server;
    const { origin, target, host } = this.#route;
    const request = serverRequest(this.#request, {
      key: this.#ground.keys.next(),
      target: target === '' ? '/' : target.startsWith('?') ? `/${target}` : target,
      host,
    });
    this.#serverRequest = request;
    this.#recorder.update({
      server: { address: server.address, port: origin.port, tls: server.tls },
      timingsMs: server.timingsMs,
      handshake: { serverRequest: request },
    });
    server.socket.on('data', this.#serverSent).on('end', this.#serverEnded).on('close', this.#serverEnded);
    server.socket.write(serializeRequestHead(request), 'latin1');
    this.#sentAtMs = performance.now();
    this.#deadline = this.#ground.answerDeadlines.start(() =>
      this.#fail(new FrametapError('upstream-timeout', 'The server did not answer the opening handshake.')),
    );
    server.socket.resume();
  }

  readonly #serverSent = (chunk: Buffer): void => {
    try {
      let bytes = chunk;
      for (;;) {
        const complete = this.#reader.push(bytes);
        if (complete === null) {
          if (!mayBeHttp(this.#reader.bytes))
            throw new FrametapError('upstream-bad-response', 'The server does not speak HTTP.');
          return;
        }
        const answer = parseResponseHead(complete.head);
        if (answer.status >= 200 || answer.status === 101) {
          this.#answered(answer, complete.head, complete.rest);
          return;
        }
        // RFC 9110 §15.2: an interim answer is passed on, and another follows.
        this.#pass(complete.head);
        if (complete.rest.length === 0) {
          this.#reader = new HeadReader();
          return;
        }
        this.#reader = new HeadReader();
        bytes = complete.rest;
      }
    } catch (error) {
      const problem = asFrametapError(error);
      this.#fail(
        problem.code === 'head-too-large'
          ? new FrametapError('upstream-bad-response', "The header block of the server's answer is over 64 KiB.")
          : problem,
      );
    }
  };

  /** A client that does not read stops the server. */
  #pass(interim: Buffer): void {
    const { socket } = this.#connection;
    if (socket.write(interim) || this.#blocked) return;
    this.#blocked = true;
    this.#server?.socket.pause();
    socket.once('drain', () => {
      this.#blocked = false;
      if (!this.#settled) this.#server?.socket.resume();
    });
  }

  readonly #serverEnded = (): void => {
    const started = this.#reader.bytes.length > 0;
    this.#fail(
      new FrametapError(
        'upstream-closed',
        started
          ? 'The server closed the connection in the middle of its answer to the opening handshake.'
          : 'The server closed the connection without an answer to the opening handshake.',
      ),
    );
  };

  #answered(answer: ResponseHead, bytes: Buffer, rest: Buffer): void {
    const server = this.#server;
    if (server === null || this.#settled || this.#serverRequest === null) return;
    const timingsMs = { upgrade: elapsedMs(this.#sentAtMs) };
    if (answer.status !== 101) {
      this.#recorder.update({
        status: answer.status,
        timingsMs,
        handshake: { serverResponse: answer, clientResponse: answer },
      });
      const refused = new RefusedHandshake({ recorder: this.#recorder, connection: this.#connection, server, answer });
      this.#settle();
      refused.relay(bytes, rest);
      return;
    }
    const outcome = checkServerAnswer(this.#serverRequest, answer);
    const clientKey = fieldValues(this.#request.headers, 'sec-websocket-key')[0] ?? '';
    const accept = acceptFor(clientKey);
    for (const code of outcome.violations) this.#recorder.violation(code, 'server');
    this.#recorder.update({
      status: 101,
      timingsMs,
      subprotocol: outcome.subprotocol,
      extensions: outcome.extensions,
      proof: {
        client: {
          key: clientKey,
          expected: accept,
          received: outcome.proof.matches ? accept : null,
          matches: outcome.proof.matches,
        },
        server: outcome.proof,
      },
      handshake: { serverResponse: answer },
    });
    if (!outcome.proof.matches) {
      const { received, expected } = outcome.proof;
      const found = received === null ? 'no Sec-WebSocket-Accept' : `Sec-WebSocket-Accept ${JSON.stringify(received)}`;
      this.#fail(
        new FrametapError(
          'upstream-bad-accept',
          `The server answered 101 with ${found}; the key demands ${expected ?? ''}.`,
        ),
      );
    } else if (this.#ground.strict && outcome.violations.length > 0) {
      this.#fail(
        new FrametapError(
          'upstream-not-offered',
          `The server's 101 breaks the protocol: ${outcome.violations.join(', ')}.`,
        ),
      );
    } else {
      this.#open(server, clientAnswer(answer, accept), { rest, deflate: outcome.deflate });
    }
  }

  #open(
    server: UpstreamConnection,
    answer: ResponseHead,
    { rest, deflate }: { readonly rest: Buffer; readonly deflate: NegotiatedDeflate | null },
  ): void {
    this.#letGo();
    const { socket, raw } = this.#connection;
    this.#recorder.update({ handshake: { clientResponse: answer } });
    this.#recorder.opened();
    socket.write(serializeResponseHead(answer), 'latin1');
    this.#ground.released(this.#connection);
    this.#ground.startSession({
      recorder: this.#recorder,
      client: { socket, raw, rest: this.#early, ended: this.#clientEnded },
      server: { socket: server.socket, raw: server.raw, rest },
      deflate,
    });
  }

  #fail(error: FrametapError): void {
    if (this.#settled) return;
    this.#settle();
    this.#server?.raw.destroy();
    const answer = refusal(error);
    this.#recorder.update({ handshake: { clientResponse: answer.head } });
    this.#recorder.failed({ by: blameFor(error), code: error.code, message: error.message });
    endWith(this.#connection.socket, this.#connection.raw, answerBytes(answer));
  }

  /** Lets go of both connections: paused, with nothing but a silent `error` listener. */
  #settle(): void {
    this.#letGo();
    this.#connection.socket.pause();
    this.#server?.socket.pause();
  }

  /** Without the pause: for who reads on in the same turn. */
  #letGo(): void {
    this.#settled = true;
    if (this.#deadline !== null) this.#ground.answerDeadlines.cancel(this.#deadline);
    if (this.#goneDeadline !== null) this.#ground.goneDeadlines.cancel(this.#goneDeadline);
    const { socket } = this.#connection;
    socket.off('data', this.#clientSent).off('end', this.#clientEnds).off('close', this.#clientGone);
    const server = this.#server?.socket;
    server?.off('data', this.#serverSent).off('end', this.#serverEnded).off('close', this.#serverEnded);
    if (this.#early.length === 0) this.#early = EMPTY;
  }
}

/**
 * RFC 9112 §4: an answer starts with `HTTP/`, behind empty lines perhaps (§2.2). Whoever speaks another protocol first
 * waits for us to answer in it.
 */
function mayBeHttp(bytes: Buffer): boolean {
  const start = bytes.toString('latin1', 0, 64).replace(/^[\r\n]+/, '');
  return 'HTTP/'.startsWith(start.slice(0, 5));
}

const GONE = 'The client closed the connection before the opening handshake was done.';
