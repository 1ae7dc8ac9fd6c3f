import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { connect as tlsConnect, TLSSocket } from 'node:tls';
import { MemoryStore } from '../../src/capture/memory-store.ts';
import type { NegotiatedDeflate } from '../../src/protocol/extensions.ts';
import type { NegotiatedExtensions } from '../../src/protocol/frame-scanner.ts';
import { createRelayGround } from '../../src/proxy/relay.ts';
import type { Leg } from '../../src/proxy/leg.ts';
import { Session, type SessionGround } from '../../src/proxy/session.ts';
import { StalledPeers } from '../../src/proxy/stalled-peers.ts';
import { Roster } from '../../src/roster.ts';
import { type Authority, openAuthority } from '../../src/tls/authority.ts';

/** A session between two raw peers of the test, over TCP or TLS: no handshake, bytes in, bytes out. */
export interface SessionRig {
  /** What the test writes to and reads from: a TCP or a TLS socket. */
  readonly client: Socket;
  readonly server: Socket;
  /** The TCP sockets below them. */
  readonly clientRaw: Socket;
  readonly serverRaw: Socket;
  readonly store: MemoryStore;
  readonly sessionId: string;
  readonly ground: SessionGround;
  /** Chunks that the session has taken so far. */
  readonly chunkCount: number;
  /** Resolves when that many have been taken. */
  chunksTaken(count: number): Promise<void>;
  close(): void;
}

export function createStore(options: { budgetBytes?: number; payloadLimitBytes?: number } = {}): MemoryStore {
  let now = 1_700_000_000_000_000;
  return new MemoryStore({
    budgetBytes: options.budgetBytes ?? 64 * 1024 * 1024,
    payloadLimitBytes: options.payloadLimitBytes ?? 16 * 1024 * 1024,
    clock: () => ++now,
  });
}

export function createGround(store: MemoryStore, options: { strict?: boolean } = {}): SessionGround {
  return {
    ...createRelayGround(),
    store,
    strict: options.strict ?? false,
    stalledPeers: new StalledPeers(),
    running: new Roster(),
  };
}

/** One ground for all rigs of a file: the proxy has one, too. */
const sharedGround = createRelayGround();

export async function openRig(
  options: {
    readonly extensions?: NegotiatedExtensions;
    readonly deflate?: NegotiatedDeflate;
    readonly strict?: boolean;
    readonly store?: MemoryStore;
    readonly ground?: SessionGround;
    readonly clientRest?: Uint8Array;
    readonly serverRest?: Uint8Array;
    readonly tls?: boolean;
  } = {},
): Promise<SessionRig> {
  const store = options.store ?? createStore();
  const ground = options.ground ?? {
    ...createGround(store, { strict: options.strict ?? false }),
    ...sharedGround,
  };
  const [clientRaw, accepted] = await tcpPair();
  const [dialed, serverRaw] = await tcpPair();
  const [client, clientLeg] =
    options.tls === true ? await tlsPair(clientRaw, accepted, 'second') : [clientRaw, leg(accepted)];
  const [server, serverLeg] =
    options.tls === true ? await tlsPair(serverRaw, dialed, 'first') : [serverRaw, leg(dialed)];
  const record = store.openSession({
    url: 'ws://example.test/',
    mode: 'connect',
    client: { address: '127.0.0.1', port: 1 },
  });
  record.opened();
  let chunkCount = 0;
  let waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  const frameSeen = store.frameSeen.bind(store);
  store.frameSeen = (session) => {
    frameSeen(session);
    if (session !== record) return;
    chunkCount++;
    for (const { resolve } of waiting.filter(({ count }) => count <= chunkCount)) resolve();
    waiting = waiting.filter(({ count }) => count > chunkCount);
  };
  new Session(ground, {
    record,
    client: { ...clientLeg, rest: options.clientRest ?? new Uint8Array(0) },
    server: { ...serverLeg, rest: options.serverRest ?? new Uint8Array(0) },
    extensions: options.extensions ?? 'none',
    deflate: options.deflate ?? null,
  }).run();
  return {
    client,
    server,
    clientRaw,
    serverRaw,
    store,
    sessionId: record.id,
    ground,
    get chunkCount() {
      return chunkCount;
    },
    chunksTaken: (count) =>
      chunkCount >= count ? Promise.resolve() : new Promise((resolve) => waiting.push({ count, resolve })),
    close() {
      for (const socket of [client, server, clientRaw, serverRaw]) socket.destroy();
    },
  };
}

function leg(socket: Socket): Leg {
  return { socket, raw: socket, rest: new Uint8Array(0) };
}

let authority: Promise<Authority> | null = null;
async function testAuthority(): Promise<Authority> {
  const directory = await mkdtemp(join(tmpdir(), 'frametap-rig-'));
  const opened = await openAuthority({ directory: join(directory, 'certs') });
  await rm(directory, { recursive: true });
  return opened;
}

/**
 * TLS over a TCP connection, as both legs of the proxy have it.
 * @param server which of the two sockets is the TLS server
 */
async function tlsPair(peer: Socket, own: Socket, server: 'first' | 'second'): Promise<[Socket, Leg]> {
  authority ??= testAuthority();
  const ca = await authority;
  const [clientSide, serverSide] = server === 'second' ? [peer, own] : [own, peer];
  const asServer = new TLSSocket(serverSide, { isServer: true, secureContext: ca.secureContextFor('example.test') });
  const asClient = tlsConnect({ socket: clientSide, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] });
  for (const socket of [asServer, asClient]) socket.on('error', () => undefined);
  await Promise.all([once(asServer, 'secure'), once(asClient, 'secureConnect')]);
  const [ofPeer, ofProxy] = server === 'second' ? [asClient, asServer] : [asServer, asClient];
  ofProxy.pause();
  return [ofPeer, { socket: ofProxy, raw: own, rest: new Uint8Array(0) }];
}

/** Writes chunks one after the other, each when the session has taken the one before. */
export async function sendChunks(rig: SessionRig, peer: Socket, chunks: readonly Uint8Array[]): Promise<void> {
  for (const chunk of chunks) {
    const taken = rig.chunksTaken(rig.chunkCount + 1);
    peer.write(chunk);
    await taken;
  }
}

/** Two connected TCP sockets: [the one that connected, the one that was accepted], both paused and half-open. */
export async function tcpPair(): Promise<[Socket, Socket]> {
  const listener = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as { port: number };
  const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  const [accepted] = (await once(listener, 'connection')) as [Socket];
  if (client.connecting) await once(client, 'connect');
  listener.close();
  for (const socket of [client, accepted]) socket.on('error', () => undefined);
  return [client, accepted];
}

/** Resolves when there is something new to read, or never will be. */
function change(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const events = ['readable', 'end', 'close'];
    const changed = (): void => {
      for (const event of events) socket.off(event, changed);
      resolve();
    };
    for (const event of events) socket.on(event, changed);
  });
}

/** Reads until `length` bytes have come. */
export async function readExactly(socket: Socket, length: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let have = 0;
  while (have < length) {
    const part = (socket.read(Math.min(length - have, socket.readableLength || length)) ??
      socket.read()) as Buffer | null;
    if (part === null) {
      if (socket.readableEnded || socket.destroyed) throw new Error(`ended after ${have} of ${length} bytes`);
      await change(socket);
      continue;
    }
    if (have + part.length > length) {
      socket.unshift(part.subarray(length - have));
      parts.push(part.subarray(0, length - have));
      have = length;
    } else {
      parts.push(part);
      have += part.length;
    }
  }
  return Buffer.concat(parts, length);
}

/** All bytes until the peer ends; `how` tells FIN from reset. */
export function readToEnd(socket: Socket): Promise<{ readonly bytes: Buffer; readonly how: 'fin' | 'reset' }> {
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => parts.push(chunk));
    socket.once('end', () => resolve({ bytes: Buffer.concat(parts), how: 'fin' }));
    socket.once('error', () => resolve({ bytes: Buffer.concat(parts), how: 'reset' }));
    socket.resume();
  });
}
