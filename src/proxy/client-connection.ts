import type { Socket } from 'node:net';
import type { TlsInfo } from '../contract/session.ts';
import type { HostPort } from '../protocol/request-target.ts';

/** A client's connection, at the depth reached so far: plain, inside TLS, inside a CONNECT tunnel, or both. */
export interface ClientConnection {
  /** Plain bytes are read and written here. Has a silent `error` listener, as has `raw`. */
  readonly socket: Socket;
  readonly raw: Socket;
  readonly address: string;
  readonly port: number;
  readonly clientTls: TlsInfo | null;
  /** The CONNECT tunnel that these bytes came through. */
  readonly tunnel: ClientTunnel | null;
}

export interface ClientTunnel extends HostPort {
  /** The client speaks TLS inside of it: so does the server. */
  readonly secure: boolean;
  /** What the client asked for by server_name (RFC 6066 §3), where that is another name than the tunnel's. */
  readonly serverName?: string;
}

export interface ProxyLogger {
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
}
