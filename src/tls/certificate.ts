import { createHash, sign, type KeyObject } from 'node:crypto';
import forge from 'node-forge';

/**
 * Builds X.509 certificates: node-forge writes the structures, node:crypto signs. Signing in forge's own JavaScript
 * costs 20 to 48 ms a certificate, this way a tenth of one. Forge is never given a stranger's DER.
 * @see RFC 5280 §4.1
 */
const { asn1 } = forge;
type Asn1 = forge.asn1.Asn1;

export interface Extension {
  readonly oid: string;
  readonly critical: boolean;
  readonly value: Asn1;
}
export interface CertificateTemplate {
  readonly issuer: Asn1;
  readonly subject: Asn1;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly publicKey: KeyObject;
  readonly extensions: readonly Extension[];
  /** 16 bytes; made positive and minimal here. */
  readonly serial: Uint8Array;
}

const SHA256_WITH = {
  ec: { oid: '1.2.840.10045.4.3.2', parameters: false },
  rsa: { oid: '1.2.840.113549.1.1.11', parameters: true },
} as const;

const binary = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const universal = (type: number, value: string): Asn1 => asn1.create(asn1.Class.UNIVERSAL, type, false, value);
export const sequence = (...members: Asn1[]): Asn1 =>
  asn1.create(asn1.Class.UNIVERSAL, asn1.Type.SEQUENCE, true, members);
export const objectId = (oid: string): Asn1 => universal(asn1.Type.OID, asn1.oidToDer(oid).getBytes());
export const octets = (bytes: Uint8Array): Asn1 => universal(asn1.Type.OCTETSTRING, binary(bytes));
export const integer = (value: number): Asn1 => universal(asn1.Type.INTEGER, asn1.integerToDer(value).getBytes());
export const boolean = (value: boolean): Asn1 => universal(asn1.Type.BOOLEAN, value ? '\xff' : '\0');
/** Context-specific and primitive, as GeneralName and AuthorityKeyIdentifier use them. */
export const tagged = (tag: number, bytes: Uint8Array): Asn1 =>
  asn1.create(asn1.Class.CONTEXT_SPECIFIC, tag, false, binary(bytes));
export const bits = (unusedBits: number, bytes: Uint8Array): Asn1 =>
  universal(asn1.Type.BITSTRING, String.fromCharCode(unusedBits) + binary(bytes));

/** A distinguished name of UTF-8 attributes: [OID, value]. */
export function distinguishedName(attributes: readonly (readonly [oid: string, value: string])[]): Asn1 {
  return sequence(
    ...attributes.map(([oid, value]) =>
      asn1.create(asn1.Class.UNIVERSAL, asn1.Type.SET, true, [
        sequence(objectId(oid), universal(asn1.Type.UTF8, binary(Buffer.from(value)))),
      ]),
    ),
  );
}

/** RFC 5280 §4.2.1.2, method 1: SHA-1 of the public key's bits without tag, length and unused-bits octet. */
export function keyIdentifier(publicKey: KeyObject): Buffer {
  const key = readDer(publicKey.export({ type: 'spki', format: 'der' })).value[1];
  const contents = typeof key === 'object' && typeof key.value === 'string' ? key.value : '';
  return createHash('sha1')
    .update(Buffer.from(contents.slice(1), 'latin1'))
    .digest();
}

/** @throws {TypeError} if the key is neither EC nor RSA */
export function signCertificate(template: CertificateTemplate, signingKey: KeyObject): Buffer {
  const type = signingKey.asymmetricKeyType;
  if (type !== 'ec' && type !== 'rsa') throw new TypeError(`cannot sign certificates with a key of type ${type}`);
  const algorithm = sequence(objectId(SHA256_WITH[type].oid));
  if (SHA256_WITH[type].parameters) (algorithm.value as Asn1[]).push(universal(asn1.Type.NULL, ''));

  const serial = Buffer.from(template.serial);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  const toBeSigned = sequence(
    asn1.create(asn1.Class.CONTEXT_SPECIFIC, 0, true, [integer(2)]),
    universal(asn1.Type.INTEGER, binary(serial)),
    algorithm,
    template.issuer,
    sequence(time(template.notBefore), time(template.notAfter)),
    template.subject,
    readDer(template.publicKey.export({ type: 'spki', format: 'der' })),
    asn1.create(asn1.Class.CONTEXT_SPECIFIC, 3, true, [
      sequence(
        ...template.extensions.map(({ oid, critical, value }) =>
          sequence(objectId(oid), ...(critical ? [boolean(true)] : []), octets(writeDer(value))),
        ),
      ),
    ]),
  );
  const signature = sign('sha256', writeDer(toBeSigned), signingKey);
  return writeDer(sequence(toBeSigned, algorithm, bits(0, signature)));
}

/** What a certificate made under this one has to repeat: its subject, and its key identifier where it has one. */
export function issuerFacts(certificateDer: Uint8Array): { subject: Asn1; keyIdentifier: Uint8Array | null } {
  const toBeSigned = child(readDer(certificateDer), 0);
  const extensions = child(child(toBeSigned, 7), 0);
  let identifier: Uint8Array | null = null;
  for (const extension of extensions.value as Asn1[]) {
    const [oid, ...rest] = extension.value as Asn1[];
    if (oid === undefined || asn1.derToOid(oid.value as string) !== '2.5.29.14') continue;
    const value = rest.at(-1);
    if (value === undefined) continue;
    identifier = Buffer.from(readDer(Buffer.from(value.value as string, 'latin1')).value as string, 'latin1');
  }
  return { subject: child(toBeSigned, 5), keyIdentifier: identifier };
}

export function pem(label: string, der: Uint8Array): string {
  const lines = Buffer.from(der)
    .toString('base64')
    .match(/.{1,64}/g);
  return `-----BEGIN ${label}-----\n${(lines ?? []).join('\n')}\n-----END ${label}-----\n`;
}

function time(date: Date): Asn1 {
  // RFC 5280 §4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050.
  return date.getUTCFullYear() < 2050
    ? universal(asn1.Type.UTCTIME, asn1.dateToUtcTime(date))
    : universal(asn1.Type.GENERALIZEDTIME, asn1.dateToGeneralizedTime(date));
}

function child(parent: Asn1, at: number): Asn1 {
  const found = typeof parent.value === 'string' ? undefined : parent.value[at];
  if (found === undefined) throw new TypeError('the certificate is not built as expected');
  return found;
}

function writeDer(node: Asn1): Buffer {
  return Buffer.from(asn1.toDer(node).getBytes(), 'latin1');
}

function readDer(der: Uint8Array): Asn1 {
  // Bit and octet strings stay bytes: forge would otherwise try to read what is in them, and write it anew.
  const options = { strict: true, parseAllBytes: true, decodeBitStrings: false };
  return asn1.fromDer(forge.util.createBuffer(binary(der)), options as unknown as boolean);
}
