import { generateKeyPairSync } from 'node:crypto';
import forge from 'node-forge';

export interface TestCertificate {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** A CA and a certificate for `dnsName`, good for an hour. */
export function issueTestCertificate(dnsName: string): TestCertificate {
  const ca = build({ subject: 'Test CA', issuer: 'Test CA', extensions: [{ name: 'basicConstraints', cA: true }] });
  const leaf = build({
    subject: dnsName,
    issuer: 'Test CA',
    signingKey: ca.key,
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: dnsName }] }],
  });
  return { ca: ca.cert, cert: leaf.cert, key: leaf.key };
}

interface Parts {
  readonly subject: string;
  readonly issuer: string;
  readonly signingKey?: string;
  readonly extensions: object[];
}

function build({ subject, issuer, signingKey, extensions }: Parts): { cert: string; key: string } {
  const pair = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(pair.publicKey);
  certificate.serialNumber = `01${forge.util.bytesToHex(forge.random.getBytesSync(8))}`;
  certificate.validity.notBefore = new Date(Date.now() - 60_000);
  certificate.validity.notAfter = new Date(Date.now() + 3_600_000);
  certificate.setSubject([{ name: 'commonName', value: subject }]);
  certificate.setIssuer([{ name: 'commonName', value: issuer }]);
  certificate.setExtensions(extensions);
  certificate.sign(forge.pki.privateKeyFromPem(signingKey ?? pair.privateKey), forge.md.sha256.create());
  return { cert: forge.pki.certificateToPem(certificate), key: pair.privateKey };
}
