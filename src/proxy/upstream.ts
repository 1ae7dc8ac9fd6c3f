import { lookup as dnsLookup, type LookupAddress } from 'node:dns';
import { connect as tcpConnect, isIP, isIPv4, type NetConnectOpts, type Socket } from 'node:net';
import { elapsedMs } from '../clock.ts';
import { FrametapError } from '../errors.ts';
import type { SettledOptions } from './accepted-sockets.ts';
import { Deadlines, type Deadline } from './deadlines.ts';
import type { Origin, Upstream, UpstreamConnection } from './leg.ts';
import { isUnspecified, reachesOwnListener, type OwnListener } from './self-guard.ts';
import { UpstreamTls } from './upstream-tls.ts';

/** A TCP connection to a server on which nothing was said yet. */
export interface DialedConnection {
  readonly socket: Socket;
  readonly host: string;
  readonly port: number;
  readonly address: string;
  readonly timingsMs: { readonly dns: number | null; readonly connect: number };
}

/** What CONNECT needs beyond an `Upstream`: to open first, and to learn later what is spoken. */
export interface TunnelUpstream extends Upstream {
  /** @throws {FrametapError} `upstream-*` or `target-is-frametap` */
  dial(host: string, port: number): Promise<DialedConnection>;
  /** Keeps it for the next `connect` to the same host and port. It is dropped when the server says or ends something. */
  keepSpare(connection: DialedConnection): void;
  /** Ends it if nobody has taken it. */
  dropSpare(connection: DialedConnection): void;
}

export type Lookup = (host: string) => Promise<readonly LookupAddress[]>;

export interface UpstreamOptions {
  /** Live: asked anew for each connection. */
  readonly ownListeners: Iterable<OwnListener>;
  readonly insecure?: boolean;
  /** PEM texts that are trusted beside the default roots. */
  readonly upstreamCa?: readonly string[];
  /** What NODE_EXTRA_CA_CERTS names; needed beside `upstreamCa` only, and by Node < 22.15 only. */
  readonly nodeExtraCaFile?: string | undefined;
  readonly lookup?: Lookup;
  readonly addressTimeoutMs?: number;
  readonly totalTimeoutMs?: number;
}

const ADDRESS_TIMEOUT_MS = 5_000;
const TOTAL_TIMEOUT_MS = 15_000;
/** RFC 8305 §5: how long one address may take before the next is tried beside it. */
const ATTEMPT_DELAY_MS = 250;
/** Hosts without a spare connection are remembered up to here: a map that is changed for each session costs more. */
const MOST_SPARE_KEYS = 1000;

export function createUpstream(options: UpstreamOptions): TunnelUpstream {
  return new TcpUpstream(options);
}

class TcpUpstream implements TunnelUpstream {
  readonly #ownListeners: Iterable<OwnListener>;
  readonly #lookup: Lookup;
  readonly #tls: UpstreamTls;
  readonly #addressDeadlines: Deadlines;
  readonly #totalDeadlines: Deadlines;
  readonly #spares = new Map<string, DialedConnection[]>();

  constructor(options: UpstreamOptions) {
    this.#ownListeners = options.ownListeners;
    this.#lookup = options.lookup ?? systemLookup;
    this.#addressDeadlines = new Deadlines(options.addressTimeoutMs ?? ADDRESS_TIMEOUT_MS);
    this.#totalDeadlines = new Deadlines(options.totalTimeoutMs ?? TOTAL_TIMEOUT_MS);
    this.#tls = new UpstreamTls({
      insecure: options.insecure ?? false,
      extraCa: options.upstreamCa ?? [],
      nodeExtraCaFile: options.nodeExtraCaFile,
      deadlines: this.#totalDeadlines,
    });
  }

  async connect(origin: Origin): Promise<UpstreamConnection> {
    const dialed = this.#takeSpare(origin) ?? (await this.dial(origin.host, origin.port));
    if (origin.secure) return this.#tls.secure(dialed, origin.serverName);
    const { socket, address, port, timingsMs } = dialed;
    const { dns, connect } = timingsMs;
    return { socket, raw: socket, address, port, tls: null, timingsMs: { dns, connect, tls: null } };
  }

  async dial(host: string, port: number): Promise<DialedConnection> {
    const startedMs = performance.now();
    const literal = isIP(host) !== 0;
    const addresses = literal ? [host] : await this.#resolve(host);
    const dns = literal ? null : elapsedMs(startedMs);
    const resolvedMs = literal ? startedMs : performance.now();
    for (const address of addresses) this.#refuseOwn(host, address, port);
    const socket = await this.#open(host, addresses, port);
    // Who is asked for by IPv4 is who answers, unless 0.0.0.0 is: asking the system takes a hundredth of a short session.
    const known = addresses.length === 1 && isIPv4(host) && !isUnspecified(host);
    const address = known ? host : (socket.remoteAddress ?? '');
    if (reachesOwnListener(address, port, this.#ownListeners)) {
      socket.destroy();
      throw ownTarget(host, address, port);
    }
    return {
      socket,
      host,
      port,
      address,
      timingsMs: { dns, connect: elapsedMs(resolvedMs) },
    };
  }

  keepSpare(connection: DialedConnection): void {
    const { socket } = connection;
    const drop = (): void => this.dropSpare(connection);
    socket.on('data', drop).on('end', drop).on('close', drop);
    const key = spareKey(connection);
    const spares = this.#spares.get(key);
    if (spares === undefined) this.#spares.set(key, [connection]);
    else spares.push(connection);
    socket.resume();
  }

  dropSpare(connection: DialedConnection): void {
    if (this.#forget(connection)) connection.socket.destroy();
  }

  #forget(connection: DialedConnection): boolean {
    const key = spareKey(connection);
    const spares = this.#spares.get(key) ?? [];
    const at = spares.indexOf(connection);
    if (at < 0) return false;
    spares.splice(at, 1);
    if (spares.length === 0 && this.#spares.size > MOST_SPARE_KEYS) this.#spares.delete(key);
    for (const event of ['data', 'end', 'close']) connection.socket.removeAllListeners(event);
    return true;
  }

  #takeSpare(origin: Origin): DialedConnection | null {
    if (this.#spares.size === 0) return null;
    for (const connection of [...(this.#spares.get(spareKey(origin)) ?? [])]) {
      this.#forget(connection);
      connection.socket.pause();
      if (!connection.socket.destroyed && !connection.socket.readableEnded) return connection;
    }
    return null;
  }

  #refuseOwn(host: string, address: string, port: number): void {
    if (reachesOwnListener(address, port, this.#ownListeners)) throw ownTarget(host, address, port);
  }

  #resolve(host: string): Promise<string[]> {
    return new Promise((resolve, reject) => {
      const deadline = this.#totalDeadlines.start(() =>
        reject(new FrametapError('upstream-timeout', `Looking up ${host} took too long.`)),
      );
      this.#lookup(host).then(
        (found) => {
          this.#totalDeadlines.cancel(deadline);
          if (found.length > 0) resolve(alternateFamilies(found));
          else reject(new FrametapError('upstream-name-not-found', `${host} has no address.`));
        },
        (cause: unknown) => {
          this.#totalDeadlines.cancel(deadline);
          reject(lookupError(host, cause));
        },
      );
    });
  }

  /** Tries the addresses one after the other, each a little later than the one before; the first to open wins. */
  #open(host: string, addresses: readonly string[], port: number): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const attempts = new Map<Socket, Deadline>();
      let next = 0;
      let stagger: NodeJS.Timeout | undefined;
      const settle = (): void => {
        clearTimeout(stagger);
        this.#totalDeadlines.cancel(total);
        for (const [socket, deadline] of attempts) {
          this.#addressDeadlines.cancel(deadline);
          socket.destroy();
        }
        attempts.clear();
      };
      const fail = (socket: Socket, error: FrametapError): void => {
        const deadline = attempts.get(socket);
        if (deadline === undefined) return;
        this.#addressDeadlines.cancel(deadline);
        attempts.delete(socket);
        socket.destroy();
        if (next < addresses.length) attempt();
        else if (attempts.size === 0) {
          settle();
          reject(error);
        }
      };
      const attempt = (): void => {
        clearTimeout(stagger);
        const address = addresses[next++] ?? '';
        const socket = tcpConnect(socketOptions(address, port));
        const failed = (cause: unknown): void => fail(socket, connectError(host, address, port, cause));
        socket.on('error', failed);
        socket.once('connect', () => {
          const deadline = attempts.get(socket);
          if (deadline === undefined) return;
          this.#addressDeadlines.cancel(deadline);
          attempts.delete(socket);
          settle();
          socket.off('error', failed).on('error', ignore);
          resolve(socket);
        });
        attempts.set(
          socket,
          this.#addressDeadlines.start(() => failed({ code: 'ETIMEDOUT' })),
        );
        if (next < addresses.length) stagger = setTimeout(attempt, ATTEMPT_DELAY_MS).unref();
      };
      const total = this.#totalDeadlines.start(() => {
        settle();
        reject(connectError(host, addresses.join(', '), port, { code: 'ETIMEDOUT' }));
      });
      attempt();
    });
  }
}

const spareKey = ({ host, port }: { host: string; port: number }): string => `${host.toLowerCase()} ${port}`;

function socketOptions(host: string, port: number): NetConnectOpts & SettledOptions {
  return { host, port, allowHalfOpen: true, noDelay: true, emitClose: false, autoDestroy: true, decodeStrings: false };
}

/** A vanished peer is normal, and whoever uses the connection sees its end by other events. */
const ignore = (): void => undefined;

function systemLookup(host: string): Promise<LookupAddress[]> {
  return new Promise((resolve, reject) => {
    dnsLookup(host, { all: true, verbatim: true }, (error, addresses) => {
      if (error === null) resolve(addresses);
      else reject(error);
    });
  });
}

/** RFC 8305 §4: the families take turns, so that a broken one costs one attempt and not all of them. */
function alternateFamilies(found: readonly LookupAddress[]): string[] {
  const first = found.filter((entry) => entry.family === found[0]?.family);
  const second = found.filter((entry) => entry.family !== found[0]?.family);
  const ordered: string[] = [];
  for (let at = 0; at < Math.max(first.length, second.length); at++) {
    for (const entry of [first[at], second[at]]) if (entry !== undefined) ordered.push(entry.address);
  }
  return ordered;
}

function ownTarget(host: string, address: string, port: number): FrametapError {
  const named = host === address ? host : `${host} (${address})`;
  return new FrametapError(
    'target-is-frametap',
    `${named} port ${port} is Frametap itself; it does not proxy to that.`,
  );
}

function errorCode(cause: unknown): string {
  return cause !== null && typeof cause === 'object' && 'code' in cause && typeof cause.code === 'string'
    ? cause.code
    : 'unknown';
}

function lookupError(host: string, cause: unknown): FrametapError {
  const code = errorCode(cause);
  const message =
    code === 'EAI_AGAIN'
      ? `The name server did not answer for ${host}.`
      : `The name ${host} does not resolve (${code}).`;
  return new FrametapError('upstream-name-not-found', message, { cause });
}

function connectError(host: string, address: string, port: number, cause: unknown): FrametapError {
  const code = errorCode(cause);
  const named = `${host === address ? host : `${host} (${address})`} port ${port}`;
  switch (code) {
    case 'ECONNREFUSED':
      return new FrametapError('upstream-refused', `${named} refuses the connection.`, { cause });
    case 'ETIMEDOUT':
      return new FrametapError('upstream-timeout', `${named} did not answer in time.`, { cause });
    case 'ECONNRESET':
      return new FrametapError('upstream-closed', `${named} closed the connection at once.`, { cause });
    default:
      return new FrametapError('upstream-unreachable', `${named} cannot be reached (${code}).`, { cause });
  }
}
