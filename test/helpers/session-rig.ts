import { connect, createServer, type Socket } from 'node:net';
import { once } from 'node:events';
import { MemoryStore } from '../../src/capture/memory-store.ts';
import type { NegotiatedExtensions } from '../../src/protocol/frame-scanner.ts';
import { createFrameKernel, WriteAreas } from '../../src/proxy/frame-kernel.ts';
import { MaskingKeys } from '../../src/proxy/masking-keys.ts';
import { Session, type SessionGround } from '../../src/proxy/session.ts';

/** A session between two raw TCP peers of the test: no handshake, bytes in, bytes out. */
export interface SessionRig {
  readonly client: Socket;
  readonly server: Socket;
  readonly store: MemoryStore;
  readonly sessionId: string;
  readonly ground: SessionGround;
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
    kernel: createFrameKernel(),
    areas: new WriteAreas(),
    keys: new MaskingKeys(),
    store,
    strict: options.strict ?? false,
    running: new Set(),
  };
}

export async function openRig(
  options: {
    readonly extensions?: NegotiatedExtensions;
    readonly strict?: boolean;
    readonly store?: MemoryStore;
    readonly ground?: SessionGround;
    readonly clientRest?: Uint8Array;
    readonly serverRest?: Uint8Array;
  } = {},
): Promise<SessionRig> {
  const store = options.store ?? createStore();
  const ground = options.ground ?? createGround(store, { strict: options.strict ?? false });
  const [client, accepted] = await tcpPair();
  const [dialed, server] = await tcpPair();
  const record = store.openSession({
    url: 'ws://example.test/',
    mode: 'connect',
    client: { address: '127.0.0.1', port: 1 },
  });
  record.opened();
  new Session(ground, {
    record,
    client: { socket: accepted, raw: accepted, rest: options.clientRest ?? new Uint8Array(0) },
    server: { socket: dialed, raw: dialed, rest: options.serverRest ?? new Uint8Array(0) },
    extensions: options.extensions ?? 'none',
  }).run();
  return {
    client,
    server,
    store,
    sessionId: record.id,
    ground,
    close() {
      client.destroy();
      server.destroy();
    },
  };
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

/** Reads until `length` bytes have come. */
export async function readExactly(socket: Socket, length: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let have = 0;
  while (have < length) {
    const part = (socket.read(Math.min(length - have, socket.readableLength || length)) ?? socket.read()) as Buffer | null;
    if (part === null) {
      if (socket.readableEnded || socket.destroyed) throw new Error(`ended after ${have} of ${length} bytes`);
      await Promise.race([once(socket, 'readable'), once(socket, 'end'), once(socket, 'close')]);
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
