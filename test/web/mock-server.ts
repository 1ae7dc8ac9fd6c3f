import { createReadStream, existsSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { WebSocketServer, type WebSocket } from 'ws';
import type { LiveHello } from '../../src/contract/live.ts';
import type { CaptureStatus } from '../../src/contract/status.ts';
import { encodeRows, fakeDetail, fakeMessage, fakePayload, fakeRow, fakeSummary, wireBytes } from './mock-capture.ts';

/** What the dashboard talks to where no proxy runs: sessions and frames made up from their numbers. */
export interface MockServer {
  readonly url: string;
  /** Cuts every live connection. */
  cut(): void;
  /** Begins a new epoch, as a restart does. */
  restart(): void;
  close(): Promise<void>;
}
export interface MockOptions {
  readonly sessions: number;
  /** Frames of the first session. */
  readonly frames: number;
  /** Frames a second that come into the second session. */
  readonly rate: number;
  readonly firstHeldFrame?: number;
  readonly port?: number;
  readonly webRoot: string;
}
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};
const CSP = "default-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'";
const TICK_MS = 50;

export async function startMockServer(options: MockOptions): Promise<MockServer> {
  let epoch = 'epoch-1';
  let recording = true;
  let liveFrames = options.sessions > 1 ? 5000 : 0;
  let sent = liveFrames;
  const firstHeld = options.firstHeldFrame ?? 0;
  const startedMs = Date.now();
  const countOf = (id: number): number =>
    id === 1 ? options.frames : id === 2 ? Math.floor(liveFrames) : (id * 37) % 900;
  const seq = (): number => options.frames + Math.floor(liveFrames);
  const summary = (id: number): ReturnType<typeof fakeSummary> =>
    fakeSummary(id, {
      frameCount: countOf(id),
      firstHeldFrame: id === 1 ? firstHeld : 0,
      seq: id === 2 ? seq() : id,
      startedMs,
    });
  const status = (): CaptureStatus => ({
    epoch,
    seq: seq(),
    recording,
    sessions: options.sessions,
    openSessions: 2,
    frames: seq(),
    bytes: seq() * 300,
    memory: { budgetBytes: 256 * 1024 * 1024, usedBytes: 212 * 1024 * 1024 },
    evicted: { sessions: 0, frames: firstHeld, bytes: firstHeld * 300 },
  });

  const api = (response: ServerResponse, url: URL): void => {
    const parts = url.pathname.split('/').filter((part) => part !== '');
    const json = (value: unknown, code = 200): void => {
      response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    };
    const from = Number(url.searchParams.get('from') ?? 0);
    const limit = Number(url.searchParams.get('limit') ?? 100);
    const filter = url.searchParams.get('filter') ?? '';
    if (filter.includes('!!')) {
      const at = filter.indexOf('!!');
      return json(
        { error: { code: 'invalid-filter', message: `At character ${at + 1}: expected a text, a field or "(".` } },
        400,
      );
    }
    const id = Number(parts[2]);
    if (parts[1] === 'status')
      return json({
        ...status(),
        version: '0.1.0',
        command: 'frametap',
        uptimeMs: 1,
        proxy: { host: '127.0.0.1', port: 8080, url: 'http://127.0.0.1:8080' },
        dashboard: { host: '', port: 0, url: '' },
      });
    if (parts[1] === 'filter') return json({ from: 0, to: 0, options: [] });
    if (parts[5] === 'partner')
      return json({ role: null, protocol: null, frame: null, message: null, latencyMs: null });
    if (parts[1] === 'recording' || parts[1] === 'clear') {
      if (parts[1] === 'recording') recording = !recording;
      for (const socket of sockets) send(socket, { type: 'status', status: status() });
      return json({ recording });
    }
    if (parts[1] !== 'sessions') return json({ error: { code: 'not-found', message: 'There is no such thing.' } }, 404);
    if (parts.length === 2) {
      const newest = url.searchParams.get('order') === 'newest';
      const after = Number(url.searchParams.get('after') ?? (newest ? Infinity : 0));
      const all = Array.from({ length: options.sessions }, (_, at) => at + 1);
      const ids = newest ? all.reverse().filter((each) => each < after) : all.filter((each) => each > after);
      const found = ids.map(summary).filter((each) => filter === '' || each.url.includes(filter));
      const page = found.slice(0, limit);
      return json({ sessions: page, next: found.length > limit ? page.at(-1)?.id : null, needsFrames: true });
    }
    if (parts.length === 3) return json(fakeDetail(summary(id)));
    if (parts[3] === 'frames' && parts.length === 4) {
      const count = countOf(id);
      const rows: ReturnType<typeof fakeRow>[] = [];
      let at = Math.max(from, id === 1 ? firstHeld : 0);
      const until = Math.min(count, at + 20_000);
      for (; at < until && rows.length < limit; at += 1) {
        const row = fakeRow(at, startedMs);
        if (filter === '' || passes(filter, row.opcode, row.direction, row.preview?.data ?? '')) rows.push(row);
      }
      return json({
        frames: rows,
        next: at < count ? at : null,
        frameCount: count,
        firstHeldFrame: id === 1 ? firstHeld : 0,
      });
    }
    if (parts[3] === 'messages' && parts.length === 4) {
      const total = Math.floor(countOf(id) / 3);
      const page = Array.from({ length: Math.max(0, Math.min(limit, total - from)) }, (_, at) =>
        fakeMessage(from + at, startedMs),
      );
      const next = from + page.length < total ? from + page.length : null;
      return json({ messages: page, next, messageCount: total, firstHeldMessage: 0, growing: [], unreadable: 0 });
    }
    const plane = url.searchParams.get('plane');
    const index = Number(parts[4]) * (parts[3] === 'messages' ? 3 : 1);
    response.writeHead(200, { 'content-type': 'application/octet-stream' });
    return void response.end(plane === 'wire' ? wireBytes(index) : fakePayload(index));
  };

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    response.setHeader('content-security-policy', CSP);
    if (url.pathname.startsWith('/api/')) return api(response, url);
    const file = join(options.webRoot, normalize(url.pathname === '/' ? '/index.html' : url.pathname));
    if (!file.startsWith(options.webRoot) || !existsSync(file)) return void response.writeHead(404).end();
    response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' });
    createReadStream(file).pipe(response);
  });

  const sockets = new Set<WebSocket>();
  const wanted = new Map<WebSocket, LiveHello>();
  const send = (socket: WebSocket, message: unknown): void => socket.send(JSON.stringify(message));
  const live = new WebSocketServer({ server, path: '/api/live', perMessageDeflate: false });
  live.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.terminate());
    socket.on('close', () => {
      sockets.delete(socket);
      wanted.delete(socket);
    });
    socket.on('message', (data: Buffer) => {
      const hello = JSON.parse(data.toString()) as LiveHello;
      const first = hello.epoch !== epoch;
      wanted.set(socket, hello);
      send(socket, { type: 'hello', epoch, seq: first ? 0 : hello.since, status: status() });
      if (!first) return;
      for (let id = 1; id <= options.sessions; id += 1000) {
        const some = Array.from({ length: Math.min(1000, options.sessions - id + 1) }, (_, at) => summary(id + at));
        send(socket, { type: 'sessions', seq: 0, sessions: some });
      }
    });
  });
  let ticks = 0;
  const timer = setInterval(() => {
    if (options.rate === 0 || options.sessions < 2) return;
    liveFrames += (options.rate * TICK_MS) / 1000;
    ticks += 1;
    const end = Math.floor(liveFrames);
    const batch = encodeRows(2, sent, end, options.frames, startedMs);
    sent = end;
    for (const socket of sockets) {
      send(socket, { type: 'sessions', seq: seq(), sessions: [summary(2)] });
      if (wanted.get(socket)?.frames?.includes('2') === true) socket.send(batch);
      if (ticks % 20 === 0) send(socket, { type: 'status', status: status() });
    }
  }, TICK_MS);

  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    cut: () => {
      for (const socket of sockets) socket.terminate();
    },
    restart: () => {
      epoch = `epoch-${Date.now()}`;
      for (const socket of sockets) socket.terminate();
    },
    close: async () => {
      clearInterval(timer);
      for (const socket of sockets) socket.terminate();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** Enough of a filter for the dashboard's own requests: directions, opcodes, quoted text. */
function passes(filter: string, code: number, direction: string, text: string): boolean {
  if (filter.includes('dir:up') && direction !== 'client-to-server') return false;
  if (filter.includes('dir:down') && direction !== 'server-to-client') return false;
  const control = code >= 8;
  if (filter.includes('op:data')) return !control;
  if (filter.includes('op:control')) return control;
  const quoted = /"([^"]+)"/.exec(filter)?.[1] ?? (/[:~]/.test(filter) ? '' : filter.replace(/[()]/g, ''));
  return text.includes(quoted);
}
