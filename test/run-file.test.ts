import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readRunFiles, writeRunFile, type RunFile } from '../src/run-file.ts';

let home: string;
let directory: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'frametap-run-'));
  directory = join(home, 'run');
});
afterEach(() => rm(home, { recursive: true, force: true }));

const content = (pid: number, startedAt = '2026-01-01T00:00:00.000Z'): RunFile => ({
  pid,
  startedAt,
  version: '1.2.3',
  dashboard: { url: 'http://127.0.0.1:8081', token: 'secret' },
});

async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
  await once(child, 'exit');
  return child.pid ?? 0;
}

describe('a run file', () => {
  it('is read as it was written, by its owner alone, until it is removed', async () => {
    const file = await writeRunFile(content(process.pid), directory);
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    expect((await stat(join(directory, `${process.pid}.json`))).mode & 0o777).toBe(0o600);
    expect(await readRunFiles(directory)).toEqual([content(process.pid)]);
    await file.remove();
    expect(await readRunFiles(directory)).toEqual([]);
  });

  it('replaces the one of a dead process of the same number', async () => {
    await writeRunFile(content(process.pid, '2025-01-01T00:00:00.000Z'), directory);
    await writeRunFile(content(process.pid), directory);
    expect(await readRunFiles(directory)).toEqual([content(process.pid)]);
  });

  it('of a dead process is not read, and removed', async () => {
    const pid = await deadPid();
    await writeRunFile(content(pid), directory);
    expect(await readRunFiles(directory)).toEqual([]);
    expect(await readdir(directory)).toEqual([]);
  });

  it('cannot be written where a file is in the way', async () => {
    await writeFile(directory, '');
    await expect(writeRunFile(content(1), directory)).rejects.toMatchObject({ code: 'cannot-create', exitCode: 73 });
  });
});

describe('several instances', () => {
  it('are read with the newest first, without what is none', async () => {
    await writeRunFile(content(process.pid, '2026-01-01T00:00:00.000Z'), directory);
    await writeRunFile(content(process.ppid, '2026-01-02T00:00:00.000Z'), directory);
    await writeFile(join(directory, 'notes.txt'), '');
    expect((await readRunFiles(directory)).map((file) => file.pid)).toEqual([process.ppid, process.pid]);
    await writeFile(join(directory, `${process.pid}.json`), '{"pid":');
    expect((await readRunFiles(directory)).map((file) => file.pid)).toEqual([process.ppid]);
  });

  it('are none where the folder does not exist', async () => {
    expect(await readRunFiles(join(home, 'nowhere'))).toEqual([]);
  });
});
