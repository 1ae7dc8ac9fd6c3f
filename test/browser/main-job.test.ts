import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type WebSocket as Peer, WebSocketServer } from 'ws';
import { makeDemoCertificate } from '../../src/demo/demo-certificate.ts';
import { type AppRig, startTestApp } from '../helpers/app-rig.ts';
import { openChromium } from '../helpers/chromium.ts';
import { readCapture } from '../helpers/exported-capture.ts';

/** A site of its own: pages, a download, an upload, and a `ws` server that echoes. */
interface Site {
  readonly port: number;
  readonly received: { readonly data: Buffer; readonly isBinary: boolean }[];
  readonly closes: { readonly code: number; readonly reason: string }[];
  close(): void;
}

const DOWNLOAD = Buffer.alloc(3_000_000, 'frametap');

async function startSite(server: Server): Promise<Site> {
  const received: Site['received'] = [];
  const closes: Site['closes'] = [];
  server.on('request', (request, response) => {
    if (request.url === '/download') response.end(DOWNLOAD);
    else if (request.url === '/upload') {
      let length = 0;
      request.on('data', (chunk: Buffer) => (length += chunk.length)).on('end', () => response.end(String(length)));
    } else response.setHeader('content-type', 'text/html').end('<!doctype html><title>site</title><p>A page');
  });
  const sockets = new WebSocketServer({
    server,
    perMessageDeflate: { threshold: 0 },
    handleProtocols: (offered) => (offered.has('chat.v2') ? 'chat.v2' : false),
    verifyClient: ({ req }: { req: IncomingMessage }) => req.url !== '/forbidden',
  });
  sockets.on('connection', (socket: Peer) => {
    socket.on('message', (data: Buffer, isBinary) => {
      received.push({ data, isBinary });
      socket.send(data, { binary: isBinary });
    });
    socket.on('close', (code, reason) => closes.push({ code, reason: reason.toString() }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    received,
    closes,
    close() {
      for (const client of sockets.clients) client.terminate();
      server.close();
    },
  };
}

let folder: string;
let plain: Site;
let secure: Site;
let rig: AppRig;
let browser: { readonly context: BrowserContext; close(): Promise<void> };
let page: Page;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'frametap-main-job-'));
  const { certificatePem, keyPem } = makeDemoCertificate();
  await writeFile(join(folder, 'upstream.pem'), certificatePem);
  plain = await startSite(createServer());
  secure = await startSite(createSecureServer({ cert: certificatePem, key: keyPem }));
  rig = await startTestApp({ upstreamCa: join(folder, 'upstream.pem') });
  browser = await openChromium({ through: rig.app });
  page = await browser.context.newPage();
});
afterAll(async () => {
  await browser.close();
  await rig.stop();
  plain.close();
  secure.close();
  await rm(folder, { recursive: true, force: true });
});

/** In the page: opens a WebSocket, sends text, bytes and a Blob, reads the echoes, and closes. */
async function talk(url: string, options: { readonly code?: number; readonly reason?: string } = {}): Promise<unknown> {
  return page.evaluate(
    async ({ url, code, reason }) => {
      const socket = new WebSocket(url, ['chat.v1', 'chat.v2']);
      socket.binaryType = 'arraybuffer';
      const echoes: string[] = [];
      const closed = new Promise<object>((resolve) => {
        socket.onclose = (event) => resolve({ code: event.code, reason: event.reason, clean: event.wasClean });
      });
      await new Promise((resolve, reject) => {
        socket.onopen = resolve;
        socket.onerror = () => reject(new Error('the WebSocket failed'));
      });
      const echo = (): Promise<unknown> =>
        new Promise((resolve) => (socket.onmessage = (event: MessageEvent) => resolve(event.data)));
      const say = async (what: string | ArrayBuffer | Blob): Promise<void> => {
        const answer = echo();
        socket.send(what);
        const heard = await answer;
        echoes.push(typeof heard === 'string' ? heard : Array.from(new Uint8Array(heard as ArrayBuffer)).join(' '));
      };
      await say('Zażółć gęślą jaźń');
      await say(new Uint8Array([0, 127, 128, 255]).buffer);
      await say(new Blob(['from a blob']));
      const { protocol, extensions } = socket;
      socket.close(code, reason);
      return { echoes, protocol, extensions, close: await closed };
    },
    { url, code: options.code, reason: options.reason },
  );
}

const SAID = ['Zażółć gęślą jaźń', '0 127 128 255', [...Buffer.from('from a blob')].join(' ')];

describe('a browser through the proxy', () => {
  for (const scheme of ['http', 'https'] as const) {
    const site = (): Site => (scheme === 'http' ? plain : secure);
    const socketUrl = (path: string): string => `${scheme === 'http' ? 'ws' : 'wss'}://127.0.0.1:${site().port}${path}`;

    it(`shows ${scheme} pages, downloads and uploads as without it`, async () => {
      await page.goto(`${scheme}://127.0.0.1:${site().port}/`);
      expect(await page.title()).toBe('site');
      const lengths = await page.evaluate(async () => {
        const download = await (await fetch('/download')).arrayBuffer();
        const upload = await (await fetch('/upload', { method: 'POST', body: new Uint8Array(2_000_000) })).text();
        return [download.byteLength, upload];
      });
      expect(lengths).toEqual([DOWNLOAD.length, '2000000']);
    });

    it(`carries text, binary, Blob, subprotocol and compression over ${scheme === 'http' ? 'ws' : 'wss'}`, async () => {
      const result = await talk(socketUrl('/echo'), { code: 1000, reason: 'done' });
      expect(result).toEqual({
        echoes: SAID,
        protocol: 'chat.v2',
        extensions: 'permessage-deflate',
        close: { code: 1000, reason: 'done', clean: true },
      });
      expect(site().received.map(({ isBinary }) => isBinary)).toEqual([false, true, true]);
      expect(site().received[0]?.data.toString()).toBe('Zażółć gęślą jaźń');
    });

    it(`captures what passed over ${scheme === 'http' ? 'ws' : 'wss'}, frame by frame and message by message`, async () => {
      const { id } = await rig.waitForSession((s) => s.url === socketUrl('/echo') && s.state === 'closed');
      const session = await rig.session(id);
      expect(session.mode).toBe('connect');
      expect(session.subprotocol).toBe('chat.v2');
      expect(session.close).toMatchObject({ by: 'client', code: 1000, reason: 'done', clean: true });
      expect(session.violations).toEqual([]);
      expect(session.proof.server.matches && session.proof.client.matches).toBe(true);
      expect(session.clientTls === null).toBe(scheme === 'http');
      const frames = await rig.frames(id);
      const types = frames.map((frame) => `${frame.direction === 'client-to-server' ? '>' : '<'}${frame.opcode}`);
      expect(types).toEqual(['>1', '<1', '>2', '<2', '>2', '<2', '>8', '<8']);
      expect(frames.every((frame) => frame.masked === (frame.direction === 'client-to-server'))).toBe(true);
      expect(frames[0]?.preview?.data).toBe('Zażółć gęślą jaźń');
    });
  }

  it.each([1000, 3000, 4999])('carries close code %i and its reason', async (code) => {
    await page.goto(`http://127.0.0.1:${plain.port}/`);
    const result = await talk(`ws://127.0.0.1:${plain.port}/close`, { code, reason: 'because' });
    expect(result).toMatchObject({ close: { code, reason: 'because', clean: true } });
    await expect.poll(() => plain.closes.at(-1)).toEqual({ code, reason: 'because' });
  });

  it('shows a handshake that the server refuses, with its status', async () => {
    const url = `ws://127.0.0.1:${plain.port}/forbidden`;
    await expect(talk(url)).rejects.toThrow('the WebSocket failed');
    const session = await rig.waitForSession((s) => s.url === url && s.state === 'failed');
    expect(session).toMatchObject({ status: 401, fault: { by: 'server', code: 'upstream-refused-handshake' } });
  });

  it('reads about the CA at http://frametap.test/', async () => {
    await page.goto('http://frametap.test/');
    expect(await page.textContent('body')).toContain('CA');
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: /\.pem/ }).first().click(),
    ]);
    const pem = await readFile(await download.path(), 'utf8');
    expect(pem).toBe(await readFile(rig.app.ca.certificate, 'utf8'));
  });
});

describe('the dashboard', () => {
  it('shows the sessions and the frames of the one that is chosen, and exports what docs/capture.schema.json describes', async () => {
    const viewer = await openChromium({});
    try {
      const dashboard = await viewer.context.newPage();
      const errors: string[] = [];
      dashboard.on('pageerror', (error) => errors.push(error.message));
      dashboard.on('console', (message) => void (message.type() === 'error' && errors.push(message.text())));
      await dashboard.goto(`${rig.app.dashboard.url}?token=${rig.app.dashboard.token}`);
      await dashboard.getByText(`127.0.0.1:${secure.port}`, { exact: false }).first().click();
      await dashboard.getByText('Zażółć gęślą jaźń').first().waitFor();
      expect(errors).toEqual([]);

      const capture = readCapture(await (await rig.fetch('/api/export?format=json')).text());
      const session = capture.sessions.find(({ url }) => url === `wss://127.0.0.1:${secure.port}/echo`);
      expect(session?.messages.map(({ payload }) => payload?.data)).toContain('Zażółć gęślą jaźń');
    } finally {
      await viewer.close();
    }
  });

  it('is not reached through the proxy', async () => {
    const response = await page.goto(rig.app.dashboard.url);
    expect(response?.status()).toBe(403);
    expect(await page.textContent('body')).toContain('Frametap itself');
  });
});
