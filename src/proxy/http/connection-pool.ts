import { Agent, type ClientRequest, type ClientRequestArgs } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Origin, Upstream } from '../leg.ts';

/**
 * An idle connection is closed before the server does it: Node's and Apache's servers wait 5 s, and a request that
 * meets their FIN half-way is lost unless it may be sent again.
 */
const IDLE_TIMEOUT_MS = 4_000;

/** Bounds descriptors under abuse. A page's long polls and event streams hold one each, so a browser's 6 is too few. */
const MAX_CONNECTIONS_PER_ORIGIN = 256;

export interface ConnectionPoolOptions {
  readonly upstream: Upstream;
  readonly maxConnectionsPerOrigin?: number | undefined;
}

interface PooledRequestOptions extends ClientRequestArgs {
  readonly origin: Origin;
}

/** What Node's Agent has at run time and its types leave out. */
interface AgentInside {
  addRequest(request: ClientRequest, options: PooledRequestOptions): void;
}

const nameOrigin = ({ secure, host, port, serverName = '' }: Origin): string =>
  `${secure ? 'https' : 'http'}://${host}|${port}|${serverName}`;

const ignore = (): void => {
  // The request in flight has its own listener. Between two requests a vanished peer is normal.
};

/** Keep-alive connections to servers, opened through `Upstream`, one pool for each scheme, host, port and name in TLS. */
export class ConnectionPool extends Agent {
  readonly #upstream: Upstream;
  #closed = false;

  constructor({ upstream, maxConnectionsPerOrigin = MAX_CONNECTIONS_PER_ORIGIN }: ConnectionPoolOptions) {
    super({ keepAlive: true, maxSockets: maxConnectionsPerOrigin });
    this.#upstream = upstream;
  }

  /** Gives `request` an idle connection to `origin`, or a new one, or its place in the queue. */
  assign(request: ClientRequest, origin: Origin): void {
    const options: PooledRequestOptions = { host: origin.host, port: origin.port, origin };
    (this as unknown as AgentInside).addRequest(request, options);
  }

  /** Where one idle connection turned out to be dead, its neighbours of the same age are as well. */
  dropIdle(origin: Origin): void {
    for (const socket of this.freeSockets[nameOrigin(origin)] ?? []) socket.destroy();
  }

  /** Ends the idle connections; those at work end with their exchange. */
  close(): void {
    this.#closed = true;
    for (const sockets of Object.values(this.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
  }

  /** The key of the pool. Called by Node's Agent. */
  override getName(options?: PooledRequestOptions): string {
    return options === undefined ? '' : nameOrigin(options.origin);
  }

  override createConnection(
    options: ClientRequestArgs,
    callback: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    const { origin } = options as PooledRequestOptions;
    this.#upstream.connect(origin).then(
      ({ socket }) => {
        socket.on('error', ignore);
        socket.setNoDelay(true);
        // A server's FIN ends an idle connection: half-open it would wait in the pool for its next request.
        socket.allowHalfOpen = false;
        callback(null, socket);
      },
      (error: unknown) => {
        const fail = callback as (error: Error) => void;
        fail(error instanceof Error ? error : new Error(String(error)));
      },
    );
  }

  /** @returns whether the connection may wait for another request */
  override keepSocketAlive(stream: Duplex): boolean {
    const keeps = super.keepSocketAlive(stream) as unknown as boolean;
    if (!keeps || this.#closed) return false;
    // Node's Agent destroys a connection that times out in the pool. While it is at work there is no time limit: long
    // polls and server-sent events are silent for as long as they like.
    (stream as Socket).setTimeout(IDLE_TIMEOUT_MS);
    return true;
  }

  override reuseSocket(stream: Duplex, request: ClientRequest): void {
    super.reuseSocket(stream, request);
    (stream as Socket).setTimeout(0);
  }
}
