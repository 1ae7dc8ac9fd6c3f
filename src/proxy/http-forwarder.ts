import type { IncomingMessage, ServerResponse } from 'node:http';
import { FrametapError } from '../errors.ts';
import { ConnectionPool } from './http/connection-pool.ts';
import { Exchange } from './http/exchange.ts';
import { answerFailure } from './http/failure.ts';
import { createHttpProxy } from './http/http-proxy.ts';
import type { Origin, Upstream } from './leg.ts';

export interface ForwardDestination {
  readonly origin: Origin;
  /** The origin-form request target exactly as it was on the wire. */
  readonly target: string;
  /** Takes the place of the Host field's value (reverse mode). */
  readonly host?: string;
}

/** Plain HTTP, passed through with everything that the two ends can see of each other left as it was. */
export interface HttpForwarder {
  /**
   * Carries one request to `origin` and the answer back. Failures are answered here; nothing is thrown.
   * For `Expect: 100-continue` to be the server's decision, call it for the `checkContinue` event of Node's server too.
   */
  forward(request: IncomingMessage, response: ServerResponse, to: ForwardDestination): void;
  /** Ends idle upstream connections. Exchanges under way come to their end. */
  close(): void;
}

export interface HttpForwarderOptions {
  readonly upstream: Upstream;
  readonly logger?: { warn(fields: Readonly<Record<string, unknown>>, message: string): void } | undefined;
  /** Requests beyond it wait for a connection. */
  readonly maxConnectionsPerOrigin?: number | undefined;
}

export function createHttpForwarder(options: HttpForwarderOptions): HttpForwarder {
  const { logger } = options;
  const pool = new ConnectionPool(options);
  const httpProxy = createHttpProxy();
  // Without a listener http-proxy throws, out of an event where nobody can catch it.
  httpProxy.on('error', (error) => logger?.warn({ err: error }, 'http-proxy reported an error outside an exchange'));

  return {
    forward(request, response, { origin, target: targetOnWire, host }) {
      if (response.destroyed) return;
      const target = completeTarget(targetOnWire, request.method);
      if (!/^[\x21-\x7e\x80-\xff]+$/.test(target) || !/^[\x20-\x7e]*$/.test(host ?? '')) {
        answerFailure(request, response, new FrametapError('target-invalid'));
        request.resume();
        return;
      }
      const onFailure = (error: FrametapError): void =>
        logger?.warn({ code: error.code, host: origin.host, port: origin.port }, error.message);
      new Exchange({ httpProxy, pool, request, response, origin, target, host, onFailure }).start();
    },
    close: () => pool.close(),
  };
}

/**
 * An absolute URL may stop after its authority; the origin form may not.
 * @see RFC 9112 §3.2.1, §3.2.4
 */
function completeTarget(target: string, method: string | undefined): string {
  if (target === '') return method === 'OPTIONS' ? '*' : '/';
  return target.startsWith('?') ? `/${target}` : target;
}
