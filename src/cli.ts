#!/usr/bin/env node
import { readFile } from 'node:fs/promises';
import type { Logger } from 'pino';
import type { RunningApp } from './app.ts';
import { startBrowser } from './browser.ts';
import { runCommandLine, type Commands, type Flags } from './command-line.ts';
import { loadConfig, type Config } from './config.ts';
import { FrametapError } from './errors.ts';
import { downloadExport } from './export-download.ts';
import { keepHeapSmall, keepTicksFast } from './heap.ts';
import { createLogger } from './log.ts';
import { writeRunFile } from './run-file.ts';
import { reportError, untilSignal } from './shutdown.ts';
import { nextSteps, portNotes, startupJson, startupText } from './startup-text.ts';
import { openAuthority } from './tls/authority.ts';
import { trustInstructions, trustText } from './tls/trust-instructions.ts';
import { VERSION } from './version.ts';

void keepTicksFast();

const { argv, env, stdout, stderr } = process;
/** How this was called: the texts repeat it. */
const runByNpm = env['npm_lifecycle_event'] !== undefined;
const ownName = runByNpm ? 'npm start --' : 'frametap';

/** Something that runs beside the app, and is stopped before it. */
interface Companion {
  readonly next: readonly string[];
  /** Resolves when it ends by itself: that ends the program. */
  readonly ended: Promise<void> | null;
  stop(): Promise<void>;
}

const commands: Commands = {
  async run(flags) {
    const config = await loadConfig({ flags, env });
    await serve(config, (app) =>
      Promise.resolve({ next: nextSteps(app, config, ownCommand(config)), ended: null, stop: () => Promise.resolve() }),
    );
  },

  async browser(flags, url, browserArguments) {
    const config = await loadForwardConfig(flags, 'browser');
    await serve(config, async (app) => {
      const browser = await startBrowser({ app, urls: url === undefined ? [] : [url], browserArguments, env });
      const next = ['A browser starts that uses the proxy and trusts the CA. Closing it ends Frametap.'];
      return { next, ended: browser.closed, stop: () => browser.close() };
    });
  },

  async demo(flags, { browser: withBrowser }) {
    const config = await loadForwardConfig(flags, 'demo');
    const { startDemo } = await import('./demo/demo-site.ts');
    const { startDemoTraffic } = await import('./demo/demo-client.ts');
    const demo = await startDemo();
    try {
      const upstreamCaPem = (config.upstreamCaPem ?? '') + demo.certificatePem;
      await serve(Object.freeze({ ...config, upstreamCaPem }), async (app) => {
        const caPem = await readFile(app.ca.certificate, 'utf8');
        const traffic = startDemoTraffic({ demo, proxy: app.proxy, credentials: config.proxyAuth, caPem });
        const urls = [demo.httpUrl, demo.httpsUrl];
        const browser = withBrowser ? await startBrowser({ app, urls, browserArguments: [], env }) : null;
        const next = [
          `Demo site: ${demo.httpUrl} and ${demo.httpsUrl} (through the proxy).`,
          'Its traffic fills the dashboard by itself: open the address above.',
        ];
        const stop = async (): Promise<void> => {
          await Promise.all([traffic.stop(), browser?.close()]);
        };
        return { next, ended: browser?.closed ?? null, stop };
      });
    } finally {
      await demo.close();
    }
  },

  async ca(flags) {
    const config = await loadConfig({ flags, env });
    const { certificatePath, sha256, created } = await openAuthority({ directory: config.certs });
    if (created) stderr.write(`There was no CA in ${config.certs}: this one is new. --certs names another folder.\n`);
    if (config.json) {
      stdout.write(`${JSON.stringify({ certificate: certificatePath, sha256 })}\n`);
      return;
    }
    const proxyUrl = `http://127.0.0.1:${config.port}`;
    const instructions = trustInstructions({ certificate: certificatePath, proxyUrl });
    stdout.write(`CA       ${certificatePath}\nSHA-256  ${sha256}\n\n${trustText(instructions)}\n`);
  },

  async export({ output = null, secrets, ...options }) {
    const ending = untilSignal();
    const abort = new AbortController();
    void ending.signalled.then(() => abort.abort());
    try {
      await downloadExport({
        ...options,
        output,
        withSecrets: secrets === true,
        stdout,
        signal: abort.signal,
        onChosen: (pid, of) =>
          stderr.write(
            `${of} instances of Frametap run: this is the capture of process ${pid}, the newest. --pid names another.\n`,
          ),
      });
    } finally {
      ending.release();
    }
  },
};

/** How to call this again for the same CA. */
function ownCommand(config: Config): string {
  return runByNpm || !config.given.has('certs') ? ownName : `${ownName} --certs ${config.certs}`;
}

async function loadForwardConfig(flags: Flags, command: string): Promise<Config> {
  const config = await loadConfig({ flags, env });
  if (config.reverse !== null)
    throw new FrametapError('config-invalid', `${command} and --reverse exclude each other.`);
  return config;
}

/** Runs the app and its companion until a signal, or until the companion ends. */
async function serve(config: Config, begin: (app: RunningApp) => Promise<Companion>): Promise<void> {
  const logger = createLogger({ level: config.logLevel, stderr });
  const ending = untilSignal(undefined, { endsWithParent: runByNpm });
  try {
    keepHeapSmall(config.memoryBytes);
    // Here and not above: most of the time that --help or a wrong option took would be spent on loading it.
    const { startApp } = await import('./app.ts');
    const starting = startApp(config, {
      logger,
      command: ownName,
      // Scripts that read one line of JSON have the token.
      onNewOpenUrl: (url) => void (config.json || stdout.write(`  Dashboard  ${url} (for another browser)\n`)),
    });
    const app = await Promise.race([starting, ending.signalled.then(() => null)]);
    if (app === null) {
      // Whatever it still waits for, a folder on a dead disk perhaps, is not waited for.
      starting.then((late) => late.stop()).catch(() => undefined);
      return;
    }
    try {
      await serveWith(app, await begin(app), { config, logger, signalled: ending.signalled });
    } finally {
      await app.stop();
    }
  } finally {
    ending.release();
    // Everything is closed; what may still hold the process must not hold the user.
    setTimeout(() => process.exit(), 1000).unref();
  }
}

async function serveWith(
  app: RunningApp,
  companion: Companion,
  { config, logger, signalled }: { config: Config; logger: Logger; signalled: Promise<void> },
): Promise<void> {
  const { url, token } = app.dashboard;
  const content = {
    pid: process.pid,
    startedAt: new Date().toISOString(),
    version: VERSION,
    dashboard: { url, token },
  };
  const runFile = await writeRunFile(content).catch((err: unknown) => {
    logger.warn({ err }, `"${ownName} export" will not find this instance`);
    return null;
  });
  try {
    stdout.write(
      config.json
        ? `${startupJson(app, process.pid)}\n`
        : startupText(app, [...portNotes(app, config), ...companion.next]),
    );
    await Promise.race([signalled, ...(companion.ended === null ? [] : [companion.ended])]);
    logger.info('stopping');
  } finally {
    await companion.stop();
    await runFile?.remove();
  }
}

function endOnFault(error: unknown): void {
  reportError(error, stderr);
  process.exit(70);
}
process.on('uncaughtException', endOnFault);
process.on('unhandledRejection', endOnFault);
// A reader of our output that went away (`| head`) is no fault.
stdout.on('error', () => undefined);

try {
  await runCommandLine(argv.slice(2), commands, { stdout, stderr });
  process.exitCode = 0;
} catch (error) {
  process.exitCode = reportError(error, stderr);
}
