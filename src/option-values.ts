import { isIP } from 'node:net';
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { LOG_LEVELS, type LogLevel } from './log.ts';

/**
 * Readers of option values: text from flags and variables, or JSON from the configuration file, to what the program
 * uses. Each throws a RangeError whose message says what was expected.
 */
export type ReadValue<T> = (value: unknown) => T;

/** Where `--reverse` leads: an origin, without a path. */
export interface ReverseOrigin {
  readonly url: string;
  readonly secure: boolean;
  /** Without brackets for IPv6. */
  readonly host: string;
  readonly port: number;
}
export interface Credentials {
  readonly user: string;
  readonly password: string;
}

const UNITS: Readonly<Record<string, number>> = {
  b: 1,
  k: 1024,
  kb: 1000,
  kib: 1024,
  m: 1024 ** 2,
  mb: 1000 ** 2,
  mib: 1024 ** 2,
  g: 1024 ** 3,
  gb: 1000 ** 3,
  gib: 1024 ** 3,
};

/** 0 asks the system for any free port. */
export const readPort: ReadValue<number> = (value) => {
  const port = typeof value === 'string' && /^\d{1,5}$/.test(value) ? Number(value) : value;
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 0 || port > 65535) {
    throw new RangeError('expected a port number from 0 to 65535');
  }
  return port;
};

export const readSize =
  (minimumBytes: number): ReadValue<number> =>
  (value) => {
    let bytes: unknown = value;
    if (typeof value === 'string') {
      const [, number, unit = 'b'] = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(value) ?? [];
      bytes = Math.floor(Number(number) * (UNITS[unit.toLowerCase() || 'b'] ?? NaN));
    }
    if (typeof bytes !== 'number' || !Number.isSafeInteger(bytes)) {
      throw new RangeError('expected a size like 256MiB, 1GiB or a number of bytes');
    }
    if (bytes < minimumBytes) throw new RangeError(`expected at least ${minimumBytes} bytes`);
    return bytes;
  };

/** An address or a name to listen on, without brackets. */
export const readHost: ReadValue<string> = (value) => {
  const host = readText(value).replace(/^\[(.*)\]$/, '$1');
  if (isIP(host) === 0 && !/^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_.])?$/i.test(host)) {
    throw new RangeError('expected an IP address or a host name, without port');
  }
  return host;
};

export const readText: ReadValue<string> = (value) => {
  if (typeof value !== 'string' || value === '') throw new RangeError('expected text');
  return value;
};

/** An absolute path; `~/` is the home folder also where no shell has seen it. */
export const readPath: ReadValue<string> = (value) => resolve(readText(value).replace(/^~(?=\/|\\|$)/, homedir()));

/** Absolute paths. Commas part several in a variable. */
export const readPaths: ReadValue<readonly string[]> = (value) => {
  const all = typeof value === 'string' ? value.split(',').map((path) => path.trim()) : value;
  return Object.freeze((Array.isArray(all) ? (all as readonly unknown[]) : [all]).map(readPath));
};

export const readSwitch: ReadValue<boolean> = (value) => {
  if (typeof value === 'boolean') return value;
  const text = typeof value === 'string' ? value.toLowerCase() : '';
  if (['1', 'true', 'yes', 'on'].includes(text)) return true;
  if (['0', 'false', 'no', 'off', ''].includes(text) && typeof value === 'string') return false;
  throw new RangeError('expected true or false');
};

export const readLogLevel: ReadValue<LogLevel> = (value) => {
  const level = LOG_LEVELS.find((known) => known === value);
  if (level === undefined) throw new RangeError(`expected one of ${LOG_LEVELS.join(', ')}`);
  return level;
};

/** RFC 7617 §2: no colon in the user, no control characters in either. */
export const readCredentials: ReadValue<Credentials> = (value) => {
  const text = typeof value === 'string' ? value : '';
  const colon = text.indexOf(':');
  if (colon < 1 || colon === text.length - 1 || /[\x00-\x1f\x7f]/.test(text)) {
    throw new RangeError('expected user:password');
  }
  return { user: text.slice(0, colon), password: text.slice(colon + 1) };
};

/** RFC 6750 §2.1: what a bearer token may consist of; it also fits a cookie. */
export const readToken: ReadValue<string> = (value) => {
  if (typeof value !== 'string' || !/^[A-Za-z0-9._~+/-]+=*$/.test(value)) {
    throw new RangeError('expected letters, digits and - . _ ~ + / only');
  }
  return value;
};

export const readReverse: ReadValue<ReverseOrigin> = (value) => {
  const text = typeof value === 'string' ? value : '';
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^(ws|wss|http|https):\/\//i.test(text) || url.hostname === '') {
    throw new RangeError('expected a URL like ws://localhost:3000, wss://…, http://… or https://…');
  }
  if (url.username !== '' || url.password !== '') throw new RangeError('expected a URL without user and password');
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '' || /[?#]/.test(text)) {
    throw new RangeError('expected a URL without path, query or fragment: every path goes to this origin as it is');
  }
  const secure = url.protocol === 'wss:' || url.protocol === 'https:';
  const port = url.port === '' ? (secure ? 443 : 80) : Number(url.port);
  if (port === 0) throw new RangeError('expected a port from 1 to 65535');
  return { url: `${url.protocol}//${url.host}`, secure, host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port };
};

/** `*` stands for any run of characters, `?` for one. Commas part several in a variable. */
export const readHostGlobs: ReadValue<readonly string[]> = (value) => {
  const all = (Array.isArray(value) ? value : [value]) as readonly unknown[];
  const globs = all.flatMap((item) => (typeof item === 'string' ? item.split(',').map((glob) => glob.trim()) : [item]));
  return Object.freeze(
    globs.map((glob) => {
      if (typeof glob !== 'string' || !/^[a-z0-9_.*?:[\]-]+$/i.test(glob)) {
        throw new RangeError('expected host names, with * and ? where need be, like *.bank.example');
      }
      return glob.toLowerCase();
    }),
  );
};
