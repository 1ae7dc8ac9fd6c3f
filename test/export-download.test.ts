import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { downloadExport, type ExportRequest } from '../src/export-download.ts';
import { writeRunFile } from '../src/run-file.ts';

let home: string;
let server: Server;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let asked: IncomingMessage[];
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'frametap-export-'));
  asked = [];
  answer = (_, response) => response.end('{"format":"frametap-capture"}');
  server = createServer((request, response) => {
    asked.push(request);
    answer(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const content = { pid: process.pid, startedAt: '2026-01-01T00:00:00.000Z', version: '1.2.3' };
  await writeRunFile({ ...content, dashboard: { url, token: 'secret' } }, join(home, 'run'));
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await rm(home, { recursive: true, force: true });
});

const download = (wanted: Partial<ExportRequest>): Promise<void> =>
  downloadExport({ output: null, stdout: new PassThrough(), runDirectory: join(home, 'run'), ...wanted });
const leftovers = async (): Promise<string[]> => (await readdir(home)).filter((name) => name !== 'run');

describe('an export', () => {
  it('asks with the token for format, session and filter', async () => {
    await download({ format: 'har', session: '7', filter: 'opcode == text && size > 1', withSecrets: true });
    const url = new URL(asked[0]?.url ?? '', 'http://x');
    expect(url.pathname).toBe('/api/export');
    expect(Object.fromEntries(url.searchParams)).toEqual({
      format: 'har',
      session: '7',
      filter: 'opcode == text && size > 1',
      secrets: 'include',
    });
    expect(asked[0]?.headers.authorization).toBe('Bearer secret');
  });

  it('is written to standard output, which stays open', async () => {
    const stdout = new PassThrough();
    const seen = text(stdout);
    await download({ stdout });
    stdout.end('\n');
    expect(await seen).toBe('{"format":"frametap-capture"}\n');
  });

  it('is at its end when its reader has seen enough', async () => {
    answer = (_, response) => response.end('x'.repeat(1_000_000));
    const stdout = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })),
    });
    stdout.on('error', () => undefined);
    await download({ stdout });
  });

  it('replaces a file as a whole, for its owner alone', async () => {
    const output = join(home, 'capture.json');
    await writeFile(output, 'before');
    answer = (_, response) => {
      response.write('{"half":');
      // The old one is there for as long as the new one is not whole.
      void readFile(output, 'utf8').then((now) => response.end(JSON.stringify(now) + '}'));
    };
    await download({ output });
    expect(JSON.parse(await readFile(output, 'utf8'))).toEqual({ half: 'before' });
    expect((await stat(output)).mode & 0o777).toBe(0o600);
    expect(await leftovers()).toEqual(['capture.json']);
  });

  it.each([
    ['with a length', { 'content-length': '1000' }],
    ['chunked', {}],
  ])('that breaks off %s leaves no file, and the one before as it was', async (_, headers) => {
    const output = join(home, 'capture.json');
    await writeFile(output, 'before');
    answer = (request, response) => {
      response.writeHead(200, headers);
      response.write('{"half":', () => request.socket.destroy());
    };
    await expect(download({ output })).rejects.toMatchObject({
      code: 'cannot-write',
      exitCode: 74,
      message: expect.stringContaining('broke off') as string,
    });
    expect(await readFile(output, 'utf8')).toBe('before');
    expect(await leftovers()).toEqual(['capture.json']);
  });

  it('that the user breaks off leaves no file', async () => {
    const abort = new AbortController();
    answer = (_, response) => void response.write('{"half":');
    const broken = download({ output: join(home, 'capture.json'), signal: abort.signal }).catch(
      (error: unknown) => error,
    );
    await expect.poll(leftovers).toHaveLength(1);
    abort.abort();
    expect(await broken).toMatchObject({ code: 'cannot-write', message: 'The export was stopped.' });
    expect(await leftovers()).toEqual([]);
  });

  it('writes into a device and does not replace it', async () => {
    await symlink('/dev/null', join(home, 'null'));
    await download({ output: join(home, 'null') });
    expect((await stat(join(home, 'null'))).isCharacterDevice()).toBe(true);
    expect(await leftovers()).toEqual(['null']);
  });

  it('says that the disk is full', async () => {
    answer = (_, response) => response.end('x'.repeat(100_000));
    await expect(download({ output: '/dev/full' })).rejects.toMatchObject({
      code: 'cannot-write',
      message: expect.stringContaining(process.platform === 'linux' ? 'ENOSPC' : '/dev/full') as string,
    });
  });

  it('cannot be written to a folder, or into one that is not there', async () => {
    await expect(download({ output: home })).rejects.toMatchObject({ code: 'cannot-write' });
    await expect(download({ output: join(home, 'none', 'x.json') })).rejects.toMatchObject({ code: 'cannot-write' });
    expect(await leftovers()).toEqual([]);
  });
});

describe('an export that is refused', () => {
  it('tells what the API said', async () => {
    answer = (_, response) => {
      response.writeHead(400).end('{"error":{"code":"invalid-filter","message":"Expected a value at 4."}}');
    };
    await expect(download({ filter: 'a ==' })).rejects.toMatchObject({
      code: 'usage',
      message: 'Expected a value at 4. (invalid-filter)',
    });
  });

  it('tells of another answer too', async () => {
    answer = (_, response) => response.writeHead(503).end('gone');
    await expect(download({})).rejects.toMatchObject({ code: 'not-running', message: 'The answer is 503: gone' });
  });

  it('finds no instance of another process id, and none that does not answer', async () => {
    await expect(download({ pid: 1 })).rejects.toMatchObject({ code: 'not-running', exitCode: 69 });
    server.close();
    await expect(download({})).rejects.toThrowError(/does not answer/);
  });
});
