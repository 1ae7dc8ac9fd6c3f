import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import type { FrameRow } from '../../src/contract/frame.ts';
import { decodeLiveBatch, type LiveMessage } from '../../src/contract/live.ts';
import { startTestApp, type AppRig } from '../helpers/app-rig.ts';

const DASHBOARDS = 10;
const CUTS_EACH = 100;
const SESSIONS = 4;
/** Every 4 ms each session gets so many frames in either direction. */
const BURST = 2;
const BURST_MS = 4;
/** A cut comes at any byte up to this one: in the handshake, between messages, in the middle of one. */
const MAX_BYTES = 12_000;

let rig: AppRig;
let upstream: WebSocketServer;
const clients: WebSocket[] = [];
beforeAll(async () => {
  upstream = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(upstream, 'listening');
  rig = await startTestApp({ reverse: `ws://127.0.0.1:${(upstream.address() as AddressInfo).port}` });
});
afterAll(async () => {
  for (const socket of [...clients, ...upstream.clients]) socket.terminate();
  upstream.close();
  await rig.stop();
});

/** Mulberry32: the same places at each run, as far as the traffic is. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A line to the dashboard that breaks after `limitBytes` from the server. */
class BreakingLine {
  limitBytes = Number.POSITIVE_INFINITY;
  readonly #server: Server;

  constructor(port: number) {
    this.#server = createServer((client: Socket) => {
      const server = connect(port, '127.0.0.1');
      let leftBytes = this.limitBytes;
      const end = (): void => {
        client.destroy();
        server.destroy();
      };
      for (const socket of [client, server]) socket.on('error', end).on('close', end);
      client.on('data', (bytes) => server.write(bytes));
      server.on('data', (bytes) => {
        client.write(bytes.subarray(0, leftBytes));
        leftBytes -= bytes.length;
        if (leftBytes <= 0) client.end(end);
      });
    });
  }
  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }
  close(): void {
    this.#server.close();
  }
}

/** One dashboard: goes on where it stood, as docs/live-stream.md says, and keeps what came. */
class Collector {
  readonly rows = new Map<string, { seq: number; payloadLength: number; bits: number }>();
  gaps = 0;
  /** Rows that were not above all rows before them. */
  doubles = 0;
  #epoch: string | null = null;
  #since = 0;
  #lastRowSeq = 0;

  /** Reads until the line breaks, or until `enough`. */
  async read(port: number, enough: (rows: number) => boolean = () => false): Promise<void> {
    const { host } = new URL(rig.app.dashboard.url);
    const socket = new WebSocket(`ws://127.0.0.1:${port}/api/live`, {
      headers: { host, authorization: `Bearer ${rig.app.dashboard.token}` },
      perMessageDeflate: false,
    });
    socket.binaryType = 'arraybuffer';
    // A cut in the opening handshake is an error here, and a close comes after it.
    socket.on('error', () => undefined);
    socket.on('open', () =>
      socket.send(JSON.stringify({ type: 'hello', epoch: this.#epoch, since: this.#since, frames: 'all' })),
    );
    socket.on('message', (data, isBinary) => {
      if (isBinary) this.#takeRows(data as ArrayBuffer);
      else this.#takeText(JSON.parse(Buffer.from(data as ArrayBuffer).toString()) as LiveMessage);
      if (enough(this.rows.size)) socket.close();
    });
    await new Promise((resolve) => socket.on('close', resolve));
  }

  #takeRows(data: ArrayBuffer): void {
    const batch = decodeLiveBatch(data);
    for (let i = 0; i < batch.rowCount; i += 1) {
      const seq = batch.seq[i] ?? 0;
      if (seq <= this.#lastRowSeq) this.doubles += 1;
      this.#lastRowSeq = seq;
      this.rows.set(`${batch.session[i]} ${batch.index[i]}`, {
        seq,
        payloadLength: batch.payloadLength[i] ?? 0,
        bits: batch.bits[i] ?? 0,
      });
    }
    this.#since = Math.max(this.#since, this.#lastRowSeq);
  }
  #takeText(message: LiveMessage): void {
    if (message.type === 'hello') this.#epoch = message.epoch;
    if (message.type === 'gap') this.gaps += 1;
    if (message.type === 'sessions' || message.type === 'removed') this.#since = Math.max(this.#since, message.seq);
  }
}

/** Traffic of every kind through the proxy until it is told to stop; resolves once all of it has arrived. */
async function startLoad(): Promise<() => Promise<void>> {
  const pairs: (readonly [WebSocket, WebSocket])[] = [];
  for (let n = 0; n < SESSIONS; n += 1) {
    const arrived = once(upstream, 'connection') as Promise<[WebSocket]>;
    const client = new WebSocket(rig.app.proxy.url.replace('http', 'ws') + `/load/${n}`, { perMessageDeflate: false });
    client.on('error', () => client.terminate());
    clients.push(client);
    await once(client, 'open');
    const [server] = await arrived;
    server.on('error', () => server.terminate());
    pairs.push([client, server]);
  }
  let sent = 0;
  const timer = setInterval(() => {
    for (const pair of pairs) {
      for (const socket of pair) {
        for (let n = 0; n < BURST && socket.readyState === WebSocket.OPEN; n += 1, sent += 1) {
          if (sent % 11 === 0) socket.ping(`beat ${sent}`);
          else if (sent % 7 === 0) {
            socket.send(`frame ${sent}, `, { fin: false });
            socket.send('in two parts', { fin: true });
          } else socket.send(sent % 3 === 0 ? Buffer.alloc(sent % 300) : `frame ${sent}`);
        }
      }
    }
  }, BURST_MS);
  return async () => {
    clearInterval(timer);
    const ended = pairs.flatMap((pair) => pair.map((socket) => once(socket, 'close')));
    for (const [client] of pairs) client.close(1000, 'done');
    await Promise.all(ended);
  };
}

it('cut 1,000 times at random places under load, the stream has what the export has: no hole, no double', async () => {
  const stopLoad = await startLoad();
  const dashboards = await Promise.all(
    Array.from({ length: DASHBOARDS }, async (_, n) => {
      const line = new BreakingLine(Number(new URL(rig.app.dashboard.url).port));
      const port = await line.listen();
      const next = random(n + 1);
      const collector = new Collector();
      for (let cut = 0; cut < CUTS_EACH; cut += 1) {
        line.limitBytes = 1 + Math.floor(next() * MAX_BYTES);
        await collector.read(port);
      }
      line.limitBytes = Number.POSITIVE_INFINITY;
      return { line, port, collector };
    }),
  );
  await stopLoad();
  const response = await rig.fetch('/api/export?format=json');
  const exported = (await response.json()) as { sessions: { id: string; frames: FrameRow[] }[] };
  const frames = exported.sessions.flatMap(({ id, frames: rows }) => rows.map((row) => ({ ...row, id })));
  expect(frames.length).toBeGreaterThan(10_000);
  for (const { line, port, collector } of dashboards) {
    await collector.read(port, (rows) => rows >= frames.length);
    line.close();
    expect(collector).toMatchObject({ doubles: 0, gaps: 0 });
    expect(collector.rows.size).toBe(frames.length);
    const wrong = frames.filter(({ id, index, seq, payloadLength, opcode }) => {
      const row = collector.rows.get(`${id} ${index}`);
      return row?.seq !== seq || row.payloadLength !== payloadLength || (row.bits & 0x0f) !== opcode;
    });
    expect(wrong).toEqual([]);
  }
}, 240_000);
