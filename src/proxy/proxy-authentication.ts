import { createHash, timingSafeEqual } from 'node:crypto';
import type { HeaderList, RequestHead } from '../contract/session.ts';
import { FrametapError } from '../errors.ts';
import { fieldValues } from '../protocol/head.ts';

/** What stands in a record in the place of credentials for the proxy. */
const NOT_RECORDED = '(not recorded)';

/** Basic authentication of the proxy's users (RFC 7617), by Proxy-Authorization alone: Authorization is the server's. */
export class ProxyAuthentication {
  readonly #expected: Buffer | null;

  /** @param credentials `user:password`, or null to let everybody in */
  constructor(credentials: string | null) {
    this.#expected = credentials === null ? null : digest(Buffer.from(credentials).toString('base64'));
  }

  /** What to refuse a request with, or null where it may pass. */
  check(headers: HeaderList): FrametapError | null {
    if (this.#expected === null) return null;
    const values = fieldValues(headers, 'proxy-authorization');
    const given = values.length === 1 ? /^basic +([A-Za-z0-9+/=]+)$/i.exec(values[0] ?? '')?.[1] : undefined;
    // Digests have one length, so that the comparison takes the same time for any input.
    if (given !== undefined && timingSafeEqual(digest(given), this.#expected)) return null;
    return new FrametapError('proxy-auth-required');
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** The head as it may be kept. */
export function withoutProxyCredentials(head: RequestHead): RequestHead {
  if (fieldValues(head.headers, 'proxy-authorization').length === 0) return head;
  const headers = head.headers.map(([name, value]): readonly [string, string] =>
    name.toLowerCase() === 'proxy-authorization' ? [name, NOT_RECORDED] : [name, value],
  );
  return { ...head, headers };
}
