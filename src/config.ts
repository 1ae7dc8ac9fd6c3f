import { randomBytes, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isIPv4, isIPv6 } from 'node:net';
import { relative, sep } from 'node:path';
import type { ProtoText } from './contract/protos.ts';
import { FrametapError } from './errors.ts';
import { flagOf, OPTION_KEYS, OPTIONS, VARIABLE_PREFIX, variableOf, type Option, type OptionKey } from './options.ts';

const VARIABLES: ReadonlySet<string> = new Set(OPTION_KEYS.map(variableOf));

type Values = { readonly [K in OptionKey]: (typeof OPTIONS)[K] extends Option<infer T> ? T : never };

/** The configuration of one run: read once, frozen. */
export interface Config extends Omit<Values, 'uiToken' | 'upstreamCa' | 'proto'> {
  readonly uiToken: string;
  /** The certificates of `--upstream-ca` themselves, PEM, or null. */
  readonly upstreamCaPem: string | null;
  /** The texts of the `--proto` files. */
  readonly protos: readonly ProtoText[];
  /** Path that Node's own NODE_EXTRA_CA_CERTS names: trusted beside `upstreamCaPem` too. */
  readonly nodeExtraCaFile: string | undefined;
  /** The options that were given, by whatever way: a port that was asked for is not replaced by the next free one. */
  readonly given: ReadonlySet<OptionKey>;
  /** Variables with our prefix that are no option: mistyped, or of somebody else. */
  readonly unknownVariables: readonly string[];
}

export interface ConfigSources {
  /** Values of flags by option key, as commander has them. */
  readonly flags: Readonly<Partial<Record<OptionKey, unknown>>>;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Flags before variables before the file of `--config` before defaults.
 * @throws {FrametapError} `usage` for a wrong flag, `config-invalid`, `open-proxy-refused`
 */
export async function loadConfig({ flags, env }: ConfigSources): Promise<Config> {
  const path = typeof flags.config === 'string' ? flags.config : (env[variableOf('config')] ?? '');
  const file = path === '' ? {} : await readConfigFile(path);
  const values: Partial<Record<OptionKey, unknown>> = {};
  const given = new Set<OptionKey>();
  for (const key of OPTION_KEYS) {
    const { name, fallback } = OPTIONS[key];
    const variable = env[variableOf(key)];
    if (flags[key] !== undefined) {
      values[key] = readFrom(key, flags[key], 'usage', flagOf(key));
    } else if (variable !== undefined && variable !== '') {
      values[key] = readFrom(key, variable, 'config-invalid', variableOf(key));
    } else if (file[name] !== undefined) {
      values[key] = readFrom(key, file[name], 'config-invalid', `"${name}" in ${path}`);
    } else {
      values[key] = fallback;
      continue;
    }
    given.add(key);
  }
  const { uiToken, upstreamCa, proto, ...rest } = values as Values;
  const config: Config = Object.freeze({
    ...rest,
    uiToken: uiToken ?? randomBytes(16).toString('base64url'),
    upstreamCaPem: upstreamCa === null ? null : await readCertificates(upstreamCa),
    protos: await Promise.all(proto.map(readProto)),
    nodeExtraCaFile: env['NODE_EXTRA_CA_CERTS'],
    given,
    unknownVariables: Object.keys(env).filter((name) => name.startsWith(VARIABLE_PREFIX) && !VARIABLES.has(name)),
  });
  checkTogether(config);
  return config;
}

/** Whether only this machine can reach what listens there. A name that is not `localhost` counts as beyond. */
export function isLoopback(host: string): boolean {
  if (isIPv4(host)) return host.startsWith('127.');
  if (isIPv6(host)) return /^\[(::1|::ffff:7f[0-9a-f]{2}:[0-9a-f]+)\]$/.test(new URL(`http://[${host}]/`).hostname);
  return host.toLowerCase() === 'localhost';
}

function readFrom(key: OptionKey, value: unknown, code: 'usage' | 'config-invalid', source: string): unknown {
  try {
    return OPTIONS[key].read(value);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    // Never the value itself: it may be a password.
    throw new FrametapError(code, `${source}: ${cause.message}.`, { cause });
  }
}

function checkTogether(config: Config): void {
  if (!isLoopback(config.host) && config.proxyAuth === null && !config.allowOpenProxy) {
    throw new FrametapError(
      'open-proxy-refused',
      `--host ${config.host} would let everybody who reaches this machine use the proxy. ` +
        'Give --proxy-auth user:password, or say --allow-open-proxy.',
    );
  }
  if (config.keepHost && config.reverse === null) {
    throw new FrametapError('config-invalid', '--keep-host means nothing without --reverse.');
  }
  if (config.port === config.uiPort && config.port !== 0 && config.given.has('port') && config.given.has('uiPort')) {
    throw new FrametapError('config-invalid', `--port and --ui-port are both ${config.port}: they need one each.`);
  }
}

async function readConfigFile(path: string): Promise<Record<string, unknown>> {
  const refuse = (what: string, cause?: unknown): FrametapError =>
    new FrametapError('config-invalid', `${path} ${what}`, { cause });
  let content: unknown;
  try {
    content = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw refuse(cause instanceof SyntaxError ? `is no JSON: ${cause.message}` : 'cannot be read.', cause);
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw refuse('must hold one JSON object.');
  }
  const known = OPTION_KEYS.filter((key) => key !== 'config').map((key): string => OPTIONS[key].name);
  const unknown = Object.keys(content).filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    const named = unknown.map((name) => JSON.stringify(name)).join(', ');
    throw refuse(`has keys that are no options: ${named}. There are: ${known.join(', ')}.`);
  }
  return content as Record<string, unknown>;
}

async function readCertificates(path: string): Promise<string> {
  const refuse = (what: string, cause?: unknown): FrametapError =>
    new FrametapError('config-invalid', `--upstream-ca: ${path} ${what}.`, { cause });
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw refuse('cannot be read', cause);
  }
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw refuse('holds no certificate in PEM');
  try {
    // Each must be readable: TLS would pass over a damaged one in silence.
    return blocks.map((block) => new X509Certificate(block).toString()).join('');
  } catch (cause) {
    throw refuse('holds a damaged certificate', cause);
  }
}

/** Its name is its path from the working folder: that is how the user knows it. */
async function readProto(path: string): Promise<ProtoText> {
  const fromHere = relative('.', path);
  const name = (fromHere.startsWith('..') ? path : fromHere).replaceAll(sep, '/');
  try {
    return { name, text: await readFile(path, 'utf8') };
  } catch (cause) {
    throw new FrametapError('config-invalid', `--proto: ${path} cannot be read.`, { cause });
  }
}
