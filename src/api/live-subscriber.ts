import type { WebSocket } from 'ws';
import type { LiveHello, LiveMessage } from '../contract/live.ts';
import { FrametapError } from '../errors.ts';
import type { RowChoice } from './live-batch.ts';
import { parseHello } from './live-hello.ts';

/** Nothing more is sent to a dashboard while so much waits for it. With what one tick sends: under 4 MiB. */
export const QUEUE_LIMIT_BYTES = 1024 * 1024;

/** One dashboard on the live stream: where it stands, what it takes, and whether it still reads. */
export class Subscriber {
  /** Null until it has said hello. */
  epoch: string | null = null;
  /** Frame rows up to here have been sent, or were told as a gap, or are not wanted. */
  position = 0;
  /** Sessions that changed up to here have been sent. */
  sessionsPosition = 0;
  /** Where the log ended when it said hello: up to there it catches up. */
  catchesUpTo = 0;
  /** Removed sessions up to here have been told. */
  removedPosition = 0;
  /** The count of evicted frames when the rows after `position` were last known to be there. */
  evictedSeen = 0;
  choice: RowChoice | 'none' = 'all';
  /** Equal for equal choices. */
  choiceKey = 'all';
  /** The last hello, not yet answered. */
  pendingHello: LiveHello | null = null;

  /** The last status message that was sent. */
  status = '';
  /** Something was left undone because too much was waiting: `onWake` is called once there is room. */
  waiting = false;

  readonly #socket: WebSocket;
  readonly #now: () => number;
  readonly #onWake: () => void;
  #progressAtMs: number;
  #heardAtMs: number;

  /** `onWake` is called when there is something to answer, or room to go on in after there was none. */
  constructor(socket: WebSocket, { now, onWake }: { readonly now: () => number; readonly onWake: () => void }) {
    this.#socket = socket;
    this.#onWake = onWake;
    this.#now = now;
    this.#progressAtMs = this.#heardAtMs = now();
    socket.on('pong', () => (this.#heardAtMs = now()));
    socket.on('message', (data, isBinary) => {
      this.#heardAtMs = now();
      try {
        if (isBinary) throw new FrametapError('invalid-parameter', 'Only JSON text is understood here.');
        this.pendingHello = parseHello(messageText(data));
        onWake();
      } catch (error) {
        if (!(error instanceof FrametapError)) throw error;
        // Who asks nonsense and does not read the answers gets no more of them.
        if (!this.blocked) this.sendJson({ type: 'error', error: { code: error.code, message: error.message } });
      }
    });
  }

  /** More is waiting for this dashboard than may be. */
  get blocked(): boolean {
    return this.#socket.bufferedAmount > QUEUE_LIMIT_BYTES;
  }

  /** The sequence number from which this dashboard can go on after a cut without a hole. */
  get resumeFrom(): number {
    return this.choice === 'none' ? this.sessionsPosition : Math.min(this.position, this.sessionsPosition);
  }

  choose(frames: NonNullable<LiveHello['frames']>): void {
    if (typeof frames === 'string') {
      this.choice = this.choiceKey = frames;
      return;
    }
    const numbers = new Set(frames.map(Number));
    this.choice = numbers;
    this.choiceKey = [...numbers].sort((a, b) => a - b).join();
  }

  sendJson(message: LiveMessage): void {
    this.sendText(Buffer.from(JSON.stringify(message)));
  }
  /** `utf8` may be shared between dashboards: nobody writes to it. */
  sendText(utf8: Uint8Array): void {
    this.#socket.send(utf8, { binary: false }, this.#flushed);
  }
  sendBatch(bytes: Uint8Array): void {
    this.#socket.send(bytes, { binary: true }, this.#flushed);
  }
  // Called with an error once the peer is gone: the socket's own close says the rest.
  readonly #flushed = (error?: Error | null): void => {
    if (error) return;
    this.#progressAtMs = this.#now();
    if (this.waiting && !this.blocked) this.#onWake();
  };

  /** Lets go of a dashboard that has not read, or not answered a ping, for `stallMs`; else pings it. */
  checkAlive(nowMs: number, stallMs: number): void {
    if (this.#socket.bufferedAmount === 0) this.#progressAtMs = nowMs;
    if (nowMs - this.#progressAtMs >= stallMs || nowMs - this.#heardAtMs >= stallMs) this.#socket.terminate();
    else if (!this.blocked) this.#socket.ping();
  }

  close(code: number): void {
    this.#socket.close(code);
  }
  terminate(): void {
    this.#socket.terminate();
  }
}

function messageText(data: WebSocket.RawData): string {
  const bytes = Array.isArray(data) ? Buffer.concat(data) : data instanceof ArrayBuffer ? Buffer.from(data) : data;
  return bytes.toString('utf8');
}
