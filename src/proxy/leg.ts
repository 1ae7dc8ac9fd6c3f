import type { Socket } from 'node:net';
import type { TlsInfo } from '../contract/session.ts';

/**
 * One of a session's two connections. Whoever hands a leg on has paused it, taken its listeners off but for a silent
 * `error` listener, and opened it with `allowHalfOpen`.
 */
export interface Leg {
  /** Plain bytes are read and written here: a TCP socket, or the TLSSocket above it. */
  readonly socket: Socket;
  /** The TCP socket itself (the same object where there is no TLS): the one that can be reset. */
  readonly raw: Socket;
  /** Bytes that were already read and belong to what comes next. */
  readonly rest: Uint8Array;
  /** The peer has ended its side already (FIN), behind `rest`. */
  readonly ended?: boolean;
}

/** Where a request goes. `host` without brackets for IPv6. */
export interface Origin {
  readonly secure: boolean;
  readonly host: string;
  readonly port: number;
  /** The name to ask for in TLS, and to find in the certificate; else `host`. */
  readonly serverName?: string;
}

/** A connection to a server, TLS handshake done where the origin is secure. */
export interface UpstreamConnection {
  readonly socket: Socket;
  readonly raw: Socket;
  readonly address: string;
  readonly port: number;
  readonly tls: TlsInfo | null;
  readonly timingsMs: { readonly dns: number | null; readonly connect: number | null; readonly tls: number | null };
}

/**
 * Opens connections to servers, and refuses our own listeners whatever name or notation leads to them.
 * @throws {FrametapError} `upstream-*` or `target-is-frametap`
 */
export interface Upstream {
  connect(origin: Origin): Promise<UpstreamConnection>;
}
