import type { SessionRecorder } from '../capture/session-recorder.ts';
import type { ResponseHead } from '../contract/session.ts';
import { FrametapError } from '../errors.ts';
import { ResponseBody } from '../protocol/response-body.ts';
import { endWith } from './answer.ts';
import type { ClientConnection } from './client-connection.ts';
import type { UpstreamConnection } from './leg.ts';
import { reset } from './tunnel.ts';

/** As much of a refusal's body as a session keeps. */
const KEPT_BODY_BYTES = 4096;
const NOTHING = new Uint8Array(0);

/** Carries any answer but 101 to the client, byte for byte, and ends both connections after it. */
export class RefusedHandshake {
  readonly #recorder: SessionRecorder;
  readonly #connection: ClientConnection;
  readonly #server: UpstreamConnection;
  readonly #answer: ResponseHead;
  #body: ResponseBody | null = null;
  #kept = '';
  #recorded = false;
  #over = false;

  constructor(start: {
    readonly recorder: SessionRecorder;
    readonly connection: ClientConnection;
    readonly server: UpstreamConnection;
    readonly answer: ResponseHead;
  }) {
    this.#recorder = start.recorder;
    this.#connection = start.connection;
    this.#server = start.server;
    this.#answer = start.answer;
  }

  /**
   * @param head the answer's head as it came
   * @param rest what came after it
   */
  relay(head: Uint8Array, rest: Buffer): void {
    const client = this.#connection.socket;
    const server = this.#server.socket;
    client.write(head);
    client.on('drain', () => server.resume()).on('close', () => this.#finish());
    client.resume();
    try {
      this.#body = new ResponseBody(this.#answer, (content) => this.#keep(content));
    } catch (error) {
      this.#break(error);
      return;
    }
    server.on('data', (chunk: Buffer) => this.#pass(chunk));
    server.on('end', () => this.#finish());
    server.on('close', () => {
      if (this.#over) return;
      // Reset in the middle of the body: the client is to see that it is not whole.
      this.#record();
      this.#over = true;
      reset(this.#connection.raw);
    });
    this.#pass(rest);
    if (!this.#over) server.resume();
  }

  #pass(chunk: Buffer): void {
    if (this.#over || this.#body === null) return;
    try {
      const length = this.#body.push(chunk);
      if (length > 0 && !this.#connection.socket.write(chunk.subarray(0, length))) this.#server.socket.pause();
      if (this.#body.complete) this.#finish();
    } catch (error) {
      this.#connection.socket.write(chunk);
      this.#break(error);
    }
  }

  /** Where the framing cannot be followed, the end of the connection is all that can tell the end. */
  #break(error: unknown): void {
    if (!(error instanceof FrametapError)) throw error;
    this.#finish();
  }

  #keep(content: Uint8Array): void {
    if (this.#recorded) return;
    const room = KEPT_BODY_BYTES - this.#kept.length;
    this.#kept += Buffer.from(content.subarray(0, room)).toString('latin1');
    if (this.#kept.length === KEPT_BODY_BYTES) this.#record();
  }

  #record(): void {
    if (this.#recorded) return;
    this.#recorded = true;
    const { status, reason } = this.#answer;
    this.#recorder.update({ refusalBody: this.#kept });
    this.#recorder.failed({
      by: 'server',
      code: 'upstream-refused-handshake',
      message: `The server answered the opening handshake with ${`${status} ${reason}`.trim()}.`,
    });
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#record();
    this.#server.raw.destroy();
    if (!this.#connection.socket.destroyed) endWith(this.#connection.socket, this.#connection.raw, NOTHING);
  }
}
