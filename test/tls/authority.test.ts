import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openAuthority } from '../../src/tls/authority.ts';

const run = promisify(execFile);
const DAY_MS = 86_400_000;
let home: string;
let directory: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'frametap-ca-'));
  directory = join(home, 'certs');
});
afterEach(() => rm(home, { recursive: true, force: true }));

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

describe('the first start', () => {
  it('makes a folder that only its owner reads, with both files', async () => {
    const authority = await openAuthority({ directory });
    expect(authority.created).toBe(true);
    expect(await readdir(directory)).toEqual(['ca.key', 'ca.pem']);
    expect(await modeOf(directory)).toBe(0o700);
    expect(await modeOf(join(directory, 'ca.key'))).toBe(0o600);
    expect(await modeOf(join(directory, 'ca.pem'))).toBe(0o600);
    expect(authority.certificatePath).toBe(join(directory, 'ca.pem'));
    expect(await readFile(authority.certificatePath, 'utf8')).toBe(authority.certificatePem);
  });

  it('makes a P-256 authority of leaves only, valid for ten years from yesterday', async () => {
    const before = Date.now();
    const authority = await openAuthority({ directory });
    const { stdout: text } = await run('openssl', ['x509', '-in', authority.certificatePath, '-noout', '-text']);
    expect(text).toContain('Public-Key: (256 bit)');
    expect(text).toContain('ASN1 OID: prime256v1');
    expect(text).toContain('Signature Algorithm: ecdsa-with-SHA256');
    expect(text).toMatch(/X509v3 Basic Constraints: critical\s+CA:TRUE, pathlen:0/);
    expect(text).toMatch(/X509v3 Key Usage: critical\s+Certificate Sign, CRL Sign/);
    const { stdout: print } = await run('openssl', [
      'x509',
      '-in',
      authority.certificatePath,
      '-noout',
      '-fingerprint',
      '-sha256',
    ]);
    expect(print.trim().split('=')[1]).toBe(authority.sha256);
    const certificate = new X509Certificate(authority.certificateDer);
    expect(certificate.subject).toMatch(/^O=Frametap\nCN=Frametap CA [0-9a-f]{8}$/);
    expect(Date.parse(certificate.validFrom)).toBeLessThan(before - DAY_MS + 2000);
    expect(authority.notAfter.getTime()).toBeGreaterThan(before + 3649 * DAY_MS);
    await run('openssl', ['verify', '-x509_strict', '-CAfile', authority.certificatePath, authority.certificatePath]);
  });

  it('gives ten starts at the same moment one and the same authority', async () => {
    const all = await Promise.all(Array.from({ length: 10 }, () => openAuthority({ directory })));
    expect(new Set(all.map((authority) => authority.sha256)).size).toBe(1);
    expect(all.filter((authority) => authority.created)).toHaveLength(1);
    expect(await readdir(directory)).toEqual(['ca.key', 'ca.pem']);
  });

  it('tightens a checkout’s folder that holds no CA yet, and says so', async () => {
    await mkdir(directory, { mode: 0o755 });
    await chmod(directory, 0o755);
    await writeFile(join(directory, 'README.md'), 'about');
    const authority = await openAuthority({ directory });
    expect(authority.tightenedFolder).toBe(true);
    expect(await modeOf(directory)).toBe(0o700);
  });

  it('does not change the mode of a folder that holds other files', async () => {
    await mkdir(directory);
    await chmod(directory, 0o755);
    await writeFile(join(directory, 'thesis.tex'), '');
    await expect(openAuthority({ directory })).rejects.toMatchObject({ code: 'ca-permissions', exitCode: 77 });
    expect(await modeOf(directory)).toBe(0o755);
    expect(await readdir(directory)).toEqual(['thesis.tex']);
  });

  it('says that the folder cannot be made', async () => {
    await writeFile(directory, 'a file');
    await expect(openAuthority({ directory })).rejects.toMatchObject({ code: 'cannot-create', exitCode: 73 });
    await expect(openAuthority({ directory: join(directory, 'below') })).rejects.toMatchObject({
      code: 'cannot-create',
    });
  });
});

describe('a later start', () => {
  it('opens the same authority', async () => {
    const first = await openAuthority({ directory });
    const second = await openAuthority({ directory });
    expect(second.created).toBe(false);
    expect(second.sha256).toBe(first.sha256);
  });

  it.each([
    ['the folder', '', 0o750],
    ['the key', 'ca.key', 0o640],
    ['the certificate', 'ca.pem', 0o644],
  ])('refuses where %s can be read by others', async (_, name, mode) => {
    await openAuthority({ directory });
    await chmod(join(directory, name), mode);
    await expect(openAuthority({ directory })).rejects.toMatchObject({ code: 'ca-permissions', exitCode: 77 });
  });

  it('says that a file cannot be read', async () => {
    await openAuthority({ directory });
    await rm(join(directory, 'ca.key'));
    await mkdir(join(directory, 'ca.key'), { mode: 0o700 });
    await expect(openAuthority({ directory })).rejects.toMatchObject({ code: 'ca-unreadable', exitCode: 77 });
  });

  it.each(['ca.key', 'ca.pem'])('says that %s is missing, and makes nothing in its place', async (name) => {
    await openAuthority({ directory });
    await rm(join(directory, name));
    await expect(openAuthority({ directory })).rejects.toMatchObject({
      code: 'ca-invalid',
      message: expect.stringContaining(`${name} is missing`) as string,
    });
    expect(await readdir(directory)).toHaveLength(1);
  });

  it.each([
    ['ca.pem', 'ca.pem is no certificate'],
    ['ca.key', 'ca.key is no private key'],
  ])('says that %s is damaged', async (name, message) => {
    await openAuthority({ directory });
    await writeFile(join(directory, name), '-----BEGIN');
    await expect(openAuthority({ directory })).rejects.toMatchObject({
      code: 'ca-invalid',
      exitCode: 78,
      message: expect.stringContaining(message) as string,
    });
  });

  it('refuses a key that belongs to another certificate', async () => {
    await openAuthority({ directory });
    const other = await openAuthority({ directory: join(home, 'other') });
    await writeFile(join(directory, 'ca.pem'), other.certificatePem);
    await expect(openAuthority({ directory })).rejects.toMatchObject({
      code: 'ca-invalid',
      message: expect.stringContaining('not the key of ca.pem') as string,
    });
  });

  it('refuses an expired authority', async () => {
    await openAuthority({ directory });
    await expect(openAuthority({ directory, now: () => Date.now() + 3651 * DAY_MS })).rejects.toMatchObject({
      code: 'ca-invalid',
      message: expect.stringContaining('expired on') as string,
    });
  });

  it('takes an RSA authority that somebody else made', async () => {
    await openAuthority({ directory });
    await run('openssl', [
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '90', '-subj', '/CN=Our own CA'],
      ...['-keyout', join(directory, 'ca.key'), '-out', join(directory, 'ca.pem')],
      ...['-addext', 'keyUsage=critical,keyCertSign,cRLSign'],
    ]);
    const authority = await openAuthority({ directory });
    expect(new X509Certificate(authority.certificateDer).subject).toBe('CN=Our own CA');
    expect(authority.leafSha256For('example.com')).toMatch(/^[0-9a-f]{64}$/);
  });

  it('refuses a certificate that is no authority', async () => {
    await openAuthority({ directory });
    await run('openssl', [
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '90', '-subj', '/CN=leaf'],
      ...['-keyout', join(directory, 'ca.key'), '-out', join(directory, 'ca.pem')],
      ...['-addext', 'basicConstraints=critical,CA:FALSE'],
    ]);
    await expect(openAuthority({ directory })).rejects.toMatchObject({
      code: 'ca-invalid',
      message: expect.stringContaining('not the certificate of an authority') as string,
    });
  });
});
