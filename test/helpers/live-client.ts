import { once } from 'node:events';
import { WebSocket } from 'ws';
import { decodeLiveBatch, type LiveBatch, type LiveHello, type LiveMessage } from '../../src/contract/live.ts';

export interface LiveRow {
  readonly seq: number;
  readonly session: number;
  readonly index: number;
  readonly payloadLength: number;
  readonly bits: number;
  readonly preview: string;
}

/** A dashboard's end of the live stream: keeps what came, and awaits what is to come. */
export class LiveClient {
  readonly socket: WebSocket;
  readonly messages: LiveMessage[] = [];
  readonly batches: { readonly batch: LiveBatch; readonly atMs: number }[] = [];
  readonly rows: LiveRow[] = [];
  closeCode: number | undefined;
  #changed: (() => void)[] = [];

  constructor(url: string, token: string) {
    this.socket = new WebSocket(url, { headers: { authorization: `Bearer ${token}` } });
    this.socket.binaryType = 'arraybuffer';
    this.socket.on('error', () => this.socket.terminate());
    this.socket.on('message', (data, isBinary) => {
      if (isBinary) this.#take(decodeLiveBatch(data as ArrayBuffer));
      else this.messages.push(JSON.parse(Buffer.from(data as ArrayBuffer).toString()) as LiveMessage);
      this.#wake();
    });
    this.socket.on('close', (code) => {
      this.closeCode = code;
      this.#wake();
    });
  }

  static async open(url: string, token: string, hello?: Partial<LiveHello>): Promise<LiveClient> {
    const client = new LiveClient(url, token);
    await once(client.socket, 'open');
    if (hello !== undefined) client.hello(hello);
    return client;
  }

  hello(hello: Partial<LiveHello>): void {
    this.socket.send(JSON.stringify({ type: 'hello', epoch: null, since: 0, ...hello }));
  }

  /** The messages of one type. */
  of<T extends LiveMessage['type']>(type: T): Extract<LiveMessage, { type: T }>[] {
    return this.messages.filter((message): message is Extract<LiveMessage, { type: T }> => message.type === type);
  }

  /** Resolves once `condition` holds: it is looked at again after each message. */
  async until(condition: (client: this) => boolean): Promise<void> {
    while (!condition(this)) {
      if (this.closeCode !== undefined) throw new Error(`closed with ${this.closeCode} before it held`);
      await new Promise<void>((resolve) => this.#changed.push(resolve));
    }
  }

  async closed(): Promise<number> {
    if (this.closeCode === undefined) await once(this.socket, 'close');
    return this.closeCode ?? 0;
  }

  #take(batch: LiveBatch): void {
    this.batches.push({ batch, atMs: performance.now() });
    for (let i = 0; i < batch.rowCount; i++) {
      const preview = batch.preview.subarray(i === 0 ? 0 : batch.previewEnd[i - 1], batch.previewEnd[i]);
      this.rows.push({
        seq: batch.seq[i] ?? 0,
        session: batch.session[i] ?? 0,
        index: batch.index[i] ?? 0,
        payloadLength: batch.payloadLength[i] ?? 0,
        bits: batch.bits[i] ?? 0,
        preview: Buffer.from(preview).toString(),
      });
    }
  }

  #wake(): void {
    const waiting = this.#changed;
    this.#changed = [];
    for (const wake of waiting) wake();
  }
}
