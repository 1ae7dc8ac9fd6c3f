import { once } from 'node:events';
import net, { type AddressInfo, type Socket } from 'node:net';
import tls from 'node:tls';

/** One end of a TCP connection, read and written as bytes. It knows nothing of HTTP but where a message ends. */
export class RawPeer {
  readonly socket: Socket;
  /** Resolves when the other side is gone, in an orderly way or not. */
  readonly closed: Promise<void>;
  /** How the other side ended: nothing yet, a FIN, or a reset. */
  ending: 'none' | 'fin' | 'reset' = 'none';
  #received = Buffer.alloc(0);
  readonly #wake: (() => void)[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#notify();
    });
    socket.on('end', () => {
      this.ending = 'fin';
      this.#notify();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET') this.ending = 'reset';
    });
    this.closed = new Promise((resolve) => {
      socket.once('end', resolve);
      socket.once('close', () => {
        resolve();
        this.#notify();
      });
    });
  }

  #notify(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }

  get isOver(): boolean {
    return this.ending !== 'none' || this.socket.destroyed;
  }

  /** Everything that has come and was not taken, as Latin-1: one character a byte. */
  get pending(): string {
    return this.#received.toString('latin1');
  }

  write(text: string | Uint8Array): void {
    this.socket.write(typeof text === 'string' ? Buffer.from(text, 'latin1') : text);
  }

  /** Takes the bytes up to and with `mark`. @throws {Error} if the other side ends before */
  async readThrough(mark: string): Promise<string> {
    for (;;) {
      const at = this.#received.indexOf(mark, 0, 'latin1');
      if (at >= 0) return this.#take(at + mark.length);
      await this.#more(`"${mark}"`);
    }
  }

  /** Takes exactly `count` bytes. @throws {Error} if the other side ends before */
  async readBytes(count: number): Promise<string> {
    while (this.#received.length < count) await this.#more(`${count} bytes`);
    return this.#take(count);
  }

  readHead(): Promise<string> {
    return this.readThrough('\r\n\r\n');
  }

  /** A head, and as much body as its Content-Length or its chunks say. */
  async readMessage(): Promise<{ head: string; body: string }> {
    const head = await this.readHead();
    const length = /^content-length: *(\d+)/im.exec(head)?.[1];
    if (length !== undefined) return { head, body: await this.readBytes(Number(length)) };
    if (!/^transfer-encoding: *chunked/im.test(head)) return { head, body: '' };
    return { head, body: (await this.readChunked()).body };
  }

  /** A chunked body with its trailer section. */
  async readChunked(): Promise<{ body: string; trailers: string }> {
    let body = '';
    for (;;) {
      const length = parseInt(await this.readThrough('\r\n'), 16);
      if (length === 0) break;
      body += await this.readBytes(length);
      await this.readThrough('\r\n');
    }
    let trailers = '';
    for (;;) {
      const line = await this.readThrough('\r\n');
      if (line === '\r\n') return { body, trailers };
      trailers += line;
    }
  }

  /** Everything up to the other side's end. */
  async readRest(): Promise<string> {
    await this.closed;
    return this.#take(this.#received.length);
  }

  /** Stops looking at the bytes as a string, for bulk: `onChunk` gets what follows. */
  stream(onChunk: (chunk: Buffer) => void): void {
    this.socket.removeAllListeners('data');
    if (this.#received.length > 0) onChunk(this.#received);
    this.#received = Buffer.alloc(0);
    this.socket.on('data', onChunk);
  }

  #take(count: number): string {
    const taken = this.#received.toString('latin1', 0, count);
    this.#received = this.#received.subarray(count);
    return taken;
  }

  async #more(wanted: string): Promise<void> {
    if (this.isOver) throw new Error(`The other side ended before ${wanted} came; there was: ${this.pending}`);
    await new Promise<void>((resolve) => this.#wake.push(resolve));
  }
}

/** A server that hands out its connections one by one. */
export class RawOrigin {
  readonly server: net.Server;
  /** Connections that came so far. */
  accepted = 0;
  readonly #peers: RawPeer[] = [];
  readonly #waiting: ((peer: RawPeer) => void)[] = [];

  private constructor(server: net.Server, event: 'connection' | 'secureConnection') {
    this.server = server;
    server.on(event, (socket: Socket) => {
      const peer = new RawPeer(socket);
      this.accepted++;
      all.push(socket);
      const waiting = this.#waiting.shift();
      if (waiting === undefined) this.#peers.push(peer);
      else waiting(peer);
    });
  }

  static async listen(secure?: tls.TlsOptions): Promise<RawOrigin> {
    const server = secure === undefined ? net.createServer({ allowHalfOpen: true }) : tls.createServer(secure);
    const origin = new RawOrigin(server, secure === undefined ? 'connection' : 'secureConnection');
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    servers.push(server);
    return origin;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** The next connection, in the order of their coming. */
  accept(): Promise<RawPeer> {
    const peer = this.#peers.shift();
    return peer === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(peer);
  }
}

const all: Socket[] = [];
const servers: net.Server[] = [];

export async function connectRaw(port: number): Promise<RawPeer> {
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const peer = new RawPeer(socket);
  all.push(socket);
  await once(socket, 'connect');
  return peer;
}

/** Ends every connection and server that came from here. */
export async function closeRaw(): Promise<void> {
  for (const socket of all.splice(0)) socket.destroy();
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
}
