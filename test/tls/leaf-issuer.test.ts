import { execFile } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, isIPv6 } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkServerIdentity, connect, createServer, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openAuthority, type Authority } from '../../src/tls/authority.ts';

const run = promisify(execFile);
const DAY_MS = 86_400_000;
let home: string;
let authority: Authority;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'frametap-leaf-'));
  authority = await openAuthority({ directory: join(home, 'certs') });
});
afterAll(() => rm(home, { recursive: true, force: true }));

/** What a TLS client of Node sees and accepts that trusts the CA and wants to reach `host`. */
async function handshake(host: string, by: Authority = authority): Promise<DetailedPeerCertificate> {
  const server = createServer({
    SNICallback: (_, done) => done(null, by.secureContextFor(host)),
    ALPNProtocols: ['http/1.1'],
  });
  server.on('secureConnection', (socket: TLSSocket) => socket.on('error', () => socket.destroy()).end());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect({
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    // Any name makes the server ask for a context; which one it gives is decided above.
    servername: 'sni.test',
    ca: by.certificatePem,
    checkServerIdentity(_, certificate) {
      // Node 22.23 takes no IPv6 address for the one in a certificate, and asks for a name.
      if (isIPv6(host) && new X509Certificate(certificate.raw).checkIP(host) !== undefined) return undefined;
      return checkServerIdentity(host.replace('*', 'any'), certificate);
    },
  });
  try {
    await once(client, 'secureConnect');
    expect(client.authorized).toBe(true);
    return client.getPeerCertificate(true);
  } finally {
    client.destroy();
    server.close();
    await once(server, 'close');
  }
}

const LONG = `${'a'.repeat(60)}.${'b'.repeat(60)}.example.com`;
const HOSTS = [
  ['a DNS name', 'example.com', 'DNS:example.com'],
  ['a wildcard', '*.example.com', 'DNS:*.example.com'],
  ['an IPv4 address', '127.0.0.1', 'IP Address:127.0.0.1'],
  ['an IPv6 address', '::1', 'IP Address:0:0:0:0:0:0:0:1'],
  ['a full IPv6 address', '2001:db8:1:2:3:4:5:6', 'IP Address:2001:DB8:1:2:3:4:5:6'],
  ['an IPv4-mapped IPv6 address', '::ffff:127.0.0.1', 'IP Address:0:0:0:0:0:FFFF:7F00:1'],
  ['a name above 64 characters', LONG, `DNS:${LONG}`],
  ['an underscore', 'my_host.example.com', 'DNS:my_host.example.com'],
  ['punycode', 'xn--bcher-kva.example', 'DNS:xn--bcher-kva.example'],
  ['a single label', 'localhost', 'DNS:localhost'],
] as const;

describe.each(HOSTS)('a leaf for %s (%s)', (_, host, alternativeName) => {
  it('is accepted by a TLS client of Node, with the CA behind it', async () => {
    const seen = await handshake(host);
    expect(seen.subjectaltname).toBe(alternativeName);
    expect(createHash('sha256').update(seen.raw).digest('hex')).toBe(authority.leafSha256For(host));
    expect(Buffer.compare(seen.issuerCertificate.raw, authority.certificateDer)).toBe(0);
  });

  it('is accepted by openssl verify -x509_strict', async () => {
    const { raw } = await handshake(host);
    const path = join(home, 'leaf.pem');
    await writeFile(path, new X509Certificate(raw).toString());
    const named = host.replace('*', 'any');
    const check = named.includes(':') || /^[\d.]+$/.test(named) ? '-verify_ip' : '-verify_hostname';
    const { stdout } = await run('openssl', [
      ...['verify', '-x509_strict', '-purpose', 'sslserver', check, named],
      ...['-CAfile', authority.certificatePath, path],
    ]);
    expect(stdout.trim()).toBe(`${path}: OK`);
  });
});

describe('a leaf', () => {
  it('is for servers only, by a fresh serial, for thirty days from yesterday', async () => {
    const { raw } = await handshake('fields.example');
    const path = join(home, 'fields.pem');
    await writeFile(path, new X509Certificate(raw).toString());
    const { stdout: text } = await run('openssl', ['x509', '-in', path, '-noout', '-text']);
    expect(text).toMatch(/Basic Constraints: critical\s+CA:FALSE/);
    expect(text).toMatch(/Key Usage: critical\s+Digital Signature\n/);
    expect(text).toMatch(/Extended Key Usage:\s+TLS Web Server Authentication\n/);
    expect(text).toMatch(/Subject Alternative Name:\s+DNS:fields.example/);
    const certificate = new X509Certificate(raw);
    expect(certificate.serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/);
    const [from, to] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)];
    expect(to - from).toBe(30 * DAY_MS);
    expect(Math.abs(Date.now() - DAY_MS - from)).toBeLessThan(60_000);
  });

  it('names the CA’s key as the one that signed it', async () => {
    const { raw } = await handshake('example.com');
    const path = join(home, 'aki.pem');
    await writeFile(path, new X509Certificate(raw).toString());
    const identifier = async (file: string, extension: string): Promise<string | undefined> =>
      /([0-9A-F]{2}:){19}[0-9A-F]{2}/.exec(
        (await run('openssl', ['x509', '-in', file, '-noout', '-ext', extension])).stdout,
      )?.[0];
    const wanted = await identifier(authority.certificatePath, 'subjectKeyIdentifier');
    expect(wanted).toBeDefined();
    expect(await identifier(path, 'authorityKeyIdentifier')).toBe(wanted);
  });

  it('has an empty subject and a critical alternative name above 64 characters', async () => {
    const { raw } = await handshake(LONG);
    const path = join(home, 'long.pem');
    await writeFile(path, new X509Certificate(raw).toString());
    const { stdout: text } = await run('openssl', ['x509', '-in', path, '-noout', '-text']);
    expect(text).toMatch(/Subject: ?\n/);
    expect(text).toContain('Subject Alternative Name: critical');
  });

  it('shares one key with all others, whose hash is given for Chromium', async () => {
    for (const host of ['one.example', 'two.example']) {
      const { raw } = await handshake(host);
      const spki = new X509Certificate(raw).publicKey.export({ type: 'spki', format: 'der' });
      expect(createHash('sha256').update(spki).digest('base64')).toBe(authority.leafSpkiSha256);
    }
  });

  it('is the same for every notation of one host', () => {
    const same = ['Example.COM', 'example.com.', 'example.com'].map((host) => authority.leafSha256For(host));
    expect(new Set(same).size).toBe(1);
    expect(authority.leafSha256For('[::1]')).toBe(authority.leafSha256For('::1'));
    expect(authority.leafSha256For('bücher.example')).toBe(authority.leafSha256For('xn--bcher-kva.example'));
  });

  it.each([
    ['nothing', ''],
    ['only a dot', '.'],
    ['too long a name', 'a.'.repeat(200)],
    ['no host', 'a b'],
  ])('is not made for %s', (_, host) => {
    expect(() => authority.secureContextFor(host)).toThrowError(expect.objectContaining({ code: 'target-invalid' }));
  });
});

describe('the leaves that are kept', () => {
  it('give the same context again, for the thousand hosts used last', () => {
    const first = authority.secureContextFor('first.example');
    const second = authority.secureContextFor('second.example');
    for (let i = 0; i < 998; i++) authority.secureContextFor(`h${i}.example`);
    expect(authority.secureContextFor('first.example')).toBe(first);
    authority.secureContextFor('one-more.example');
    expect(authority.secureContextFor('first.example')).toBe(first);
    expect(authority.secureContextFor('second.example')).not.toBe(second);
  });

  it('are made anew before they run out', async () => {
    let now = Date.now();
    const aging = await openAuthority({ directory: join(home, 'aging'), now: () => now });
    const first = aging.leafSha256For('example.com');
    now += 26 * DAY_MS;
    expect(aging.leafSha256For('example.com')).toBe(first);
    now += 2 * DAY_MS;
    expect(aging.leafSha256For('example.com')).not.toBe(first);
  });
});

describe('a leaf under an authority that somebody else made', () => {
  it('is accepted too', async () => {
    const directory = join(home, 'rsa');
    await openAuthority({ directory });
    await run('openssl', [
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '9', '-subj', '/C=DE/O=Ours/CN=Our own CA'],
      ...['-keyout', join(directory, 'ca.key'), '-out', join(directory, 'ca.pem')],
    ]);
    const rsa = await openAuthority({ directory });
    const { raw } = await handshake('example.com', rsa);
    const certificate = new X509Certificate(raw);
    // No leaf outlives its authority.
    expect(Date.parse(certificate.validTo)).toBe(rsa.notAfter.getTime());
  });
});
