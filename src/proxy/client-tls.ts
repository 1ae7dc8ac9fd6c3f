import { TLSSocket, type TLSSocketOptions } from 'node:tls';
import { FrametapError } from '../errors.ts';
import type { Authority } from '../tls/authority.ts';
import { ignoreError } from './answer.ts';
import type { ClientConnection } from './client-connection.ts';
import type { Deadlines } from './deadlines.ts';
import { tlsInfo } from './upstream-tls.ts';

export interface ClientTlsOptions {
  readonly authority: Pick<Authority, 'secureContextFor' | 'leafSha256For'>;
  readonly deadlines: Deadlines;
}

/**
 * Ends the client's TLS with a leaf of ours for the name it asks for, or else for `host`.
 * @throws {FrametapError} `client-tls-untrusted`, `client-tls-failed`
 */
export function terminateTls(
  connection: ClientConnection,
  host: string,
  { authority, deadlines }: ClientTlsOptions,
): Promise<ClientConnection> {
  const { socket: outer, raw, tunnel } = connection;
  const writtenBefore = raw.bytesWritten;
  return new Promise((resolve, reject) => {
    const leaf = { name: host };
    const socket = new TLSSocket(outer, {
      isServer: true,
      secureContext: authority.secureContextFor(host),
      ALPNProtocols: ['http/1.1'],
      SNICallback: leafChooser(authority, leaf),
    });
    const finish = (): void => {
      deadlines.cancel(deadline);
      socket.off('secure', secured).off('end', closed).off('close', closed).off('_tlsError', failed).pause();
      socket.on('_tlsError', destroy);
    };
    const failed = (error: Error): void => {
      finish();
      socket.destroy();
      raw.destroy();
      reject(tlsFailure(leaf.name, error, raw.bytesWritten > writtenBefore));
    };
    const closed = (): void =>
      failed(Object.assign(new Error('the client ended the connection'), { code: 'ECONNRESET' }));
    const secured = (): void => {
      finish();
      resolve({
        ...connection,
        socket,
        clientTls: tlsInfo(socket, authority.leafSha256For(leaf.name)),
        tunnel:
          tunnel === null
            ? null
            : { ...tunnel, secure: true, ...(leaf.name !== tunnel.host && { serverName: leaf.name }) },
      });
    };
    const deadline = deadlines.start(() => failed(new Error('the handshake took too long')));
    // Node tells the errors of a server's TLSSocket by `_tlsError`; afterwards they only end the connection.
    socket
      .on('_tlsError', failed)
      .on('error', ignoreError)
      .once('secure', secured)
      .once('end', closed)
      .once('close', closed);
    // Nothing but the end can be read before the handshake is done, and only who reads sees that.
    socket.resume();
  });
}

/**
 * Gives each client the leaf for the name that it asks for, and notes the name. TLSSocket keeps this for as long as it
 * lives: it must not hold what the handshake needed beside.
 */
function leafChooser(
  authority: ClientTlsOptions['authority'],
  leaf: { name: string },
): TLSSocketOptions['SNICallback'] {
  return (asked, done) => {
    try {
      const context = authority.secureContextFor(asked);
      leaf.name = asked;
      done(null, context);
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)));
    }
  };
}

function destroy(this: TLSSocket): void {
  this.destroy();
}

/** Alerts by which a client says that it does not trust the chain (RFC 8446 §6.2). */
const UNTRUSTED = /ALERT_(UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_UNKNOWN|UNSUPPORTED_CERTIFICATE)/;

function tlsFailure(host: string, error: Error, answered: boolean): FrametapError {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const alert = UNTRUSTED.exec(code)?.[1];
  // Some clients send no alert, and just go when they have seen our certificate.
  if (alert !== undefined || (answered && code === 'ECONNRESET')) {
    const how = alert === undefined ? 'it closed the connection at our certificate' : `alert ${alert.toLowerCase()}`;
    return new FrametapError(
      'client-tls-untrusted',
      `The client does not accept Frametap's certificate for ${host} (${how}). Mostly the CA is not installed: http://frametap.test/ through the proxy has it.`,
      { cause: error },
    );
  }
  return new FrametapError('client-tls-failed', `The client's TLS handshake for ${host} failed: ${words(error)}.`, {
    cause: error,
  });
}

/** OpenSSL's own sentence, without the place in its source. */
function words(error: Error): string {
  const reason = 'reason' in error && typeof error.reason === 'string' ? error.reason : error.message;
  return reason.trim();
}
