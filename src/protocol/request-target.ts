import { FrametapError } from '../errors.ts';

export interface HostPort {
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
}
export interface AbsoluteTarget extends HostPort {
  readonly secure: boolean;
  /** Path and query to the byte; empty where the URL stops after its authority. */
  readonly path: string;
}

const SCHEMES: Readonly<Record<string, { secure: boolean; port: number }>> = {
  http: { secure: false, port: 80 },
  ws: { secure: false, port: 80 },
  https: { secure: true, port: 443 },
  wss: { secure: true, port: 443 },
};
/** Registered names and IPv4; `_` and `%` occur in real names and zones. */
const HOST = /^[A-Za-z0-9._~%!$&'()*+,;=-]{1,253}$/;
const IPV6 = /^[0-9A-Fa-f:.]{2,45}(?:%[A-Za-z0-9._~-]+)?$/;

/**
 * Reads `host:port` or `[address]:port`.
 * @param defaultPort for when there is none; without it the port must be there (CONNECT, RFC 9110 §9.3.6)
 * @throws {FrametapError} `target-invalid`
 */
export function parseAuthority(text: string, defaultPort?: number): HostPort {
  const bracketed = /^\[([^\]]*)\](?::(\d{0,5}))?$/.exec(text);
  const match = bracketed ?? /^([^:[\]@]*)(?::(\d{0,5}))?$/.exec(text);
  const host = match?.[1] ?? '';
  const digits = match?.[2] ?? '';
  const port = digits === '' ? defaultPort : Number(digits);
  if (!(bracketed === null ? HOST : IPV6).test(host) || port === undefined || port < 1 || port > 65535) {
    throw new FrametapError('target-invalid', `${shown(text)} is no host and port.`);
  }
  return { host, port };
}

/**
 * Reads an absolute URL, or returns null for a target of another form.
 * @throws {FrametapError} `target-invalid` for a scheme or authority that cannot be proxied
 * @see RFC 9112 §3.2.2
 */
export function parseAbsoluteTarget(target: string): AbsoluteTarget | null {
  const match = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#\\]*)(.*)$/.exec(target);
  if (match === null) return null;
  const scheme = SCHEMES[(match[1] ?? '').toLowerCase()];
  if (scheme === undefined) {
    throw new FrametapError('target-invalid', `${shown(target)} is neither http, https, ws nor wss.`);
  }
  const { host, port } = parseAuthority(match[2] ?? '', scheme.port);
  return { secure: scheme.secure, host, port, path: match[3] ?? '' };
}

/** Host and port as they stand in a Host field: brackets for IPv6, no port where it is the scheme's own. */
export function formatAuthority(origin: HostPort & { readonly secure: boolean }): string {
  const standard = origin.secure ? 443 : 80;
  return origin.port === standard ? bracket(origin.host) : formatHostPort(origin);
}

/** Host and port, always both. */
export function formatHostPort({ host, port }: HostPort): string {
  return `${bracket(host)}:${port}`;
}

const bracket = (host: string): string => (host.includes(':') ? `[${host}]` : host);
const shown = (text: string): string => JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
