import type { Socket } from 'node:net';
import type { CaptureWriter } from '../../capture/session-recorder.ts';
import type { RequestHead } from '../../contract/session.ts';
import { FrametapError } from '../../errors.ts';
import { formatHostPort, parseAuthority } from '../../protocol/request-target.ts';
import { endWith } from '../answer.ts';
import type { ClientConnection } from '../client-connection.ts';
import type { Origin } from '../leg.ts';
import type { Reception } from '../listener.ts';
import { isOwnHost } from '../own-pages.ts';
import { asFrametapError, refuseAndRecord } from '../recorded-refusal.ts';
import { joinUnread, reset } from '../tunnel.ts';
import type { DialedConnection, TunnelUpstream } from '../upstream.ts';
import type { Mode } from './mode.ts';

/** Requests inside a CONNECT tunnel: the tunnel has said where they go. */
export const connectMode: Mode = {
  name: 'connect',
  route(head, { tunnel }) {
    return tunnel === null ? null : { mode: 'connect', origin: { ...tunnel }, target: head.target };
  },
};

export interface TunnelsOptions {
  readonly capture: CaptureWriter;
  readonly upstream: TunnelUpstream;
  readonly reception: Reception;
  /** Hosts whose TLS is not opened; `*` stands for any text, `?` for one character. IPv6 with brackets or without. */
  readonly passthrough: readonly string[];
}

/** The connection that was opened for a client's tunnel, and what listens for that client's end. */
interface OwnConnection {
  readonly dialed: DialedConnection;
  readonly clientGone: () => void;
}

const ESTABLISHED = Buffer.from('HTTP/1.1 200 Connection established\r\n\r\n');
const EMPTY = new Uint8Array(0);

/** CONNECT (RFC 9110 §9.3.6): the server is reached first; then the client's first bytes tell what the tunnel carries. */
export class Tunnels {
  readonly #options: TunnelsOptions;
  readonly #passthrough: readonly RegExp[];
  /** Connections that were opened for a tunnel in which nothing was said yet. */
  readonly #dialed = new WeakMap<object, DialedConnection>();
  /** The same by the client's connection, until it is a session: another tunnel to that server may have taken it. */
  readonly #own = new WeakMap<Socket, OwnConnection>();

  constructor(options: TunnelsOptions) {
    this.#options = options;
    this.#passthrough = options.passthrough.map(hostPattern);
  }

  /** Answers a CONNECT. */
  open(connection: ClientConnection, head: RequestHead, rest: Buffer): void {
    let target: { host: string; port: number };
    try {
      target = parseAuthority(head.target);
    } catch (error) {
      if (!(error instanceof FrametapError)) throw error;
      refuseAndRecord(this.#options.capture, { connection, head, url: head.target, mode: 'connect' }, error);
      return;
    }
    // Before anything is waited for: a socket that has ended takes nothing back.
    if (rest.length > 0) connection.socket.unshift(rest);
    if (isOwnHost(target.host)) {
      this.#establish(connection, { target, dialed: null });
      return;
    }
    this.#options.upstream.dial(target.host, target.port).then(
      (dialed) => {
        if (connection.socket.destroyed) dialed.socket.destroy();
        else this.#establish(connection, { target, dialed });
      },
      (error: unknown) => {
        const refused = { connection, head, url: formatHostPort(target), mode: 'connect' } as const;
        refuseAndRecord(this.#options.capture, refused, asFrametapError(error));
      },
    );
  }

  #establish(
    outer: ClientConnection,
    tunnel: {
      readonly target: { readonly host: string; readonly port: number };
      readonly dialed: DialedConnection | null;
    },
  ): void {
    const { target, dialed } = tunnel;
    const connection: ClientConnection = { ...outer, tunnel: { ...target, secure: false } };
    outer.socket.write(ESTABLISHED);
    if (dialed === null) {
      this.#options.reception.receive(connection);
      return;
    }
    if (connection.tunnel !== null) this.#dialed.set(connection.tunnel, dialed);
    const { socket: server } = dialed;
    const silence = (): void => {
      server.off('data', serverSpoke).off('end', serverEnded).off('close', serverGone).pause();
    };
    // A server that speaks first (SSH, SMTP, …) speaks neither HTTP nor TLS.
    const serverSpoke = (chunk: Buffer): void => {
      silence();
      stop();
      server.unshift(chunk);
      this.unread(connection);
    };
    const serverEnded = (): void => {
      silence();
      stop();
      endWith(outer.socket, outer.raw, EMPTY);
      server.destroy();
    };
    const serverGone = (): void => {
      silence();
      stop();
      reset(outer.raw);
    };
    server.on('data', serverSpoke).on('end', serverEnded).on('close', serverGone).resume();
    const clientGone = (): void => {
      const unused = connection.tunnel !== null && this.#dialed.get(connection.tunnel);
      if (unused) unused.socket.destroy();
      this.#options.upstream.dropSpare(dialed);
    };
    outer.raw.once('close', clientGone);
    this.#own.set(outer.raw, { dialed, clientGone });
    const stop = this.#options.reception.receive(connection, silence);
  }

  /** Whether the TLS in this tunnel is to stay closed. */
  passesThrough({ tunnel }: ClientConnection): boolean {
    if (tunnel === null) return false;
    const host = withoutRoot(tunnel.host);
    return this.#passthrough.some((pattern) => pattern.test(host));
  }

  /** The first request or handshake in the tunnel takes the connection that was opened for it. */
  read({ tunnel }: ClientConnection): void {
    const dialed = this.#take(tunnel);
    if (dialed !== null) this.#options.upstream.keepSpare(dialed);
  }

  /** The client's connection has become a session, and its end is not seen here: it needs no other connection. */
  released({ raw }: ClientConnection): void {
    const own = this.#own.get(raw);
    if (own === undefined) return;
    this.#own.delete(raw);
    // With this listener an idle session would keep all that its opening had.
    raw.off('close', own.clientGone);
    this.#options.upstream.dropSpare(own.dialed);
  }

  /** Joins both ends without a look at what passes. */
  unread(connection: ClientConnection): void {
    const { tunnel, socket, raw } = connection;
    const client = { socket, raw, rest: EMPTY };
    const dialed = this.#take(tunnel);
    if (dialed !== null) {
      joinUnread(client, { socket: dialed.socket, raw: dialed.socket, rest: EMPTY });
      return;
    }
    if (tunnel === null || isOwnHost(tunnel.host)) {
      raw.destroy();
      return;
    }
    const origin: Origin = { ...tunnel };
    this.#options.upstream.connect(origin).then(
      (server) => joinUnread(client, { socket: server.socket, raw: server.raw, rest: EMPTY }),
      // Whatever is spoken here, an HTTP answer would be no answer.
      () => raw.destroy(),
    );
  }

  #take(tunnel: ClientConnection['tunnel']): DialedConnection | null {
    if (tunnel === null) return null;
    const dialed = this.#dialed.get(tunnel) ?? null;
    this.#dialed.delete(tunnel);
    return dialed;
  }
}

/** A name that ends in a dot is the same name (RFC 1034 §3.1). */
const withoutRoot = (name: string): string => name.replace(/\.$/, '');

function hostPattern(glob: string): RegExp {
  const host = withoutRoot(glob.replace(/^\[(.*)\]$/, '$1'));
  const source = host.replace(/[.*+?^${}()|[\]\\]/g, (sign) => WILDCARDS[sign] ?? `\\${sign}`);
  return new RegExp(`^${source}$`, 'i');
}
const WILDCARDS: Readonly<Record<string, string>> = { '*': '.*', '?': '.' };
