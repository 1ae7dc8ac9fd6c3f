import type { LiveHello, LiveMessage } from '../../../src/contract/live.ts';
import type { CaptureStatus } from '../../../src/contract/status.ts';
import type { LiveSocket } from '../../../web/src/capture/live-connection.ts';
import { encodeRows, fakeSummary } from '../mock-capture.ts';

/** The server's side of the live stream, in this process: one log of frames of one session, cut at will. */
export class FakeLiveServer {
  epoch = 'first';
  frames = 0;
  /** Nobody is let in any more: sockets close before they open. */
  refusing = false;
  readonly hellos: LiveHello[] = [];
  #sockets: FakeSocket[] = [];

  readonly open = (): LiveSocket => {
    const socket = new FakeSocket((text) => this.#hello(socket, JSON.parse(text) as LiveHello));
    this.#sockets.push(socket);
    queueMicrotask(() => (this.refusing ? socket.closed() : socket.opened()));
    return socket;
  };

  /** Frames come: each is the next number of the log. Rows go out in batches of `batchRows`. */
  grow(count: number, batchRows = 7): void {
    this.frames += count;
    for (const socket of this.#sockets) this.#advance(socket, batchRows);
  }

  cut(): void {
    const sockets = this.#sockets;
    this.#sockets = [];
    for (const socket of sockets) socket.closed();
  }

  restart(): void {
    this.epoch += '+';
    this.frames = 0;
    this.cut();
  }

  clear(): void {
    this.epoch += '+';
    this.frames = 0;
    for (const socket of this.#sockets) {
      socket.position = 0;
      socket.say({ type: 'hello', epoch: this.epoch, seq: 0, status: this.#status() });
    }
  }

  #hello(socket: FakeSocket, hello: LiveHello): void {
    this.hellos.push(hello);
    socket.position = hello.epoch === this.epoch ? hello.since : 0;
    socket.wants = hello.frames?.includes('1') === true;
    socket.say({ type: 'hello', epoch: this.epoch, seq: socket.position, status: this.#status() });
    this.#advance(socket, 5);
  }

  #advance(socket: FakeSocket, batchRows: number): void {
    if (!socket.greeted || socket.position >= this.frames) return;
    const summary = fakeSummary(1, { frameCount: this.frames, firstHeldFrame: 0, seq: this.frames, startedMs: 0 });
    socket.say({ type: 'sessions', seq: socket.position, sessions: [summary] });
    while (socket.wants && socket.position < this.frames && socket.readyState === 1) {
      const to = Math.min(this.frames, socket.position + batchRows);
      socket.deliver(encodeRows(1, socket.position, to, 0, 0).slice().buffer);
      socket.position = to;
    }
    socket.position = this.frames;
  }

  #status(): CaptureStatus {
    return {
      epoch: this.epoch,
      seq: this.frames,
      recording: true,
      sessions: 1,
      openSessions: 1,
      frames: this.frames,
      bytes: 0,
      memory: { budgetBytes: 1, usedBytes: 0 },
      evicted: { sessions: 0, frames: 0, bytes: 0 },
    };
  }
}

class FakeSocket implements LiveSocket {
  binaryType = '';
  readyState = 0;
  position = 0;
  wants = false;
  greeted = false;
  readonly #onText: (text: string) => void;
  readonly #listeners = new Map<string, ((event: { readonly data: unknown }) => void)[]>();

  constructor(onText: (text: string) => void) {
    this.#onText = onText;
  }
  addEventListener(type: string, listener: (event: { readonly data: unknown }) => void): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
  }
  send(text: string): void {
    this.#onText(text);
  }
  close(): void {
    this.closed();
  }
  opened(): void {
    if (this.readyState !== 0) return;
    this.readyState = 1;
    this.#tell('open', undefined);
  }
  closed(): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.#tell('close', undefined);
  }
  say(message: LiveMessage): void {
    this.greeted ||= message.type === 'hello';
    this.deliver(JSON.stringify(message));
  }
  deliver(data: unknown): void {
    if (this.readyState === 1) this.#tell('message', data);
  }
  #tell(type: string, data: unknown): void {
    for (const listener of this.#listeners.get(type) ?? []) listener({ data });
  }
}
