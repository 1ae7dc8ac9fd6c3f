import { generateKeyPairSync, randomBytes } from 'node:crypto';
import {
  bits,
  distinguishedName,
  keyIdentifier,
  objectId,
  octets,
  pem,
  sequence,
  signCertificate,
  tagged,
} from '../tls/certificate.ts';

const DAY_MS = 86_400_000;

/** A certificate for loopback that vouches for itself, for as long as the demo runs. Its key is nowhere on disk. */
export function makeDemoCertificate(): { readonly certificatePem: string; readonly keyPem: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = distinguishedName([['2.5.4.3', 'Frametap demo']]);
  const certificate = signCertificate(
    {
      issuer: name,
      subject: name,
      notBefore: new Date(Date.now() - DAY_MS),
      notAfter: new Date(Date.now() + 30 * DAY_MS),
      publicKey,
      serial: randomBytes(16),
      extensions: [
        { oid: '2.5.29.19', critical: true, value: sequence() },
        // digitalSignature
        { oid: '2.5.29.15', critical: true, value: bits(7, Uint8Array.of(0x80)) },
        // serverAuth
        { oid: '2.5.29.37', critical: false, value: sequence(objectId('1.3.6.1.5.5.7.3.1')) },
        // The address 127.0.0.1
        { oid: '2.5.29.17', critical: false, value: sequence(tagged(7, Uint8Array.of(127, 0, 0, 1))) },
        { oid: '2.5.29.14', critical: false, value: octets(keyIdentifier(publicKey)) },
      ],
    },
    privateKey,
  );
  return {
    certificatePem: pem('CERTIFICATE', certificate),
    keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}
