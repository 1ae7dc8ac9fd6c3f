// @ts-check
// Builds and runs the load generator (load.c).
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { start } from './children.js';
import { findProgram, LOAD_CORE, pinned } from './machine.js';

/**
 * @typedef {object} Load
 * @property {boolean} tls
 * @property {(mode: string, options: Record<string, string | number>) => import('./children.js').Child} begin
 * @property {(mode: string, options: Record<string, string | number>) => Promise<Record<string, any>>} run
 */

/** @returns {Load} */
export function buildLoad() {
  const compiler = ['cc', 'gcc', 'clang'].map(findProgram).find((path) => path !== null);
  if (compiler === undefined || compiler === null)
    throw new Error('The load generator is in C: a compiler (cc) is needed.');
  const folder = mkdtempSync(join(tmpdir(), 'frametap-bench-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const program = join(folder, 'load');
  const common = ['-O3', '-march=native', '-o', program, join(import.meta.dirname, 'load.c')];
  let tls = true;
  try {
    execFileSync(compiler, [...common, '-lssl', '-lcrypto'], { stdio: 'pipe' });
  } catch {
    // Without the headers of OpenSSL: everything but TLS.
    tls = false;
    execFileSync(compiler, ['-DNO_TLS', ...common], { stdio: 'pipe' });
  }
  /** @type {Load['begin']} */
  const begin = (mode, options) => {
    const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
    return start(pinned(LOAD_CORE, [program, mode, ...flags]));
  };
  return {
    tls,
    begin,
    /** Runs to its end. A failure is a report too: `event` is `failed` then. */
    async run(mode, options) {
      const child = begin(mode, options);
      try {
        return await child.nextReport();
      } finally {
        await child.stop();
      }
    },
  };
}
