import { createHash, createPrivateKey, generateKeyPairSync, randomBytes, X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import type { SecureContext } from 'node:tls';
import { FrametapError } from '../errors.ts';
import { prepareFolder, readCa, writeCa, type CaFiles } from './ca-folder.ts';
import {
  bits,
  boolean,
  distinguishedName,
  integer,
  keyIdentifier,
  octets,
  pem,
  sequence,
  signCertificate,
} from './certificate.ts';
import { createLeafIssuer, type Issuer } from './leaf-issuer.ts';

const DAY_MS = 86_400_000;
const CA_LIFETIME_DAYS = 3650;

/** The certificate authority that clients of the proxy trust, and the leaves made under it. */
export interface Authority {
  readonly certificatePem: string;
  readonly certificateDer: Uint8Array;
  readonly certificatePath: string;
  /** Fingerprint of the certificate: upper-case hex, with colons. */
  readonly sha256: string;
  /** Base64; what Chromium's `--ignore-certificate-errors-spki-list` takes. */
  readonly leafSpkiSha256: string;
  readonly notAfter: Date;
  /** The CA was made by this call. */
  readonly created: boolean;
  /** The folder could be read by others and held no CA yet: its mode was set to 0700. */
  readonly tightenedFolder: boolean;
  /**
   * Certificate (leaf and CA) and key for a server of this name or address; without ALPN, which is the caller's.
   * @throws {FrametapError} `target-invalid`
   */
  secureContextFor(host: string): SecureContext;
  /** SHA-256 of the leaf that `secureContextFor` serves for this host, hex, lower case. */
  leafSha256For(host: string): string;
}

/**
 * Opens the CA in `directory`, or makes it at the first start.
 * @throws {FrametapError} `ca-permissions`, `ca-unreadable`, `ca-invalid`, `cannot-create`
 */
export async function openAuthority(options: {
  readonly directory: string;
  readonly now?: () => number;
}): Promise<Authority> {
  const { directory, now = Date.now } = options;
  const folder = await prepareFolder(directory);
  let files = folder.hasCa ? await readCa(directory) : null;
  let created = false;
  if (files === null) {
    const made = makeCa(now());
    created = await writeCa(directory, made);
    // Another start was quicker: its CA is the one.
    files = created ? made : await readCa(directory);
  }
  const issuer = checkCa(files, directory, now());
  const leaves = createLeafIssuer(issuer, now);
  return {
    certificatePem: issuer.certificatePem,
    certificateDer: issuer.certificateDer,
    certificatePath: join(directory, 'ca.pem'),
    sha256: new X509Certificate(issuer.certificateDer).fingerprint256,
    leafSpkiSha256: leaves.spkiSha256,
    notAfter: issuer.notAfter,
    created,
    tightenedFolder: folder.tightened,
    secureContextFor: (host) => leaves.leafFor(host).context,
    leafSha256For: (host) => leaves.leafFor(host).sha256,
  };
}

function makeCa(nowMs: number): CaFiles {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const identifier = keyIdentifier(publicKey);
  // Trust stores list CAs by name: two made on two days or machines must be told apart.
  const mark = createHash('sha256').update(identifier).digest('hex').slice(0, 8);
  const name = distinguishedName([
    ['2.5.4.10', 'Frametap'],
    ['2.5.4.3', `Frametap CA ${mark}`],
  ]);
  const certificate = signCertificate(
    {
      issuer: name,
      subject: name,
      notBefore: new Date(nowMs - DAY_MS),
      notAfter: new Date(nowMs + CA_LIFETIME_DAYS * DAY_MS),
      publicKey,
      serial: randomBytes(16),
      extensions: [
        // A CA, of leaves only: pathLenConstraint 0.
        { oid: '2.5.29.19', critical: true, value: sequence(boolean(true), integer(0)) },
        // keyCertSign, cRLSign
        { oid: '2.5.29.15', critical: true, value: bits(1, Uint8Array.of(0x06)) },
        { oid: '2.5.29.14', critical: false, value: octets(identifier) },
      ],
    },
    privateKey,
  );
  return {
    certificate: pem('CERTIFICATE', certificate),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function checkCa(files: CaFiles, directory: string, nowMs: number): Issuer {
  const refuse = (what: string, cause?: unknown): FrametapError =>
    new FrametapError('ca-invalid', `${what} (in ${directory}: ca.pem and ca.key).`, {
      cause,
    });
  let certificate: X509Certificate;
  let key: ReturnType<typeof createPrivateKey>;
  try {
    certificate = new X509Certificate(files.certificate);
  } catch (cause) {
    throw refuse('ca.pem is no certificate', cause);
  }
  try {
    key = createPrivateKey(files.key);
  } catch (cause) {
    throw refuse('ca.key is no private key', cause);
  }
  if (!certificate.checkPrivateKey(key)) throw refuse('ca.key is not the key of ca.pem');
  if (!certificate.ca) throw refuse('ca.pem is not the certificate of an authority');
  if (key.asymmetricKeyType !== 'ec' && key.asymmetricKeyType !== 'rsa') throw refuse('ca.key is neither EC nor RSA');
  const notAfter = new Date(certificate.validTo);
  if (notAfter.getTime() <= nowMs) throw refuse(`ca.pem expired on ${notAfter.toISOString().slice(0, 10)}`);
  if (Date.parse(certificate.validFrom) > nowMs) throw refuse(`ca.pem is not valid before ${certificate.validFrom}`);
  return { certificateDer: certificate.raw, certificatePem: certificate.toString(), notAfter, key };
}
