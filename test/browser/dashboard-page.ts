import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import axe from 'axe-core';
import type { BrowserContext, Page } from 'playwright-core';
import { WebSocket, WebSocketServer } from 'ws';
import { type AppRig, startTestApp } from '../helpers/app-rig.ts';
import { openChromium } from '../helpers/chromium.ts';

/** Frametap in front of a `ws` server, and its dashboard in a real Chromium. */
export interface DashboardPage {
  readonly rig: AppRig;
  /** What the sessions' URLs lead to, without the proxy. */
  readonly upstream: WebSocketServer;
  readonly context: BrowserContext;
  readonly page: Page;
  /** Errors of the console, of scripts, of the content security policy; requests to any other host. */
  readonly complaints: string[];
  /** Opens a WebSocket through the proxy; resolves with both ends once it is open. */
  connect(
    path: string,
    options?: {
      readonly protocols?: string[];
      readonly headers?: Record<string, string>;
      /** Asks for the path as it stands here, where `ws` would resolve its dot segments. */
      readonly asIs?: boolean;
    },
  ): Promise<Pair>;
  close(): Promise<void>;
}
export interface Pair {
  readonly client: WebSocket;
  readonly server: WebSocket;
}

export async function openDashboard(
  options: { readonly flags?: Readonly<Record<string, unknown>>; readonly deflate?: boolean } = {},
): Promise<DashboardPage> {
  const upstream = new WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    perMessageDeflate: options.deflate === true ? { threshold: 0 } : false,
    maxPayload: 64 * 1024 * 1024,
    verifyClient: ({ req }: { req: IncomingMessage }) => req.url !== '/forbidden',
  });
  await once(upstream, 'listening');
  const upstreamPort = (upstream.address() as AddressInfo).port;
  const rig = await startTestApp({ reverse: `ws://127.0.0.1:${upstreamPort}`, ...options.flags });
  const browser = await openChromium({ viewport: { width: 1280, height: 800 } });
  await browser.context.grantPermissions(['clipboard-read', 'clipboard-write'], {
    origin: new URL(rig.app.dashboard.url).origin,
  });
  const page = await browser.context.newPage();
  const complaints: string[] = [];
  const own = new URL(rig.app.dashboard.url).host;
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => complaints.push(`script: ${error.message}`));
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.protocol !== 'blob:' && url.host !== own) complaints.push(`request to ${request.url()}`);
  });
  await page.goto(rig.app.dashboard.openUrl);
  const clients: WebSocket[] = [];
  return {
    rig,
    upstream,
    context: browser.context,
    page,
    complaints,
    async connect(path, { protocols = [], headers = {}, asIs = false } = {}) {
      const arrived = once(upstream, 'connection') as Promise<[WebSocket]>;
      const client = new WebSocket(rig.app.proxy.url.replace('http', 'ws') + path, protocols, {
        perMessageDeflate: options.deflate === true,
        headers,
        ...(asIs && { finishRequest: (request) => void Object.assign(request, { path }).end() }),
      });
      clients.push(client);
      client.on('error', () => client.terminate());
      await once(client, 'open');
      const [server] = await arrived;
      server.on('error', () => server.terminate());
      return { client, server };
    },
    async close() {
      for (const client of clients) client.terminate();
      await browser.close();
      await rig.stop();
      for (const server of upstream.clients) server.terminate();
      upstream.close();
    },
  };
}

/** What axe finds wrong, as `rule: selector`. */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  // Handed over as a function's source: the page's policy allows no inline script.
  await page.evaluate(`${axe.source}; undefined`);
  const results = await page.evaluate(() =>
    (globalThis as unknown as { axe: typeof axe }).axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] }),
  );
  return results.violations.flatMap((violation) =>
    violation.nodes.map((node) => `${violation.id}: ${node.target.join(' ')} ${node.failureSummary ?? ''}`),
  );
}
