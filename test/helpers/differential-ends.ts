import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import { frameBytes, type ProtocolCase, writesOf } from './protocol-cases.ts';
import { type Line, untilClosed } from './ways.ts';
import { parse, type ParsedFrame } from './wire-frames.ts';

/** The role that the raw end plays; `ws` plays the other. */
export type RawRole = 'client' | 'server';

/** Bytes, or what stands for them where they are many. */
export function digest(bytes: Uint8Array): string {
  if (bytes.length <= 40) return Buffer.from(bytes).toString('hex');
  return `${bytes.length} bytes ${createHash('sha1').update(bytes).digest('hex')}`;
}

/** The `ws` end of one case: echoes messages, and notes what `ws` tells, in order. */
export class WsEnd {
  readonly events: string[] = [];
  /** How the connection below it ended: `fin`, or the error. */
  ending = '';
  readonly over: Promise<void>;

  constructor(socket: WebSocket, transport: Socket) {
    const say = (what: string, bytes: Uint8Array): void => void this.events.push(`${what} ${digest(bytes)}`);
    transport.on('end', () => (this.ending ||= 'fin'));
    transport.on('error', (error: NodeJS.ErrnoException) => (this.ending ||= error.code ?? error.message));
    socket.on('message', (data: Buffer, isBinary) => {
      say(isBinary ? 'binary' : 'text', data);
      socket.send(data, { binary: isBinary });
    });
    socket.on('ping', (data: Buffer) => say('ping', data));
    socket.on('pong', (data: Buffer) => say('pong', data));
    socket.on('error', (error: NodeJS.ErrnoException) => void this.events.push(`error ${error.code ?? error.message}`));
    this.over = new Promise((resolve) => {
      socket.on('close', (code, reason) => {
        say(`close ${code}`, reason);
        resolve();
      });
    });
  }
}

/** The raw end of one case, after the opening handshake: writes it as it says, and reads what comes back. */
export class RawEnd {
  readonly written: readonly Buffer[];
  readonly got: ParsedFrame[] = [];
  ending = '';
  readonly #case: ProtocolCase;
  readonly #line: Line;
  #rest: Buffer = Buffer.alloc(0);
  #wake: (() => void)[] = [];

  constructor(one: ProtocolCase, role: RawRole, line: Line) {
    this.#case = one;
    this.#line = line;
    this.written = frameBytes(one, role);
    const { socket } = line;
    socket.on('data', (chunk: Buffer) => {
      const { frames, rest } = parse(Buffer.concat([this.#rest, chunk]));
      this.got.push(...frames);
      this.#rest = rest;
      this.#changed();
    });
    socket.on('end', () => {
      this.ending ||= 'fin';
      this.#changed();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.ending ||= error.code ?? error.message;
      this.#changed();
    });
    socket.on('close', () => this.#changed());
  }

  /** The frames that came, unmasked, and what is none. */
  get received(): string[] {
    const frames = this.got.map(({ byte0, byte1, length, key, payload }) => {
      const head = Buffer.from([byte0, byte1]).toString('hex') + length.toString('hex');
      return `${head}${key === null ? '' : ' masked'} ${digest(payload)}`;
    });
    return this.#rest.length === 0 ? frames : [...frames, `rest ${digest(this.#rest)}`];
  }

  async run(): Promise<void> {
    const { socket, raw } = this.#line;
    const { leaves = 'close', answers = 0 } = this.#case;
    const writes = writesOf(this.#case, this.written);
    for (const bytes of writes) {
      if (socket.destroyed) break;
      socket.write(bytes);
      // Gives what was written so far a chance to leave on its own.
      if (writes.length > 1) await new Promise((resolve) => setImmediate(resolve));
    }
    const closes = leaves === 'close' || leaves === 'silent-close';
    const heard = (): boolean =>
      closes ? this.got.some(({ byte0 }) => (byte0 & 15) === 8) : this.got.length >= answers;
    while (!heard() && this.ending === '' && !socket.destroyed) await this.#change();
    if (leaves === 'reset') {
      raw.resetAndDestroy();
      socket.destroy();
    } else socket.end();
    await untilClosed(socket);
    await untilClosed(raw);
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }
  #changed(): void {
    for (const resolve of this.#wake.splice(0)) resolve();
  }
}
