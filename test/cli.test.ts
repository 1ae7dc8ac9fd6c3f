import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { buildServer } from './helpers/built-server.ts';

let built: Awaited<ReturnType<typeof buildServer>>;
let home: string;
const running = new Set<Program>();
beforeAll(async () => {
  built = await buildServer();
});
afterAll(() => built.remove());
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'frametap-cli-'));
});
afterEach(async () => {
  for (const program of running) program.child.kill('SIGKILL');
  running.clear();
  await rm(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
});

interface Program {
  readonly child: ChildProcessWithoutNullStreams;
  readonly output: { stdout: string; stderr: string };
  readonly exit: Promise<number | null>;
  /** Resolves when stdout contains it. */
  said(text: string): Promise<void>;
}

function start(args: readonly string[], env: Record<string, string> = {}): Program {
  const child = spawn(process.execPath, [built.cli, ...args], {
    env: { PATH: process.env['PATH'], HOME: home, USERPROFILE: home, ...env },
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  const exit = once(child, 'close').then(([code]) => code as number | null);
  const said = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const check = (): void => {
        if (output.stdout.includes(text)) resolve();
      };
      child.stdout.on('data', check);
      child.on('close', () => reject(new Error(`ended without saying it: ${output.stdout}${output.stderr}`)));
      check();
    });
  const program = { child, output, exit, said };
  running.add(program);
  return program;
}

const FREE_PORTS = ['--port', '0', '--ui-port', '0'];

interface Started {
  proxy: { host: string; port: number; url: string };
  dashboard: { url: string; token: string; openUrl: string };
  ca: { certificate: string; sha256: string };
  pid: number;
}
async function startJson(
  args: readonly string[] = [],
  env: Record<string, string> = {},
): Promise<Program & { at: Started }> {
  const program = start([...args, ...FREE_PORTS, '--json'], env);
  await program.said('\n');
  return { ...program, at: JSON.parse(program.output.stdout) as Started };
}

async function stop(program: Program, signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
  program.child.kill(signal);
  return program.exit;
}

async function run(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Program['output'] & { code: number | null }> {
  const program = start(args, env);
  const code = await program.exit;
  return { ...program.output, code };
}

describe('the start', () => {
  it('prints one line of JSON that says where everything is, with --json', async () => {
    const program = await startJson();
    const { at } = program;
    expect(Object.keys(at)).toEqual(['proxy', 'dashboard', 'ca', 'pid']);
    expect(Object.keys(at.proxy)).toEqual(['host', 'port', 'url']);
    expect(Object.keys(at.dashboard)).toEqual(['url', 'token', 'openUrl']);
    expect(Object.keys(at.ca)).toEqual(['certificate', 'sha256']);
    expect(program.output.stdout.trim().split('\n')).toHaveLength(1);
    expect(at.pid).toBe(program.child.pid);
    expect(at.proxy.url).toBe(`http://127.0.0.1:${at.proxy.port}`);
    expect(at.dashboard.openUrl).toMatch(/\/\?token=[\w-]{22,}$/);
    expect(at.ca.certificate).toBe(join(home, '.frametap', 'certs', 'ca.pem'));
    expect(at.ca.sha256).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
    const status = await fetch(new URL('/api/status', at.dashboard.url), {
      headers: { authorization: `Bearer ${at.dashboard.token}` },
    });
    expect(status.status).toBe(200);
    expect(await stop(program)).toBe(0);
  });

  it('prints text that a person can go by', async () => {
    const program = start(FREE_PORTS);
    await program.said('Ctrl-C');
    const { stdout } = program.output;
    expect(stdout).toMatch(/Proxy +http:\/\/127\.0\.0\.1:\d+\n/);
    expect(stdout).toMatch(/Dashboard +http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{22}\n/);
    expect(stdout).toContain(join(home, '.frametap', 'certs', 'ca.pem'));
    expect(stdout.match(/\b[0-9A-F]{2}\b/g)?.length).toBeGreaterThanOrEqual(32);
    expect(stdout).toContain('http://frametap.test/');
    expect(stdout.split('\n').every((line) => line.length <= 120)).toBe(true);
    expect(await stop(program, 'SIGINT')).toBe(0);
  });

  it('logs neither token nor password', async () => {
    const program = await startJson(['--log-level', 'trace', '--proxy-auth', 'ada:lovelace-password']);
    await fetch(program.at.dashboard.openUrl);
    await stop(program);
    expect(program.output.stderr).not.toContain(program.at.dashboard.token);
    expect(program.output.stderr).not.toContain('lovelace-password');
    expect(
      program.output.stderr
        .trim()
        .split('\n')
        .filter(Boolean)
        .every((line) => line.startsWith('{')),
    ).toBe(true);
  });

  it('takes the next free port where none was asked for, and ends with 69 where one was', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const port = String((taken.address() as AddressInfo).port);
    for (const args of [
      ['--port', port, '--ui-port', '0'],
      ['--port', '0', '--ui-port', port],
    ]) {
      const { code, stderr, stdout } = await run(args);
      expect(code).toBe(69);
      expect(stderr).toMatch(new RegExp(`^frametap: .*${port}.*\\[port-taken\\]$`, 'm'));
      expect(stdout).toBe('');
    }
    taken.close();
  });
});

describe('exit codes', () => {
  it.each([
    ['an unknown option', ['--prot', '1'], 64, /Unknown option '--prot'.*--port.*\[usage\]/],
    ['an unknown command', ['bowser'], 64, /Unknown command 'bowser'.*\[usage\]/],
    ['too much for a command', ['ca', 'here'], 64, /Too many arguments.*\[usage\]/],
    ['a wrong value', ['--port', 'x'], 64, /^frametap: --port: expected a port number/],
    ['a missing value', ['--reverse'], 64, /\[usage\]/],
    ['an open proxy', ['--host', '0.0.0.0'], 78, /\[open-proxy-refused\]/],
    ['a missing configuration file', ['--config', '/nonexistent.json'], 78, /\[config-invalid\]/],
    ['a folder that cannot be made', ['--certs', '/dev/null/certs'], 73, /\[cannot-create\]/],
    ['a folder where none can be made', ['--certs', '/proc/nope/certs'], 73, /\[cannot-create\]/],
    [
      'a file for a folder',
      ['--certs', process.execPath],
      73,
      /is a file: --certs names a folder\..*\[cannot-create\]/,
    ],
    ['an export of nothing', ['export'], 69, /\[not-running\]/],
    ['a demo in reverse mode', ['demo', '--reverse', 'ws://localhost:1'], 78, /exclude each other/],
  ])('%s', async (_, args, code, message) => {
    const outcome = await run([...args, '--json']);
    // `export` has its own options only.
    expect(outcome.stderr).toMatch(message);
    expect(outcome.code).toBe(code);
    expect(outcome.stdout).toBe('');
  });

  it('a CA that others can read', async () => {
    const certs = join(home, 'ca');
    expect((await run(['ca', '--certs', certs])).code).toBe(0);
    await chmod(join(certs, 'ca.key'), 0o644);
    const { code, stderr } = await run(['--certs', certs, ...FREE_PORTS]);
    expect(code).toBe(77);
    expect(stderr).toContain('chmod 700 the folder and 600 the files');
  });

  it('help and version', async () => {
    const help = await run(['--help']);
    expect(help.code).toBe(0);
    expect(help.stdout).toContain('--upstream-ca <file>');
    expect((await run(['browser', '--help'])).stdout).toContain('--upstream-ca <file>');
    const exportHelp = (await run(['export', '--help'])).stdout;
    expect(exportHelp).toContain('--filter <expression>');
    expect(exportHelp).not.toContain('--reverse');
    const version = await run(['--version']);
    expect([version.code, version.stdout]).toEqual([0, '0.1.0\n']);
  });
});

describe('the run file', () => {
  it('is for its owner alone, and goes with the process', async () => {
    const program = await startJson();
    const folder = join(home, '.frametap', 'run');
    expect(await readdir(folder)).toEqual([`${program.at.pid}.json`]);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect((await stat(join(folder, `${program.at.pid}.json`))).mode & 0o777).toBe(0o600);
    await stop(program);
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('--proto', () => {
  it('loads the files before anything listens', async () => {
    const [shop, money] = ['shop.proto', 'money.proto'].map((name) => join(home, name)) as [string, string];
    await writeFile(shop, 'syntax = "proto3"; import "money.proto"; message Order { Money price = 1; }');
    await writeFile(money, 'syntax = "proto3"; message Money { int64 units = 1; }');
    const program = await startJson(['--proto', shop, '--proto', money]);
    const loaded = await fetch(new URL('/api/protos', program.at.dashboard.url), {
      headers: { authorization: `Bearer ${program.at.dashboard.token}` },
    });
    expect(await loaded.json()).toMatchObject({
      files: [
        { name: money, messages: ['Money'] },
        { name: shop, messages: ['Order'] },
      ],
    });
    expect(await stop(program)).toBe(0);
  });

  it('ends with 78 and says where a file is wrong', async () => {
    const wrong = join(home, 'wrong.proto');
    await writeFile(wrong, 'syntax = "proto3";\nmessage Order {\n  int64 id = one;\n}');
    const { code, stdout, stderr } = await run([...FREE_PORTS, '--proto', wrong]);
    expect(code).toBe(78);
    expect(stdout).toBe('');
    expect(stderr).toBe(
      `frametap: ${wrong}, line 3: expected a number, but found "one". Correct the line that is named. [invalid-proto]\n`,
    );
    const missing = await run([...FREE_PORTS], { FRAMETAP_PROTO: join(home, 'none.proto') });
    expect(missing.code).toBe(78);
    expect(missing.stderr).toMatch(/none\.proto cannot be read/);
  });
});

describe('frametap export', () => {
  it('writes the capture of the newest instance to a file or to standard output', async () => {
    const program = await startJson();
    const file = join(home, 'capture.json');
    expect(await run(['export', '-o', file])).toMatchObject({ code: 0, stdout: '', stderr: '' });
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ format: 'frametap-capture', version: 1 });
    const { code, stdout } = await run(['export', '--pid', String(program.at.pid)]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ format: 'frametap-capture' });
    await stop(program);
  });

  it('says what the instance has against it', async () => {
    const program = await startJson();
    const wrong = await run(['export', '--format', 'papyrus']);
    expect(wrong.code).toBe(64);
    expect(wrong.stderr).toMatch(/^frametap: .*\[usage\]/);
    const nowhere = await run(['export', '-o', join(home, 'missing', 'capture.json')]);
    expect(nowhere.code).toBe(74);
    expect(nowhere.stderr).toContain(`${join(home, 'missing', 'capture.json')} cannot be written: ENOENT`);
    expect(nowhere.stderr).not.toContain('.part');
    await stop(program);
  });
});

describe('frametap ca', () => {
  it('prints path, fingerprint and how to trust it', async () => {
    const { code, stdout } = await run(['ca']);
    expect(code).toBe(0);
    expect(stdout).toContain(join(home, '.frametap', 'certs', 'ca.pem'));
    for (const title of ['macOS', 'Windows', 'Debian', 'Fedora', 'Firefox', 'NODE_EXTRA_CA_CERTS', 'curl', 'Java']) {
      expect(stdout).toContain(title);
    }
    const json = JSON.parse((await run(['ca', '--json'])).stdout) as { sha256: string };
    expect(stdout).toContain(json.sha256);
  });
});

describe('frametap demo', () => {
  it('fills the capture by itself', async () => {
    const program = await startJson(['demo']);
    const { url, token } = program.at.dashboard;
    interface Session {
      url: string;
      status: number | null;
      state: string;
      serverToClient: { frames: number };
    }
    const sessions = async (): Promise<Session[]> => {
      const response = await fetch(new URL('/api/sessions', url), { headers: { authorization: `Bearer ${token}` } });
      return ((await response.json()) as { sessions: Session[] }).sessions;
    };
    await expect
      .poll(async () => (await sessions()).filter((one) => one.serverToClient.frames > 0).length, { timeout: 15_000 })
      .toBeGreaterThanOrEqual(6);
    const all = await sessions();
    expect(all.filter((one) => one.url.startsWith('wss://') && one.state === 'open').length).toBeGreaterThanOrEqual(3);
    expect(all.find((one) => one.url.endsWith('/forbidden'))).toMatchObject({ status: 403, state: 'failed' });
    expect(await stop(program)).toBe(0);
  });
});

describe('frametap browser', () => {
  async function browser(script: string): Promise<string> {
    const folder = join(home, 'bin');
    await mkdir(folder, { recursive: true });
    const path = join(folder, 'browser');
    await writeFile(path, `#!/bin/sh\n${script}\n`);
    await chmod(path, 0o755);
    return path;
  }

  it('ends when the browser is closed', async () => {
    const seen = join(home, 'seen');
    const CHROME_PATH = await browser(`printf '%s\\n' "$@" > ${seen}`);
    const args = ['browser', ...FREE_PORTS, 'https://example.com/', '--', '--lang=de'];
    expect(await run(args, { CHROME_PATH })).toMatchObject({ code: 0 });
    const given = (await readFile(seen, 'utf8')).trim().split('\n');
    expect(given.slice(-3)).toEqual([
      '--lang=de',
      expect.stringContaining('/?token=') as string,
      'https://example.com/',
    ]);
  });

  it('tells that there is none, or that it did not start', async () => {
    const missing = await run(['browser', ...FREE_PORTS], { CHROME_PATH: join(home, 'none') });
    expect(missing.code).toBe(69);
    expect(missing.stderr).toContain('[browser-not-found]');
    const CHROME_PATH = await browser('echo "no display" >&2; exit 3');
    const failed = await run(['browser', ...FREE_PORTS], { CHROME_PATH });
    expect(failed.code).toBe(69);
    expect(failed.stderr).toMatch(/exit code 3: no display.*\[browser-failed\]/);
    const lines = ['started', '[1:1:ERROR:ozone.cc(1)] Missing X server', '[1:2:ERROR:zygote.cc(2)] Broken pipe'];
    const chromium = await browser(`${lines.map((line) => `echo "${line}" >&2`).join('; ')}; exit 1`);
    const told = await run(['browser', ...FREE_PORTS], { CHROME_PATH: chromium });
    expect(told.stderr).toContain('exit code 1: [1:1:ERROR:ozone.cc(1)] Missing X server');
  });
});
