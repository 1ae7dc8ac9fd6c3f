import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AppRig, startTestApp } from '../helpers/app-rig.ts';

const run = promisify(execFile);
const PRELOAD = join(import.meta.dirname, '..', 'helpers', 'through-proxy.cjs');
const SUITE = join(dirname(createRequire(import.meta.url).resolve('@fastify/websocket')), 'test');

/**
 * Left out: tests of plain HTTP alone, one whose handshake has no Host (RFC 9112 §3.2: 400), and one that fails where
 * the second of two clients is sooner to hear of the end than the first.
 */
const NOT_FOR_A_PROXY = [
  'Should gracefully close when clients attempt to connect after calling close',
  'Should not hijack reply for a normal http request in the internal onError hook',
  'Should not hijack reply for an normal request to a websocket route that is sent a normal HTTP response in a hook',
  'Should invoke the correct handler depending on the headers',
  'should call default non websocket fastify route when no match is found',
];

let app: AppRig;
beforeAll(async () => {
  app = await startTestApp({});
});
afterAll(() => app.stop());

/** The names of a file's tests, but for those. */
async function testsOf(file: string): Promise<string[]> {
  const names = (await readFile(file, 'utf8')).matchAll(/^test\((['"])(.+?)\1,/gm);
  return Array.from(names, (match) => match[2] ?? '').filter((name) => !NOT_FOR_A_PROXY.includes(name));
}
const quoted = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');

/** Node's runner ends with `# pass 23`. */
const count = (output: string, what: string): number => Number(new RegExp(`^# ${what} (\\d+)$`, 'm').exec(output)?.[1]);

describe('the suite of @fastify/websocket, as it is, with every connection through the proxy', () => {
  it.each([
    ['base', 22, 15],
    ['hooks', 10, 7],
    ['inject', 6, 0],
    ['router', 23, 15],
    // One of them holds how many messages are under way against how many were a second before: a busy machine may have
    // one more, so a suite that fails is run once more.
  ])('passes: %s', { retry: 1 }, async (name, tests, leastSessions) => {
    const file = join(SUITE, `${name}.test.js`);
    const names = await testsOf(file);
    expect(names).toHaveLength(tests);
    const before = (await app.sessions()).length;
    const { stdout } = await run(
      process.execPath,
      [
        ...['--require', PRELOAD, '--test-reporter=tap'],
        `--test-name-pattern=/^(?:${names.map(quoted).join('|')})$/`,
        file,
      ],
      { env: { ...process.env, FRAMETAP_TEST_PROXY: String(app.app.proxy.port) }, timeout: 25_000 },
    ).catch((error: unknown) => error as { stdout: string });
    const skipped = stdout.match(/^ok .* # SKIP/gm)?.length ?? 0;
    expect([count(stdout, 'fail'), count(stdout, 'cancelled')], stdout).toEqual([0, 0]);
    expect(count(stdout, 'tests') - skipped, stdout).toBe(tests);
    const sessions = (await app.sessions()).slice(before);
    expect(sessions.length).toBeGreaterThanOrEqual(leastSessions);
    expect(sessions.every(({ mode }) => mode === 'connect')).toBe(true);
  });
});
