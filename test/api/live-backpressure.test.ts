import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocketServer, type WebSocket } from 'ws';
import { createLive, type Live } from '../../src/api/live.ts';
import { LiveClient } from '../helpers/live-client.ts';
import { FIN, RecordedCapture } from '../helpers/recorded-capture.ts';

/** What a dashboard that stops reading may cost. */
const LIMIT_BYTES = 4 * 1024 * 1024;

let server: Server;
let live: Live;
let capture: RecordedCapture;
let url: string;
/** Our end of each connection, in order of arrival. */
const ends: WebSocket[] = [];
const clients: LiveClient[] = [];
const faults: unknown[] = [];

async function start(options: { readonly keepaliveMs?: number; readonly stallMs?: number } = {}): Promise<void> {
  capture = new RecordedCapture();
  live = createLive({ reader: capture.store, onFault: (error) => faults.push(error), ...options });
  server = createServer();
  const upgrades = new WebSocketServer({ server });
  upgrades.on('connection', (socket) => {
    socket.on('error', () => socket.terminate());
    ends.push(socket);
    live.add(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
beforeEach(() => {
  ends.length = faults.length = 0;
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.socket.terminate();
  await live.stop();
  server.closeAllConnections();
  server.close();
  expect(faults).toEqual([]);
});

async function open(): Promise<LiveClient> {
  const client = await LiveClient.open(url, '', {});
  clients.push(client);
  return client;
}
const rawOf = (client: LiveClient): Socket => (client.socket as unknown as { _socket: Socket })._socket;

/** Writes `total` frames in pieces, giving way between them, and returns the largest queue seen for `end`. */
async function pour(total: number, end: () => WebSocket | undefined): Promise<number> {
  const session = capture.session();
  let most = 0;
  const payload = Buffer.alloc(64, 'x');
  for (let written = 0; written < total; written += 500) {
    for (let i = 0; i < 500; i++) session.frames({ firstByte: FIN | 2, payload });
    await new Promise((resolve) => setTimeout(resolve, 2));
    most = Math.max(most, end()?.bufferedAmount ?? 0);
  }
  return most;
}

describe('a dashboard that stops reading', () => {
  it('costs 4 MiB at most, holds up no other, and has everything or its gaps once it reads again', async () => {
    await start();
    const slow = await open();
    await slow.until(() => slow.of('hello').length === 1);
    rawOf(slow).pause();
    const quick = await open();
    await quick.until(() => quick.of('hello').length === 1);
    const most = await pour(330_000, () => ends[0]);
    expect(most).toBeGreaterThan(512 * 1024);
    expect(most).toBeLessThan(LIMIT_BYTES);
    await quick.until(() => quick.rows.at(-1)?.index === 329_999);
    expect(slow.rows.length).toBe(0);
    rawOf(slow).resume();
    await slow.until(() => slow.rows.at(-1)?.index === 329_999);
    const told = new Set(slow.rows.map(({ seq }) => seq));
    const inGap = (seq: number): boolean => slow.of('gap').some(({ from, to }) => seq >= from && seq <= to);
    const missing = quick.rows.filter(({ seq }) => !told.has(seq) && !inGap(seq));
    expect(missing).toEqual([]);
    expect(slow.of('gap').length).toBeGreaterThan(0);
  });

  it('cannot make us keep answers that it does not read', async () => {
    await start();
    for (let i = 0; i < 2_000; i++) capture.session({ url: `wss://h.example/${'u'.repeat(500)}` });
    const client = await open();
    await client.until(() => client.of('hello').length === 1);
    rawOf(client).pause();
    let most = 0;
    const pester = async (): Promise<void> => {
      for (let i = 0; i < 50; i++) {
        client.socket.send(i % 2 === 0 ? 'nonsense' : '{"type":"hello","epoch":null,"since":0}');
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
      most = Math.max(most, ends[0]?.bufferedAmount ?? 0);
    };
    // First whatever the system's own buffers take, then as much again.
    while (most < 1024 * 1024) await pester();
    for (let i = 0; i < 200; i++) await pester();
    expect(most).toBeLessThan(LIMIT_BYTES);
  });

  it('is let go when it has read nothing for long, while one that reads stays', async () => {
    await start({ keepaliveMs: 20, stallMs: 400 });
    const reading = await open();
    // A raw socket that upgrades, and then reads and answers nothing.
    const dead = connect(Number(new URL(url).port), '127.0.0.1');
    dead.on('error', () => dead.destroy());
    dead.write(
      'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    );
    await once(dead, 'data');
    dead.pause();
    const end = ends[1];
    if (end === undefined) throw new Error('no upgrade');
    const [code] = (await once(end, 'close')) as [number];
    expect(code).toBe(1006);
    expect(reading.closeCode).toBeUndefined();
    expect(ends[0]?.readyState).toBe(1);
    dead.destroy();
  });

  it('is cut off when the program stops and it does not answer', async () => {
    await start();
    const client = await open();
    await client.until(() => client.of('hello').length === 1);
    rawOf(client).pause();
    const startMs = performance.now();
    await live.stop();
    expect(performance.now() - startMs).toBeLessThan(3_000);
    expect(ends[0]?.readyState).toBe(3);
  });
});
