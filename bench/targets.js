// @ts-check
// The proxies under test, each a process of its own on the proxy's core.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { start } from './children.js';
import { findProgram, LOAD_CORE, pinned, PROXY_CORE } from './machine.js';

/**
 * @typedef {object} Target
 * @property {string} name
 * @property {number} pid
 * @property {number} port
 * @property {boolean} tunnel the generator asks with CONNECT
 * @property {() => Promise<void>} stop
 */
/**
 * @typedef {Target & { url: string, token: string, status: () => Promise<Record<string, any>>,
 *   api: (method: string, path: string) => Promise<Response>,
 *   attach: (manner?: 'stalled') => Promise<import('./children.js').Child> }} FrametapTarget
 */

export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  server.close();
  await once(server, 'close');
  return port;
}

const START_LIMIT_MS = 60_000;
/** @type {string[]} */
const folders = [];
process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function temporaryFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'frametap-bench-'));
  folders.push(folder);
  return folder;
}

/** @param {number} originPort @returns {Promise<Target>} */
export async function startPipe(originPort) {
  const port = await freePort();
  const script = join(import.meta.dirname, 'pipe.js');
  const child = start(pinned(PROXY_CORE, [process.execPath, script, String(port), String(originPort)]));
  await child.nextReport(START_LIMIT_MS);
  return { name: 'pipe', pid: child.pid, port, tunnel: false, stop: child.stop };
}

/** @param {number} originPort @returns {Promise<Target | null>} null where it is not installed */
export async function startHaproxy(originPort) {
  const program = findProgram('haproxy');
  if (program === null) return null;
  const port = await freePort();
  const file = join(temporaryFolder(), 'haproxy.cfg');
  writeFileSync(
    file,
    `global
  nbthread 1
  maxconn 4000
defaults
  mode tcp
  timeout connect 5s
  timeout client 1h
  timeout server 1h
frontend load
  bind 127.0.0.1:${port}
  default_backend origin
backend origin
  server origin 127.0.0.1:${originPort}
`,
  );
  const child = start(pinned(PROXY_CORE, [program, '-db', '-f', file]));
  await wait(500);
  return { name: 'haproxy', pid: child.pid, port, tunnel: false, stop: child.stop };
}

/**
 * @param {{ cli: string, reverse?: number, flags?: readonly string[], name?: string, nodeFlags?: readonly string[] }} options
 * `reverse`: the origin's port; without, it is a forward proxy that is asked with CONNECT
 * @returns {Promise<FrametapTarget>}
 */
export async function startFrametap({ cli, reverse, flags = [], name = 'frametap', nodeFlags = [] }) {
  const home = temporaryFolder();
  const child = start(
    pinned(PROXY_CORE, [
      ...[process.execPath, ...nodeFlags, cli, '--json', '--port', '0', '--ui-port', '0', '--insecure'],
      ...['--certs', join(home, 'certs'), '--log-level', 'error'],
      ...(reverse === undefined ? [] : ['--reverse', `ws://127.0.0.1:${reverse}`]),
      ...flags,
    ]),
    { env: { ...process.env, HOME: home } },
  );
  const { proxy, dashboard } = await child.nextReport(START_LIMIT_MS);
  const url = String(dashboard.url).replace(/\/$/, '');
  const token = String(dashboard.token);
  /** @param {string} method @param {string} path */
  const api = (method, path) => globalThis.fetch(url + path, { method, headers: { authorization: `Bearer ${token}` } });
  return {
    ...{
      name,
      pid: child.pid,
      port: Number(proxy.port),
      tunnel: reverse === undefined,
      stop: child.stop,
      url,
      token,
      api,
    },
    status: async () => /** @type {Record<string, any>} */ (await (await api('GET', '/api/status')).json()),
    async attach(manner) {
      const script = join(import.meta.dirname, 'dashboard.js');
      const live = `${url.replace('http', 'ws')}/api/live`;
      const reader = start(
        pinned(LOAD_CORE, [
          process.execPath,
          script,
          dirname(resolve(cli)),
          live,
          token,
          ...(manner === undefined ? [] : [manner]),
        ]),
      );
      await reader.nextReport(START_LIMIT_MS);
      return reader;
    },
  };
}

/** Other people's proxies: installed in bench/peers, by `npm ci` there. @param {number} originPort */
export async function startPeers(originPort) {
  /** @type {Target[]} */
  const peers = [];
  for (const name of ['ws-relay', 'mockttp', 'http-mitm-proxy']) {
    const port = await freePort();
    const cwd = join(import.meta.dirname, 'peers');
    const child = start(pinned(PROXY_CORE, [process.execPath, `${name}.js`, String(port), String(originPort)]), {
      cwd,
    });
    try {
      await child.nextReport(START_LIMIT_MS);
      peers.push({ name, pid: child.pid, port, tunnel: name === 'http-mitm-proxy', stop: child.stop });
    } catch (error) {
      console.error(`${name} is left out: ${String(error)}`);
    }
  }
  return peers;
}
