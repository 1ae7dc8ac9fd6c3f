import { createServer, type Server, type Socket } from 'node:net';
import { FrametapError } from '../errors.ts';
import type { RequestHead } from '../contract/session.ts';
import { isHandshake } from '../protocol/handshake.ts';
import { HeadReader, parseRequestHead, sniffOpening, type HeadBytes } from '../protocol/head.ts';
import { type Entry, Roster } from '../roster.ts';
import { acceptDirectly } from './accepted-sockets.ts';
import { answerBytes, endWith, ignoreError, refusal } from './answer.ts';
import type { ClientConnection } from './client-connection.ts';
import type { Deadlines } from './deadlines.ts';

const LF = 0x0a;
const SHORT_LINE_BYTES = 128;

/** Where what a client says is taken, once its first bytes have told what it is. */
export interface Doors {
  handshake(connection: ClientConnection, head: RequestHead, rest: Buffer): void;
  connect(connection: ClientConnection, head: RequestHead, rest: Buffer): void;
  /** An ordinary request: its bytes were put back into the socket. */
  http(connection: ClientConnection): void;
  /** A TLS ClientHello: its bytes were put back into the socket. */
  tls(connection: ClientConnection): void;
  /** Something else, inside a tunnel. The bytes were put back into the socket. */
  unread(connection: ClientConnection): void;
  /** The client was answered with an error, and nothing else will tell of it. */
  refused(connection: ClientConnection, error: FrametapError): void;
}

/** Reads the first bytes of a connection, or of what is inside a tunnel or TLS, and opens the right door. */
export class Reception {
  readonly #doors: Doors;
  readonly #deadlines: Deadlines;

  /** @param deadlines how long a head may take */
  constructor(doors: Doors, deadlines: Deadlines) {
    this.#doors = doors;
    this.#deadlines = deadlines;
  }

  /**
   * The socket is free of listeners when its door opens, and paused but for a handshake's, which is read on at once.
   * @param onFirstBytes is called when the client breaks its silence
   * @returns a function that stops the reading; nothing is called after it
   */
  receive(connection: ClientConnection, onFirstBytes?: () => void): () => void {
    const { socket, raw, tunnel } = connection;
    const reader = new HeadReader();
    let silent = true;
    /** The first line is looked at again when it is so long, or ends. */
    let lookAtBytes = 0;

    const letGo = (): void => {
      this.#deadlines.cancel(deadline);
      socket.off('data', received).off('end', ended).off('close', stop);
    };
    const stop = (): void => {
      letGo();
      socket.pause();
    };
    const refuse = (error: FrametapError): void => {
      stop();
      this.#doors.refused(connection, error);
      endWith(socket, raw, answerBytes(refusal(error)));
    };
    const open = (door: 'http' | 'tls' | 'unread'): void => {
      stop();
      socket.unshift(Buffer.from(reader.bytes));
      this.#doors[door](connection);
    };
    const received = (chunk: Buffer): void => {
      if (silent) {
        silent = false;
        onFirstBytes?.();
      }
      let complete: HeadBytes | null;
      try {
        complete = reader.push(chunk);
      } catch (error) {
        if (!(error instanceof FrametapError)) throw error;
        refuse(error);
        return;
      }
      const { bytes } = reader;
      if (bytes.length < lookAtBytes && !chunk.includes(LF)) return;
      // Byte by byte, a long line would else be read from its start with every byte.
      if (bytes.length > SHORT_LINE_BYTES) lookAtBytes = bytes.length * 2;
      switch (sniffOpening(bytes)) {
        case 'tls':
          // TLS within TLS is the tunnel's own: a proxy that is itself reached by TLS.
          if (tunnel === null ? connection.clientTls === null : !tunnel.secure) open('tls');
          else if (tunnel === null) refuse(new FrametapError('bad-request', 'TLS inside of TLS is not read here.'));
          else open('unread');
          return;
        case 'http2':
          if (tunnel === null || connection.clientTls !== null) {
            stop();
            this.#doors.refused(connection, new FrametapError('http2-unsupported'));
            endWith(socket, raw, HTTP2_REFUSAL);
          } else open('unread');
          return;
        case 'other':
          if (tunnel === null) refuse(notHttp(reader.bytes));
          else open('unread');
          return;
        case 'http':
          if (complete !== null) this.#dispatch(connection, complete, { open, refuse, stop, letGo });
          return;
        case 'more':
          return;
      }
    };
    const ended = (): void => {
      if (silent) {
        stop();
        socket.end();
      } else refuse(new FrametapError('bad-request', 'The request was cut short.'));
    };
    const late = (): void => {
      if (silent) {
        // A browser's spare connection. In a tunnel it stays: the server may keep it too.
        if (tunnel === null) raw.destroy();
      } else if (tunnel !== null && sniffOpening(reader.bytes) === 'more') open('unread');
      else refuse(new FrametapError('head-timeout'));
    };
    const deadline = this.#deadlines.start(late);
    socket.on('data', received).on('end', ended).on('close', stop);
    // While a tunnel's server was being reached, nobody listened.
    if (socket.readableEnded) ended();
    else socket.resume();
    return stop;
  }

  #dispatch(
    connection: ClientConnection,
    { head: bytes, rest }: HeadBytes,
    way: { open(door: 'http'): void; refuse(error: FrametapError): void; stop(): void; letGo(): void },
  ): void {
    let head: RequestHead;
    try {
      head = parseRequestHead(bytes);
    } catch (error) {
      if (!(error instanceof FrametapError)) throw error;
      way.refuse(error);
      return;
    }
    if (isHandshake(head)) {
      way.letGo();
      this.#doors.handshake(connection, head, rest);
    } else if (head.method === 'CONNECT') {
      way.stop();
      this.#doors.connect(connection, head, rest);
    } else way.open('http');
  }
}

function notHttp(bytes: Uint8Array): FrametapError {
  if (bytes[0] === 4 || bytes[0] === 5) {
    return new FrametapError('bad-request', 'This looks like SOCKS; this port speaks HTTP.');
  }
  return new FrametapError('bad-request');
}

/** SETTINGS, then GOAWAY with HTTP_1_1_REQUIRED and a sentence (RFC 9113 §3.4, §6.5, §6.8). */
const HTTP2_REFUSAL = ((): Buffer => {
  const text = Buffer.from('Frametap speaks HTTP/1.1 here.');
  const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
  const goAway = Buffer.from([0, 0, 8 + text.length, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x0d]);
  return Buffer.concat([settings, goAway, text]);
})();

const PLACE = Symbol('place among the connections');
interface OwnSocket extends Socket {
  [PLACE]?: Entry<Socket>;
}

/** One port. `sockets` holds the connections that are still the proxy's own. */
export interface Listener {
  readonly server: Server;
  readonly sockets: Iterable<Socket>;
  /** The connection is somebody else's from now on. */
  release(raw: Socket): void;
}

export function createListener(reception: Reception): Listener {
  const sockets = new Roster<Socket>();
  const closed = function (this: OwnSocket): void {
    release(this);
  };
  const release = (socket: OwnSocket): void => {
    const place = socket[PLACE];
    if (place !== undefined) sockets.delete(place);
    socket.off('close', closed);
  };
  const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: false }, (socket: OwnSocket) => {
    socket.on('error', ignoreError).on('close', closed);
    socket[PLACE] = sockets.add(socket);
    reception.receive({
      socket,
      raw: socket,
      address: socket.remoteAddress ?? '',
      port: socket.remotePort ?? 0,
      clientTls: null,
      tunnel: null,
    });
  });
  server.on('listening', () => acceptDirectly(server));
  return { server, sockets, release };
}
