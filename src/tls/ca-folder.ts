import { chmod, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { FrametapError } from '../errors.ts';

/** The two files of a CA: certificate (PEM) and key (PKCS #8, PEM). */
export interface CaFiles {
  readonly certificate: string;
  readonly key: string;
}

const CERTIFICATE = 'ca.pem';
const KEY = 'ca.key';
/** How long a second start waits for the first one, which has written its key and is about to write the certificate. */
const OTHER_START_MS = 2000;
/** What a folder may hold and still be taken for one that was made for a CA: a checkout has its `certs/` like this. */
const HARMLESS = new Set(['README.md', '.gitkeep', '.gitignore']);

/** Windows has no such modes: there the folder in the user's profile is what protects the key. */
const hasModes = process.platform !== 'win32';
const loose = (mode: number): boolean => hasModes && (mode & 0o077) !== 0;
const octal = (mode: number): string => `0${(mode & 0o777).toString(8)}`;
const code = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? '';

/**
 * Makes the folder (0700) where it does not exist, and sees whether it holds a CA.
 * @throws {FrametapError} `cannot-create`, `ca-unreadable`, or `ca-permissions` where others can read it
 */
export async function prepareFolder(directory: string): Promise<{ hasCa: boolean; tightened: boolean }> {
  try {
    await makeFolder(directory);
  } catch (cause) {
    throw new FrametapError('cannot-create', `The folder ${directory} cannot be made: ${String(cause)}`, { cause });
  }
  let names: string[];
  let mode: number;
  try {
    names = await readdir(directory);
    mode = (await stat(directory)).mode;
  } catch (cause) {
    if (code(cause) === 'ENOTDIR') {
      throw new FrametapError('cannot-create', `${directory} is a file: --certs names a folder.`, { cause });
    }
    throw new FrametapError('ca-unreadable', `The folder ${directory} cannot be read: ${String(cause)}`, { cause });
  }
  const hasCa = names.includes(CERTIFICATE) || names.includes(KEY);
  if (!loose(mode)) return { hasCa, tightened: false };
  const others = names.filter((name) => !HARMLESS.has(name));
  if (others.length > 0) {
    const why = hasCa
      ? `The folder ${directory} holds the CA's key and is open to others (mode ${octal(mode)}).`
      : `The folder ${directory} is open to others (mode ${octal(mode)}) and holds other files: give --certs a folder of its own.`;
    throw new FrametapError('ca-permissions', why);
  }
  try {
    await chmod(directory, 0o700);
  } catch (cause) {
    const why = `The folder ${directory} is open to others (mode ${octal(mode)}), and that cannot be changed.`;
    throw new FrametapError('ca-permissions', why, { cause });
  }
  return { hasCa, tightened: true };
}

/** With those above it. Node's own recursive way goes round for ever where a file system makes no folders (/proc). */
async function makeFolder(directory: string): Promise<void> {
  const make = (): Promise<void> => mkdir(directory, { mode: 0o700 });
  try {
    await make();
  } catch (error) {
    if (code(error) === 'EEXIST') return;
    const parent = dirname(directory);
    const isMissing = async (): Promise<boolean> => (await stat(parent).catch(code)) === 'ENOENT';
    if (code(error) !== 'ENOENT' || !(await isMissing())) throw error;
    await makeFolder(parent);
    await make();
  }
}

/**
 * Reads both files.
 * @throws {FrametapError} `ca-permissions`, `ca-unreadable`, or `ca-invalid` where one of the two is missing
 */
export async function readCa(directory: string): Promise<CaFiles> {
  const deadline = Date.now() + OTHER_START_MS;
  for (;;) {
    const certificate = await readPrivate(join(directory, CERTIFICATE));
    const key = await readPrivate(join(directory, KEY));
    if (certificate !== null && key !== null) return { certificate, key };
    if (certificate !== null || Date.now() > deadline) {
      const missing = key === null ? KEY : CERTIFICATE;
      const why = `${missing} is missing in ${directory}. Put it back, if you have it.`;
      throw new FrametapError('ca-invalid', why);
    }
    await wait(20);
  }
}

/**
 * Writes both files (0600), the key exclusively. The certificate appears whole and after the key: who sees it can
 * read both. False: another start was quicker and nothing was written.
 * @throws {FrametapError} `cannot-create`
 */
export async function writeCa(directory: string, files: CaFiles): Promise<boolean> {
  const keyPath = join(directory, KEY);
  const temporary = join(directory, `.${CERTIFICATE}.${randomBytes(6).toString('hex')}`);
  let mine = false;
  try {
    const key = await open(keyPath, 'wx', 0o600);
    mine = true;
    await writeAll(key, files.key);
    await writeAll(await open(temporary, 'wx', 0o600), files.certificate);
    await rename(temporary, join(directory, CERTIFICATE));
    return true;
  } catch (cause) {
    if (!mine && code(cause) === 'EEXIST') return false;
    if (mine) await Promise.all([rm(keyPath, { force: true }), rm(temporary, { force: true })]);
    const why = `The CA cannot be written to ${directory}: ${String(cause)}`;
    throw new FrametapError('cannot-create', why, { cause });
  }
}

async function writeAll(file: Awaited<ReturnType<typeof open>>, text: string): Promise<void> {
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Null where there is no such file. */
async function readPrivate(path: string): Promise<string | null> {
  try {
    const file = await open(path, 'r');
    try {
      // The mode of the file that is open: a path may lead to another one a moment later.
      const { mode } = await file.stat();
      if (loose(mode)) {
        const why = `${path} can be read by others (mode ${octal(mode)}).`;
        throw new FrametapError('ca-permissions', why);
      }
      return await file.readFile('utf8');
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (cause instanceof FrametapError) throw cause;
    if (code(cause) === 'ENOENT') return null;
    throw new FrametapError('ca-unreadable', `${path} cannot be read: ${String(cause)}`, { cause });
  }
}
