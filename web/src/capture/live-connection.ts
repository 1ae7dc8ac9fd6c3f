import type { LiveBatch, LiveHello, LiveMessage } from '../../../src/contract/live.ts';
import { decodeLiveBatch } from '../../../src/contract/live.ts';

/** `refused`: the server answers, and does not let this page in. */
export type LiveState = 'connecting' | 'live' | 'lost' | 'refused';

export interface LiveHandlers {
  /**
   * Another epoch than before: everything known is void. `restarted`: it is another run of the server, whose session
   * ids mean something else; else the capture was cleared, and the same rows are wanted as before.
   */
  readonly onEpoch: (epoch: string, how: { readonly restarted: boolean }) => void;
  readonly onMessage: (message: LiveMessage) => void;
  readonly onBatch: (batch: LiveBatch) => void;
  readonly onState: (state: LiveState) => void;
  /**
   * Asked after an attempt that failed, as a WebSocket does not say why: does the server answer, and refuse this page?
   * It rejects never.
   */
  readonly isRefused: () => Promise<boolean>;
}

/** The part of WebSocket that is used, so that tests can cut it at will. */
export interface LiveSocket {
  binaryType: string;
  readonly readyState: number;
  addEventListener(type: 'open' | 'close' | 'error', listener: () => void): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  send(text: string): void;
  close(): void;
}

const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 5000;
const OPEN = 1;

/**
 * The one connection to the server's log. Resumes where it was after a cut; starts afresh when the server says
 * another epoch. Rows and sessions are counted apart: a session's summary may run ahead of its rows. The `seq` that
 * a message carries is what both have surely reached.
 */
export class LiveConnection {
  readonly #open: () => LiveSocket;
  readonly #handlers: LiveHandlers;
  #socket: LiveSocket | null = null;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #retryMs = FIRST_RETRY_MS;
  #stopped = false;
  #state: LiveState = 'connecting';
  #epoch: string | null = null;
  #sessionSeq = 0;
  #rowSeq = 0;
  #frames: readonly string[] = [];

  constructor(open: () => LiveSocket, handlers: LiveHandlers) {
    this.#open = open;
    this.#handlers = handlers;
  }

  start(): void {
    this.#stopped = false;
    this.#connect();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#retry);
    this.#socket?.close();
    this.#socket = null;
  }

  /** Wants the rows of these sessions from now on. Rows of before are fetched by range when they are looked at. */
  follow(sessions: readonly string[]): void {
    this.#frames = sessions;
    this.#rowSeq = this.#sessionSeq;
    this.#hello();
  }

  #hello(): void {
    if (this.#socket === null || this.#socket.readyState !== OPEN) return;
    const hello: LiveHello = {
      type: 'hello',
      epoch: this.#epoch,
      since: this.#frames.length === 0 ? this.#sessionSeq : Math.min(this.#sessionSeq, this.#rowSeq),
      frames: this.#frames.length === 0 ? 'none' : this.#frames,
    };
    this.#socket.send(JSON.stringify(hello));
  }

  #connect(): void {
    const socket = this.#open();
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    let opened = false;
    socket.addEventListener('open', () => {
      opened = true;
      this.#hello();
    });
    socket.addEventListener('message', (event) => {
      if (this.#socket === socket) this.#receive(event.data);
    });
    socket.addEventListener('error', () => socket.close());
    socket.addEventListener('close', () => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      if (this.#stopped) return;
      if (opened) this.#enter('lost');
      else void this.#explain();
      this.#retry = setTimeout(() => this.#connect(), this.#retryMs);
      this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
    });
  }

  /** The attempts go on also where the page is refused: another tab of this browser may log in. */
  async #explain(): Promise<void> {
    if (this.#state !== 'refused') this.#enter('lost');
    const refused = await this.#handlers.isRefused();
    if (this.#stopped || this.#state === 'live') return;
    this.#enter(refused ? 'refused' : 'lost');
  }

  #receive(data: unknown): void {
    if (data instanceof ArrayBuffer) {
      const batch = decodeLiveBatch(data);
      const last = batch.seq[batch.rowCount - 1] ?? 0;
      this.#reach(0, last);
      this.#handlers.onBatch(batch);
      return;
    }
    if (typeof data !== 'string') return;
    const message = JSON.parse(data) as LiveMessage;
    if (message.type === 'hello') this.#greeted(message.epoch);
    else if (message.type === 'sessions' || message.type === 'removed') this.#reach(message.seq, message.seq);
    else if (message.type === 'gap') this.#reach(0, message.to);
    if (message.type === 'sessions') for (const session of message.sessions) this.#reach(session.seq, 0);
    this.#handlers.onMessage(message);
  }

  #reach(sessionSeq: number, rowSeq: number): void {
    if (sessionSeq > this.#sessionSeq) this.#sessionSeq = sessionSeq;
    if (rowSeq > this.#rowSeq) this.#rowSeq = rowSeq;
  }

  #greeted(epoch: string): void {
    const reconnected = this.#state !== 'live';
    this.#retryMs = FIRST_RETRY_MS;
    this.#enter('live');
    if (epoch === this.#epoch) return;
    const restarted = this.#epoch !== null && reconnected;
    this.#epoch = epoch;
    this.#sessionSeq = 0;
    this.#rowSeq = 0;
    if (restarted && this.#frames.length > 0) {
      this.#frames = [];
      this.#hello();
    }
    this.#handlers.onEpoch(epoch, { restarted });
  }

  #enter(state: LiveState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#handlers.onState(state);
  }
}
