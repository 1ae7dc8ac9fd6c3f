import { createHash, generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto';
import { isIP } from 'node:net';
import { createSecureContext, type SecureContext } from 'node:tls';
import { domainToASCII } from 'node:url';
import { FrametapError } from '../errors.ts';
import {
  bits,
  distinguishedName,
  issuerFacts,
  keyIdentifier,
  objectId,
  octets,
  pem,
  sequence,
  signCertificate,
  tagged,
} from './certificate.ts';

const DAY_MS = 86_400_000;
const LIFETIME_DAYS = 30;
/** Clients' clocks run behind: a certificate starts a day before it is made. */
const BACKDATE_DAYS = 1;
/** A cached certificate is made anew when less than this is left of it. */
const RENEW_BEFORE_MS = 2 * DAY_MS;
const CACHE_SIZE = 1000;
/** ub-common-name, RFC 5280 appendix A.1. */
const MAX_COMMON_NAME = 64;

export interface Issuer {
  readonly certificateDer: Uint8Array;
  readonly certificatePem: string;
  readonly notAfter: Date;
  readonly key: KeyObject;
}
export interface Leaf {
  readonly context: SecureContext;
  readonly certificateDer: Buffer;
  /** Hex, lower case. */
  readonly sha256: string;
  readonly notAfter: Date;
}
export interface LeafIssuer {
  /** Base64 of the SHA-256 of the SubjectPublicKeyInfo that all leaves share. */
  readonly spkiSha256: string;
  /** @throws {FrametapError} `target-invalid` for what can be no host name */
  leafFor(host: string): Leaf;
}

/** Makes a server certificate for any host, and keeps the last thousand as ready TLS contexts. */
export function createLeafIssuer(issuer: Issuer, now: () => number = Date.now): LeafIssuer {
  // One key for all leaves: making a key costs more than signing, and they live in the same process anyway.
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const keyPem = privateKey.export({ type: 'pkcs8', format: 'pem' });
  const subjectKeyIdentifier = keyIdentifier(publicKey);
  const { subject: issuerName, keyIdentifier: issuerKeyIdentifier } = issuerFacts(issuer.certificateDer);
  const cache = new Map<string, Leaf>();

  function issue(name: string): Leaf {
    const notBefore = new Date(now() - BACKDATE_DAYS * DAY_MS);
    const notAfter = new Date(Math.min(notBefore.getTime() + LIFETIME_DAYS * DAY_MS, issuer.notAfter.getTime()));
    const named = name.length <= MAX_COMMON_NAME;
    const certificateDer = signCertificate(
      {
        issuer: issuerName,
        subject: distinguishedName(named ? [['2.5.4.3', name]] : []),
        notBefore,
        notAfter,
        publicKey,
        serial: randomBytes(16),
        extensions: [
          { oid: '2.5.29.19', critical: true, value: sequence() },
          // digitalSignature
          { oid: '2.5.29.15', critical: true, value: bits(7, Uint8Array.of(0x80)) },
          // serverAuth
          { oid: '2.5.29.37', critical: false, value: sequence(objectId('1.3.6.1.5.5.7.3.1')) },
          // RFC 5280 §4.2.1.6: critical where the subject is empty.
          { oid: '2.5.29.17', critical: !named, value: sequence(generalName(name)) },
          { oid: '2.5.29.14', critical: false, value: octets(subjectKeyIdentifier) },
          ...(issuerKeyIdentifier === null
            ? []
            : [{ oid: '2.5.29.35', critical: false, value: sequence(tagged(0, issuerKeyIdentifier)) }]),
        ],
      },
      issuer.key,
    );
    const chain = pem('CERTIFICATE', certificateDer) + issuer.certificatePem;
    return {
      context: createSecureContext({ key: keyPem, cert: chain }),
      certificateDer,
      sha256: createHash('sha256').update(certificateDer).digest('hex'),
      notAfter,
    };
  }

  return {
    spkiSha256: createHash('sha256')
      .update(publicKey.export({ type: 'spki', format: 'der' }))
      .digest('base64'),
    leafFor(host) {
      const name = certificateName(host);
      let leaf = cache.get(name);
      // A Map keeps the order of insertion: taken out and put back, the first key is the one longest unused.
      cache.delete(name);
      if (leaf === undefined || leaf.notAfter.getTime() - now() < RENEW_BEFORE_MS) leaf = issue(name);
      cache.set(name, leaf);
      if (cache.size > CACHE_SIZE) {
        const [oldest] = cache.keys();
        if (oldest !== undefined) cache.delete(oldest);
      }
      return leaf;
    },
  };
}

/** The one form in which a host stands in a certificate: lower case, ASCII, no brackets, zone or final dot. */
function certificateName(host: string): string {
  let name = host.toLowerCase();
  if (name.startsWith('[') && name.endsWith(']')) name = name.slice(1, -1);
  const address = name.replace(/%.*$/, '');
  if (isIP(address) !== 0) return address;
  if (name.endsWith('.')) name = name.slice(0, -1);
  if (/[^\x21-\x7e]/.test(name)) name = domainToASCII(name);
  if (name === '' || name.length > 253) throw new FrametapError('target-invalid', 'This can be no host name.');
  return name;
}

function generalName(name: string): ReturnType<typeof tagged> {
  const version = isIP(name);
  if (version === 4) return tagged(7, Uint8Array.from(name.split('.'), Number));
  if (version === 6) return tagged(7, ipv6Bytes(name));
  return tagged(2, Buffer.from(name, 'latin1'));
}

function ipv6Bytes(address: string): Uint8Array {
  // WHATWG URL writes every notation in one: hexadecimal groups, at most one "::".
  const [head = '', tail] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split('::');
  const groups = (text: string | undefined): number[] =>
    text ? text.split(':').map((part) => parseInt(part, 16)) : [];
  const before = groups(head);
  const after = groups(tail);
  const all = [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after];
  return Uint8Array.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}
