import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import type { IncomingMessage } from 'node:http';
import { isIPv6 } from 'node:net';

/**
 * Who may look. Three ways in: the token as `Authorization: Bearer`, the cookie that a login sets, and the login
 * itself, by the token or by a code that works once. docs/decisions/dashboard-login.md says why.
 */
export interface Auth {
  /** `name=value` of the cookie. */
  readonly cookie: string;
  /** The code for the next login; another one after each that was used. */
  loginCode(): string;
  /** The cookie to set where `secret` is the token or the present code, which is then used up; else undefined. */
  login(secret: string): string | undefined;
  /** The request carries the token or the cookie. */
  admits(request: IncomingMessage): boolean;
}

/**
 * The cookie's name carries the port, since cookies do not keep ports apart; its value is derived from the token, so
 * that another server on this machine that is sent it does not learn the token.
 */
export function createAuth({ token, port }: { readonly token: string; readonly port: number }): Auth {
  const cookieName = `frametap_${port}`;
  const cookieValue = createHmac('sha256', token).update(cookieName).digest('base64url');
  let code = newCode();
  const cookie = `${cookieName}=${cookieValue}`;
  return {
    cookie,
    loginCode: () => code,
    login(secret) {
      const byCode = equal(secret, code);
      if (!byCode && !equal(secret, token)) return undefined;
      if (byCode) code = newCode();
      return `${cookie}; Path=/; HttpOnly; SameSite=Strict`;
    },
    admits(request) {
      const bearer = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
      if (bearer !== undefined) return equal(bearer, token);
      const cookies = (request.headers.cookie ?? '').split(';').map((cookie) => cookie.trim());
      return cookies.some((cookie) => {
        const at = cookie.indexOf('=');
        return cookie.slice(0, at) === cookieName && equal(cookie.slice(at + 1), cookieValue);
      });
    },
  };
}

const newCode = (): string => randomBytes(16).toString('base64url');

/** Takes the same time wherever the two differ, and whatever their lengths. */
function equal(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

/**
 * The authorities (`host:port`, lower case) under which the dashboard bound to `host` may be asked for: no other name
 * that happens to lead here is answered, whoever made it do so (DNS rebinding).
 */
export function ownAuthorities(host: string, port: number): ReadonlySet<string> {
  const hosts = new Set(['127.0.0.1', 'localhost', '[::1]', bracketed(host)]);
  if (host === '0.0.0.0' || host === '::') {
    for (const { address } of Object.values(networkInterfaces()).flatMap((of) => of ?? [])) {
      hosts.add(bracketed(address));
    }
  }
  const authorities = new Set<string>();
  for (const name of hosts) {
    authorities.add(`${name.toLowerCase()}:${port}`);
    if (port === 80) authorities.add(name.toLowerCase());
  }
  return authorities;
}

/** An address or name as it stands in a URL. */
export function bracketed(host: string): string {
  return isIPv6(host) ? `[${host.replace(/%.*$/, '')}]` : host;
}

/** The request has one Host, and it is one of ours. */
export function hostAllowed(request: IncomingMessage, authorities: ReadonlySet<string>): boolean {
  const hosts = request.rawHeaders.filter((name, at) => at % 2 === 0 && name.toLowerCase() === 'host');
  return hosts.length === 1 && authorities.has((request.headers.host ?? '').toLowerCase());
}

/**
 * The request comes from no page, or from a page of ours. Browsers send Origin with every WebSocket handshake and
 * with all that changes something; what they load without one (images, scripts, links) names its site instead.
 */
export function originAllowed(request: IncomingMessage, authorities: ReadonlySet<string>): boolean {
  const origins = request.rawHeaders.filter(
    (_, at) => at % 2 === 1 && /^origin$/i.test(request.rawHeaders[at - 1] ?? ''),
  );
  if (origins.length > 0) {
    return origins.every((origin) => {
      const lower = origin.toLowerCase();
      return lower.startsWith('http://') && authorities.has(lower.slice('http://'.length));
    });
  }
  const site = request.headers['sec-fetch-site'];
  const navigates =
    request.headers['sec-fetch-mode'] === 'navigate' && request.headers['sec-fetch-dest'] === 'document';
  return site === undefined || site === 'same-origin' || site === 'none' || navigates;
}
