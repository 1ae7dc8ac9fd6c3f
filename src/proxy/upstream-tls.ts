import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIP, isIPv6 } from 'node:net';
import * as tls from 'node:tls';
import { elapsedMs } from '../clock.ts';
import { FrametapError } from '../errors.ts';
import type { TlsInfo } from '../contract/session.ts';
import type { Deadlines } from './deadlines.ts';
import type { UpstreamConnection } from './leg.ts';
import type { DialedConnection } from './upstream.ts';

export interface UpstreamTlsOptions {
  readonly insecure: boolean;
  /** PEM texts that are trusted beside the default roots. */
  readonly extraCa: readonly string[];
  /** The file of NODE_EXTRA_CA_CERTS: Node < 22.15 cannot be asked what it holds. */
  readonly nodeExtraCaFile: string | undefined;
  readonly deadlines: Deadlines;
}

/** Our side of TLS towards servers. */
export class UpstreamTls {
  readonly #options: UpstreamTlsOptions;
  /** Made once: to read the root certificates takes longer than a handshake. */
  #context: tls.SecureContext | null = null;

  constructor(options: UpstreamTlsOptions) {
    this.#options = options;
  }

  /**
   * Does the TLS handshake on a connection that was opened for its host, by the name `serverName` where it is given.
   * @throws {FrametapError} `upstream-certificate`, `upstream-tls-failed`, `upstream-timeout`
   */
  secure(dialed: DialedConnection, serverName = dialed.host): Promise<UpstreamConnection> {
    const { socket: raw, host, port, address, timingsMs } = dialed;
    const { deadlines, insecure } = this.#options;
    const startedMs = performance.now();
    return new Promise((resolve, reject) => {
      const name = serverName.replace(/\.$/, '');
      const socket = tls.connect({
        socket: raw,
        // RFC 6066 §3: addresses are not permitted in server_name; `host` is what the certificate is held against.
        servername: isIP(name) === 0 ? name : '',
        host: name,
        ALPNProtocols: ['http/1.1'],
        rejectUnauthorized: !insecure,
        checkServerIdentity: checkIdentity,
        secureContext: this.#secureContext(),
      });
      const fail = (error: FrametapError): void => {
        deadlines.cancel(deadline);
        socket.destroy();
        raw.destroy();
        reject(error);
      };
      const failed = (cause: unknown): void => fail(tlsError(host, port, cause));
      const closed = (): void => fail(tlsError(host, port, { code: 'ECONNRESET' }));
      const deadline = deadlines.start(() =>
        fail(new FrametapError('upstream-timeout', `The TLS handshake with ${host} port ${port} took too long.`)),
      );
      socket.on('error', failed).on('close', closed);
      socket.once('secureConnect', () => {
        deadlines.cancel(deadline);
        // A peer that vanishes later is seen by the session; here it only must not end the process.
        socket.off('error', failed).off('close', closed).on('error', ignore);
        resolve({
          socket,
          raw,
          address,
          port,
          tls: tlsInfo(socket, peerFingerprint(socket)),
          timingsMs: { ...timingsMs, tls: elapsedMs(startedMs) },
        });
      });
    });
  }

  #secureContext(): tls.SecureContext {
    const { extraCa, nodeExtraCaFile } = this.#options;
    this.#context ??= tls.createSecureContext(
      extraCa.length === 0 ? {} : { ca: [...defaultRoots(nodeExtraCaFile), ...extraCa] },
    );
    return this.#context;
  }
}

const ignore = (): void => undefined;

/** Node's own check, but that some of its releases (22.23) take no IPv6 address for the one in the certificate. */
function checkIdentity(host: string, certificate: tls.PeerCertificate): Error | undefined {
  const listed = isIPv6(host) && new X509Certificate(certificate.raw).checkIP(host) !== undefined;
  return listed ? undefined : tls.checkServerIdentity(host, certificate);
}

/** What a TLS handshake agreed on. */
export function tlsInfo(socket: tls.TLSSocket, certificateSha256: string | null): TlsInfo {
  return {
    version: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher().name,
    alpn: typeof socket.alpnProtocol === 'string' ? socket.alpnProtocol : null,
    certificateSha256,
  };
}

function peerFingerprint(socket: tls.TLSSocket): string | null {
  return socket.getPeerX509Certificate()?.fingerprint256.replaceAll(':', '').toLowerCase() ?? null;
}

/** What Node trusts when nobody names a CA: naming one would otherwise put all of these out of force. */
function defaultRoots(extraFile: string | undefined): readonly string[] {
  // Node >= 22.15; it knows NODE_EXTRA_CA_CERTS and the system's store, where asked for.
  const { getCACertificates } = tls as { getCACertificates?: (type: 'default') => string[] };
  if (getCACertificates !== undefined) return getCACertificates('default');
  return extraFile === undefined ? tls.rootCertificates : [...tls.rootCertificates, ...readPem(extraFile)];
}

/** Node itself only warns about a file that it cannot read. */
function readPem(file: string): string[] {
  try {
    return [readFileSync(file, 'utf8')];
  } catch {
    return [];
  }
}

/** OpenSSL's verdicts (X509_V_ERR_*, as Node spells them) in words. */
const CERTIFICATE_PROBLEMS: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'it is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'its chain ends in a root that is not trusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its issuer is unknown, or the server does not send the whole chain',
  UNABLE_TO_GET_ISSUER_CERT: 'an issuer in its chain is missing',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its issuer is not trusted here',
  CERT_HAS_EXPIRED: 'it has expired',
  CERT_NOT_YET_VALID: 'it is not valid yet',
  CERT_REVOKED: 'it was revoked',
  CERT_UNTRUSTED: 'it is marked as not trusted',
  CERT_REJECTED: 'its root refuses this use',
  CERT_SIGNATURE_FAILURE: 'its signature is wrong',
  CERT_CHAIN_TOO_LONG: 'its chain is too long',
  INVALID_CA: 'an issuer in its chain is no certificate authority',
  INVALID_PURPOSE: 'it is not meant for servers',
  PATH_LENGTH_EXCEEDED: 'its chain is longer than its authority allows',
  HOSTNAME_MISMATCH: 'it is for another name',
  ERR_TLS_CERT_ALTNAME_INVALID: 'it is for another name',
  CA_MD_TOO_WEAK: 'its signature is of a weak kind',
  EE_KEY_TOO_SMALL: 'its key is too small',
};

function tlsError(host: string, port: number, cause: unknown): FrametapError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'ECONNRESET';
  const problem = CERTIFICATE_PROBLEMS[code];
  if (problem !== undefined) {
    const names = cause instanceof Error && 'reason' in cause ? ` ${String(cause.reason)}` : '';
    return new FrametapError(
      'upstream-certificate',
      `The certificate of ${host} port ${port} cannot be verified: ${problem} (${code}).${names}`,
      { cause },
    );
  }
  const means =
    code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG'
      ? 'there is no TLS on this port'
      : code === 'ECONNRESET'
        ? 'the server ended the connection'
        : cause instanceof Error
          ? cause.message.trim()
          : 'unknown';
  return new FrametapError(
    'upstream-tls-failed',
    `The TLS handshake with ${host} port ${port} failed: ${means} (${code}).`,
    { cause },
  );
}
