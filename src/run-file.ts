import { mkdir, open, readdir, readFile, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { FrametapError } from './errors.ts';

/** What a running instance leaves for `frametap export` to find: ~/.frametap/run/PID.json, for its owner alone. */
export interface RunFile {
  readonly pid: number;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly version: string;
  readonly dashboard: { readonly url: string; readonly token: string };
}

export const RUN_DIRECTORY = join(homedir(), '.frametap', 'run');

/** @throws {FrametapError} `cannot-create` */
export async function writeRunFile(content: RunFile, directory = RUN_DIRECTORY): Promise<{ remove(): Promise<void> }> {
  const path = join(directory, `${content.pid}.json`);
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    // One of a dead process with the same number: made anew, so that its mode is ours too.
    await rm(path, { force: true });
    const file = await open(path, 'wx', 0o600);
    try {
      await file.writeFile(JSON.stringify(content));
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw new FrametapError('cannot-create', `${path} cannot be written: ${String(cause)}`, { cause });
  }
  return { remove: () => rm(path, { force: true }) };
}

/** Instances that run, the newest first. Files of dead processes are removed. */
export async function readRunFiles(directory = RUN_DIRECTORY): Promise<RunFile[]> {
  const found: RunFile[] = [];
  for (const name of await namesIn(directory)) {
    const pid = /^(\d+)\.json$/.exec(name)?.[1];
    if (pid === undefined) continue;
    const path = join(directory, name);
    if (!isAlive(Number(pid))) {
      await rm(path, { force: true });
      continue;
    }
    const content = await readFile(path, 'utf8').then(parse, () => null);
    if (content !== null) found.push(content);
  }
  return found.sort((a, b) => (a.startedAt < b.startedAt ? 1 : -1));
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new FrametapError('not-running', `${directory} cannot be read: ${String(cause)}`, { cause });
  }
}

/** Null where the file is half written or none of ours. */
function parse(text: string): RunFile | null {
  try {
    const content = JSON.parse(text) as Partial<RunFile>;
    const whole =
      typeof content.pid === 'number' &&
      typeof content.startedAt === 'string' &&
      typeof content.dashboard?.url === 'string' &&
      typeof content.dashboard.token === 'string';
    return whole ? (content as RunFile) : null;
  } catch {
    return null;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, but is somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
