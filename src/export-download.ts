import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { request, type IncomingMessage } from 'node:http';
import { basename, dirname, join } from 'node:path';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { FrametapError } from './errors.ts';
import { readRunFiles, type RunFile } from './run-file.ts';

export interface ExportRequest {
  readonly format?: string;
  readonly session?: string;
  readonly filter?: string;
  readonly withSecrets?: boolean;
  readonly pid?: number;
  /** A file, or null for `stdout`. */
  readonly output: string | null;
  readonly stdout: Writable;
  readonly runDirectory?: string;
  readonly signal?: AbortSignal;
  /** Several instances run, and the newest was taken. */
  readonly onChosen?: (pid: number, instances: number) => void;
}

/**
 * Writes the capture of a running instance. A file appears whole or not at all.
 * @throws {FrametapError} `not-running`, `cannot-write`, `usage` for what the API refuses
 */
export async function downloadExport(wanted: ExportRequest): Promise<void> {
  try {
    await download(wanted);
  } catch (cause) {
    if (wanted.signal?.aborted !== true) throw cause;
    throw new FrametapError('cannot-write', 'The export was stopped.', { cause });
  }
}

async function download(wanted: ExportRequest): Promise<void> {
  const response = await openExport(await findInstance(wanted), wanted);
  try {
    if (response.statusCode !== 200) throw await refusal(response);
    if (wanted.output === null) await copy(response, wanted.stdout, null);
    else await writeFileWhole(response, wanted.output);
  } finally {
    response.destroy();
  }
}

async function findInstance({ pid, runDirectory, onChosen }: ExportRequest): Promise<RunFile> {
  const running = await readRunFiles(runDirectory);
  const instance = pid === undefined ? running[0] : running.find((one) => one.pid === pid);
  if (pid === undefined && instance !== undefined && running.length > 1) onChosen?.(instance.pid, running.length);
  if (instance !== undefined) return instance;
  const which = pid === undefined ? 'No running Frametap was found.' : `No running Frametap has the process id ${pid}.`;
  throw new FrametapError('not-running', which);
}

async function openExport(instance: RunFile, wanted: ExportRequest): Promise<IncomingMessage> {
  const url = new URL('/api/export', instance.dashboard.url);
  const { format = 'json', session, filter, withSecrets } = wanted;
  url.searchParams.set('format', format);
  if (session !== undefined) url.searchParams.set('session', session);
  if (filter !== undefined) url.searchParams.set('filter', filter);
  if (withSecrets === true) url.searchParams.set('secrets', 'include');
  const outgoing = request(url, {
    headers: { authorization: `Bearer ${instance.dashboard.token}` },
    agent: false,
    ...(wanted.signal === undefined ? {} : { signal: wanted.signal }),
  }).end();
  try {
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    return response;
  } catch (cause) {
    throw new FrametapError('not-running', `Process ${instance.pid} does not answer at ${url.host}.`, { cause });
  }
}

/** What the API said against it. */
async function refusal(response: IncomingMessage): Promise<FrametapError> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  let message = text.slice(0, 500);
  try {
    const body = JSON.parse(text) as { error?: { code?: string; message?: string } };
    if (body.error?.message !== undefined) message = `${body.error.message} (${body.error.code ?? ''})`;
  } catch {
    message = `The answer is ${response.statusCode}: ${message}`;
  }
  const byRequest = [400, 404, 410, 422].includes(response.statusCode ?? 0);
  return new FrametapError(byRequest ? 'usage' : 'not-running', message);
}

async function writeFileWhole(response: IncomingMessage, path: string): Promise<void> {
  // A device or pipe is written to as it is: a rename would put a file in its place.
  const existing = await stat(path).catch(() => null);
  if (existing !== null && !existing.isFile() && !existing.isDirectory()) {
    await copy(response, createWriteStream(path), path);
    return;
  }
  const part = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.part`);
  try {
    // A capture holds what people sent each other: for its owner alone.
    await copy(response, createWriteStream(part, { flags: 'wx', mode: 0o600 }), path);
    await rename(part, path).catch((cause: unknown) => {
      throw cannotWrite(path, cause);
    });
  } finally {
    await rm(part, { force: true });
  }
}

/** @param path what `target` is for; null for the standard output, which stays open */
async function copy(response: IncomingMessage, target: Writable, path: string | null): Promise<void> {
  try {
    await pipeline(response, target, { end: path !== null });
  } catch (cause) {
    // A reader that has seen enough (`| head`).
    if (path === null && (cause as NodeJS.ErrnoException).code === 'EPIPE') return;
    // Node says so where the connection ended before the body did.
    if (!response.complete && response.errored !== null) {
      throw new FrametapError('cannot-write', 'The export broke off: Frametap ended before it was complete.', {
        cause,
      });
    }
    throw cannotWrite(path ?? 'The standard output', cause);
  }
}

/** Node's text names the call and the file it was for, which may be one that the user never heard of. */
function cannotWrite(target: string, cause: unknown): FrametapError {
  const reason = cause instanceof Error ? cause.message.split(',')[0] : String(cause);
  return new FrametapError('cannot-write', `${target} cannot be written: ${reason}.`, { cause });
}
