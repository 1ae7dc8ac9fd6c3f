import { spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, isAbsolute, join } from 'node:path';
import type { RunningApp } from './app.ts';
import { FrametapError } from './errors.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** A browser with a profile of its own that uses the proxy and trusts the CA. */
export interface RunningBrowser {
  readonly executable: string;
  /**
   * Resolves when the browser has ended and its profile is removed.
   * Rejects with `browser-failed` where it ended by itself with an exit code other than 0.
   */
  readonly closed: Promise<void>;
  close(): Promise<void>;
}

/**
 * Starts Chromium, Chrome or Edge on the dashboard and on `urls`.
 * @throws {FrametapError} `browser-not-found`
 */
export async function startBrowser(options: {
  readonly app: RunningApp;
  readonly urls: readonly string[];
  /** More of the browser's own arguments. */
  readonly browserArguments: readonly string[];
  readonly env: Environment;
}): Promise<RunningBrowser> {
  const { app, urls, browserArguments, env } = options;
  const executable = await findBrowser(env);
  const profile = await mkdtemp(join(tmpdir(), 'frametap-browser-'));
  const flags = [...browserFlags(app, profile, env), ...browserArguments];
  const pages = [app.dashboard.openUrl, ...urls];
  // A headless Chromium takes one page and ends where there are more.
  const headless = browserArguments.some((argument) => argument.startsWith('--headless'));
  const opened = headless ? pages.slice(-1) : pages;
  const child = spawn(executable, [...flags, ...opened], { stdio: ['ignore', 'ignore', 'pipe'] });

  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(0, MAX_SAID)));
  let closing = false;
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', (cause) => {
      const why = `${executable} cannot be started: ${cause.message}`;
      reject(new FrametapError('browser-failed', why, { cause }));
    });
    child.once('close', (code) => {
      if (closing || code === 0) resolve();
      else reject(new FrametapError('browser-failed', `${executable} ended with exit code ${code}: ${causeIn(said)}`));
    });
  });
  // Its helper processes write for a moment longer.
  const closed = ended.finally(() => rm(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }));
  // Who started it hears of it through `closed`; nobody may be waiting there yet.
  closed.catch(() => undefined);
  return {
    executable,
    closed,
    async close() {
      closing = true;
      child.kill();
      const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
      await closed.catch(() => undefined);
      clearTimeout(timer);
    },
  };
}

/**
 * Loopback goes through the proxy as well (`<-loopback>`), but for the dashboard, which the proxy refuses to carry.
 * The hash makes our leaves trusted in this profile alone.
 */
export function browserFlags(app: RunningApp, profile: string, env: Environment): string[] {
  const dashboard = new URL(app.dashboard.url);
  const direct = [...new Set([dashboard.host, `localhost:${dashboard.port}`, `127.0.0.1:${dashboard.port}`])];
  const isRoot = process.getuid?.() === 0;
  const inCi = env['CI'] !== undefined && env['CI'] !== '';
  return [
    `--user-data-dir=${profile}`,
    `--proxy-server=${app.proxy.url}`,
    `--proxy-bypass-list=${['<-loopback>', ...direct].join(';')}`,
    `--ignore-certificate-errors-spki-list=${app.ca.leafSpkiSha256}`,
    '--no-first-run',
    '--no-default-browser-check',
    '--disable-background-networking',
    '--disable-component-update',
    // What the browser would say by itself to its maker would only stand between the sessions that matter.
    '--disable-sync',
    '--disable-default-apps',
    '--disable-domain-reliability',
    '--disable-client-side-phishing-detection',
    '--disable-component-extensions-with-background-pages',
    '--no-pings',
    '--metrics-recording-only',
    '--check-for-update-interval=31536000',
    '--allow-browser-signin=false',
    '--disable-features=OptimizationHints,OptimizationGuideModelDownloading,MediaRouter,Translate,NetworkTimeServiceQuerying',
    // Chromium's sandbox does not work for root, nor in most CI containers.
    ...(isRoot || inCi ? ['--no-sandbox'] : []),
  ];
}

/**
 * `CHROME_PATH`, then the names on the PATH, then the usual places of this system.
 * @throws {FrametapError} `browser-not-found`
 */
export async function findBrowser(env: Environment, platform: NodeJS.Platform = process.platform): Promise<string> {
  const chosen = env['CHROME_PATH'];
  if (chosen !== undefined && chosen !== '') {
    if (await isExecutable(chosen)) return chosen;
    throw new FrametapError('browser-not-found', `CHROME_PATH leads to nothing that can be run: ${chosen}.`);
  }
  for (const path of candidates(env, platform)) {
    if (await isExecutable(path)) return path;
  }
  throw new FrametapError('browser-not-found');
}

const NAMES = [
  'google-chrome-stable',
  'google-chrome',
  'chromium',
  'chromium-browser',
  'microsoft-edge-stable',
  'microsoft-edge',
];
const MAC_APPS = ['Google Chrome', 'Chromium', 'Microsoft Edge'];
const WINDOWS_PLACES = ['Google\\Chrome\\Application\\chrome.exe', 'Microsoft\\Edge\\Application\\msedge.exe'];
const LINUX_PLACES = ['/opt/google/chrome/chrome', '/snap/bin/chromium', '/usr/lib/chromium/chromium'];

function candidates(env: Environment, platform: NodeJS.Platform): string[] {
  if (platform === 'win32') {
    const roots = [env['PROGRAMFILES'], env['PROGRAMFILES(X86)'], env['LOCALAPPDATA']];
    return WINDOWS_PLACES.flatMap((place) => roots.flatMap((root) => (root === undefined ? [] : `${root}\\${place}`)));
  }
  const folders = (env['PATH'] ?? '').split(delimiter).filter((folder) => isAbsolute(folder));
  const onPath = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
  if (platform !== 'darwin') return [...onPath, ...LINUX_PLACES];
  const home = env['HOME'] ?? '';
  const apps = MAC_APPS.flatMap((app) =>
    ['/Applications', `${home}/Applications`].map((folder) => `${folder}/${app}.app/Contents/MacOS/${app}`),
  );
  return [...apps, ...onPath];
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Of what a browser says on stderr, in characters. */
const MAX_SAID = 8000;

/** Chromium's first error is the cause; what follows comes of it. */
function causeIn(text: string): string {
  const lines = text.trim().split('\n');
  return lines.find((line) => /:(?:ERROR|FATAL):/.test(line)) ?? lines.at(-1) ?? '';
}
