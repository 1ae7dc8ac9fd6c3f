// @ts-check
// Child processes: each is started here, and none outlives the harness.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { clearTimeout, setTimeout } from 'node:timers';

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();

/** Nothing waits for a child for ever. */
const REPORT_LIMIT_MS = 30 * 60_000;

/**
 * @typedef {object} Child
 * @property {number} pid
 * @property {(limitMs?: number) => Promise<Record<string, any>>} nextReport the next JSON line of its standard output
 * @property {(text: string) => void} tell writes to its standard input
 * @property {() => Promise<void>} stop
 * @property {Promise<void>} ended
 */

/**
 * @param {readonly string[]} command
 * @param {{ env?: NodeJS.ProcessEnv, cwd?: string }} [options]
 * @returns {Child}
 */
export function start([program = '', ...args], options = {}) {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], ...options });
  running.add(child);
  /** @type {Record<string, any>[]} */
  const reports = [];
  /** @type {((value: unknown) => void) | null} */
  let wake = null;
  let over = false;
  let faults = '';
  child.stdin.on('error', () => undefined);
  child.stderr.setEncoding('utf8').on('data', (text) => (faults = (faults + text).slice(-2000)));
  child.on('error', (error) => (faults += error.message));
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (!line.startsWith('{')) return;
    reports.push(JSON.parse(line));
    wake?.(null);
  });
  const ended = once(child, 'close').then(
    () => undefined,
    () => undefined,
  );
  void ended.then(() => {
    running.delete(child);
    over = true;
    wake?.(null);
  });
  return {
    pid: child.pid ?? 0,
    ended,
    async nextReport(limitMs = REPORT_LIMIT_MS) {
      const until = performance.now() + limitMs;
      for (;;) {
        const report = reports.shift();
        if (report !== undefined) return report;
        if (over) throw new Error(`${program} ${args.join(' ')} ended (${child.exitCode}): ${faults}`);
        const leftMs = until - performance.now();
        if (leftMs <= 0) throw new Error(`${program} ${args.join(' ')} has not reported for ${limitMs / 1000} s`);
        const limit = setTimeout(() => wake?.(null), leftMs);
        await new Promise((resolve) => (wake = resolve));
        clearTimeout(limit);
      }
    },
    tell: (text) => child.stdin.write(text),
    async stop() {
      if (over) return;
      child.kill('SIGTERM');
      const limit = setTimeout(() => child.kill('SIGKILL'), 5000);
      await ended;
      clearTimeout(limit);
    },
  };
}

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) process.on(signal, () => process.exit(130));
