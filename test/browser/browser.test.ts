import { once } from 'node:events';
import { chmod, copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningApp } from '../../src/app.ts';
import { browserFlags, findBrowser, startBrowser } from '../../src/browser.ts';
import { openAuthority, type Authority } from '../../src/tls/authority.ts';
import { chromiumPath } from '../helpers/chromium.ts';

let home: string;
let authority: Authority;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'frametap-browser-test-'));
  authority = await openAuthority({ directory: join(home, 'certs') });
});
afterAll(() => rm(home, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }));

const PAGE = '<!doctype html><link rel="icon" href="data:,"><title>t</title>';

/** A server that remembers the targets it was asked for, and lets one wait for them. */
async function listen(body = (): string => ''): Promise<{
  server: Server;
  port: number;
  targets: string[];
  asked(part: string): Promise<void>;
}> {
  const targets: string[] = [];
  const waiting = new Set<() => void>();
  const server = createServer((request: IncomingMessage, response) => {
    targets.push(request.url ?? '');
    response.writeHead(200, { 'content-type': 'text/html' }).end(PAGE + body());
    for (const check of waiting) check();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const asked = (part: string): Promise<void> =>
    new Promise((resolve) => {
      const check = (): void => {
        if (!targets.some((target) => target.includes(part))) return;
        waiting.delete(check);
        resolve();
      };
      waiting.add(check);
      check();
    });
  return { server, port: (server.address() as AddressInfo).port, targets, asked };
}

/** A proxy of the plainest kind: answers what comes in absolute form, and opens tunnels with our leaves. */
function terminateTunnels(proxy: Server): void {
  proxy.on('connect', (request: IncomingMessage, socket: Socket) => {
    socket.on('error', () => socket.destroy());
    const host = (request.url ?? '').replace(/:\d+$/, '');
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    const secure = new TLSSocket(socket, {
      isServer: true,
      secureContext: authority.secureContextFor(host),
      ALPNProtocols: ['http/1.1'],
    });
    secure.on('error', () => secure.destroy());
    proxy.emit('connection', secure);
  });
}

function appOf(proxyPort: number, dashboardPort: number): RunningApp {
  const host = '127.0.0.1';
  const url = `http://${host}:${dashboardPort}`;
  return {
    proxy: { host, port: proxyPort, url: `http://${host}:${proxyPort}` },
    dashboard: { host, port: dashboardPort, url, token: 'secret', openUrl: `${url}/?token=secret` },
    ca: {
      certificate: authority.certificatePath,
      sha256: authority.sha256,
      leafSpkiSha256: authority.leafSpkiSha256,
    },
    stop: () => Promise.resolve(),
  };
}

async function script(text: string): Promise<string> {
  const path = join(home, `browser-${Math.random().toString(36).slice(2)}.sh`);
  await writeFile(path, `#!/bin/sh\n${text}\n`);
  await chmod(path, 0o755);
  return path;
}

describe('a browser that is started', () => {
  it('reaches loopback and https pages through the proxy, trusts our leaves, and the dashboard directly', async () => {
    const dashboard = await listen();
    const page = await listen();
    const proxy = await listen(() =>
      [
        `http://localhost:${page.port}/named`,
        'https://secure.example/tls',
        `http://127.0.0.1:${dashboard.port}/?token=here`,
        `http://localhost:${dashboard.port}/?token=localhost`,
      ]
        .map((source) => `<img src="${source}">`)
        .join(''),
    );
    terminateTunnels(proxy.server);
    const profilesBefore = await profiles();
    const browser = await startBrowser({
      app: appOf(proxy.port, dashboard.port),
      urls: [`http://127.0.0.1:${page.port}/plain`],
      browserArguments: ['--headless=new', '--disable-gpu'],
      env: { ...process.env, CI: '1', CHROME_PATH: await chromiumPath() },
    });
    try {
      await Promise.all([
        dashboard.asked('/?token=here'),
        dashboard.asked('/?token=localhost'),
        proxy.asked(`http://127.0.0.1:${page.port}/plain`),
        proxy.asked(`http://localhost:${page.port}/named`),
        proxy.asked('/tls'),
      ]);
      expect(page.targets).toEqual([]);
      expect(proxy.targets.filter((target) => target.includes('token='))).toEqual([]);
    } finally {
      await browser.close();
      for (const { server } of [dashboard, page, proxy]) {
        server.closeAllConnections();
        server.close();
      }
    }
    await browser.closed;
    expect(await profiles()).toEqual(profilesBefore);
  });

  it('tells when the user has closed it', async () => {
    const CHROME_PATH = await script('exit 0');
    const browser = await startBrowser({ app: appOf(1, 2), urls: [], browserArguments: [], env: { CHROME_PATH } });
    await expect(browser.closed).resolves.toBeUndefined();
  });

  it('tells why it did not start', async () => {
    const CHROME_PATH = await script('echo "Missing X server or $DISPLAY" >&2; exit 1');
    const browser = await startBrowser({ app: appOf(1, 2), urls: [], browserArguments: [], env: { CHROME_PATH } });
    await expect(browser.closed).rejects.toMatchObject({
      code: 'browser-failed',
      message: expect.stringContaining('Missing X server') as string,
    });
  });

  it('is given its own arguments before the pages', async () => {
    const seen = join(home, 'arguments');
    const CHROME_PATH = await script(`printf '%s\\n' "$@" > ${seen}.part && mv ${seen}.part ${seen}`);
    const browser = await startBrowser({
      app: appOf(1, 2),
      urls: ['https://example.com/'],
      browserArguments: ['--lang=de'],
      env: { CHROME_PATH },
    });
    await browser.closed;
    expect((await readFile(seen, 'utf8')).trim().split('\n').slice(-3)).toEqual([
      '--lang=de',
      'http://127.0.0.1:2/?token=secret',
      'https://example.com/',
    ]);
  });
});

describe('the sandbox', () => {
  it('is off for root and in CI only', () => {
    const isRoot = process.getuid?.() === 0;
    expect(browserFlags(appOf(1, 2), '/p', { CI: 'true' })).toContain('--no-sandbox');
    expect(browserFlags(appOf(1, 2), '/p', {}).includes('--no-sandbox')).toBe(isRoot);
  });
});

describe('the browser', () => {
  it('is the one of CHROME_PATH before all others', async () => {
    const CHROME_PATH = await script('exit 0');
    expect(await findBrowser({ CHROME_PATH, PATH: process.env['PATH'] })).toBe(CHROME_PATH);
  });

  it('is not another where CHROME_PATH leads nowhere', async () => {
    await expect(findBrowser({ CHROME_PATH: join(home, 'none'), PATH: process.env['PATH'] })).rejects.toMatchObject({
      code: 'browser-not-found',
      exitCode: 69,
    });
  });

  it('is found by its names on the PATH', async () => {
    const path = await script('exit 0');
    await copyFile(path, join(home, 'microsoft-edge'));
    expect(await findBrowser({ PATH: `relative:${home}` }, 'linux')).toBe(join(home, 'microsoft-edge'));
  });
});

async function profiles(): Promise<string[]> {
  return (await readdir(tmpdir())).filter((name) => /^frametap-browser-[^t]/.test(name)).sort();
}
