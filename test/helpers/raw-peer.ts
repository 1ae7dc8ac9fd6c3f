import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** One end of a connection, written and read byte by byte as latin1 text. */
export class RawPeer {
  readonly socket: Socket;
  received = '';
  ended = false;
  error: NodeJS.ErrnoException | null = null;
  #changed: (() => void)[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.received += chunk.toString('latin1');
      this.#wake();
    });
    socket.on('end', () => {
      this.ended = true;
      this.#wake();
    });
    socket.on('error', (error) => {
      this.error = error;
      this.#wake();
    });
    socket.on('close', () => this.#wake());
  }

  send(text: string | Uint8Array): this {
    this.socket.write(typeof text === 'string' ? Buffer.from(text, 'latin1') : text);
    return this;
  }

  /** Resolves with everything received so far as soon as it fits. Rejects where the connection ended before. */
  async until(fits: RegExp | string): Promise<string> {
    for (;;) {
      if (typeof fits === 'string' ? this.received.includes(fits) : fits.test(this.received)) return this.received;
      if (this.socket.destroyed || this.ended) {
        throw new Error(`the connection ended; received ${JSON.stringify(this.received)}`);
      }
      await this.#change();
    }
  }

  /** Resolves when the other side has ended the connection, by FIN or by reset. */
  async end(): Promise<string> {
    while (!this.ended && !this.socket.destroyed) await this.#change();
    return this.received;
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#changed.push(resolve));
  }
  #wake(): void {
    const changed = this.#changed;
    this.#changed = [];
    for (const resolve of changed) resolve();
  }
}

export async function connectRaw(port: number, host = '127.0.0.1'): Promise<RawPeer> {
  const socket = connect({ port, host, allowHalfOpen: true, noDelay: true });
  const peer = new RawPeer(socket);
  await once(socket, 'connect');
  return peer;
}

/** A server whose connections a test drives by hand. */
export interface RawServer {
  readonly port: number;
  readonly server: Server;
  /** All connections so far. */
  readonly peers: readonly RawPeer[];
  /** The next connection that has not been asked for yet. */
  accept(): Promise<RawPeer>;
  close(): void;
}

export async function serveRaw(host = '127.0.0.1', port = 0): Promise<RawServer> {
  const peers: RawPeer[] = [];
  const waiting: ((peer: RawPeer) => void)[] = [];
  let taken = 0;
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const peer = new RawPeer(socket);
    peers.push(peer);
    const next = waiting.shift();
    if (next !== undefined) {
      taken++;
      next(peer);
    }
  });
  server.listen(port, host);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    server,
    peers,
    accept() {
      const ready = peers[taken];
      if (ready !== undefined) {
        taken++;
        return Promise.resolve(ready);
      }
      return new Promise((resolve) => waiting.push(resolve));
    },
    close() {
      server.close();
      for (const { socket } of peers) socket.destroy();
    },
  };
}

/** False where the socket does not drain although everything on this machine has had its turn. */
export function drains(socket: Socket): Promise<boolean> {
  return new Promise((resolve) => {
    const drained = (): void => {
      clearTimeout(timer);
      resolve(true);
    };
    const timer = setTimeout(() => {
      socket.off('drain', drained);
      resolve(false);
    }, 300);
    socket.once('drain', drained);
  });
}
