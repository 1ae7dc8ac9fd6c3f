import { homedir } from 'node:os';
import { join } from 'node:path';
import type { LogLevel } from './log.ts';
import {
  readCredentials,
  readHost,
  readHostGlobs,
  readLogLevel,
  readPath,
  readPaths,
  readPort,
  readReverse,
  readSize,
  readSwitch,
  readText,
  readToken,
  type Credentials,
  type ReadValue,
  type ReverseOrigin,
} from './option-values.ts';

/**
 * The one schema of the configuration: flags, variables, file, types, `--help` and docs/options.md are made from it.
 */
export interface Option<T> {
  /** Of the flag, without dashes; also the key in the configuration file. */
  readonly name: string;
  /** What stands for the value in the help; a switch has none. */
  readonly argument?: string;
  readonly repeatable?: true;
  readonly read: ReadValue<T>;
  readonly fallback: T;
  /** How the default is told. */
  readonly shown: string;
  readonly help: string;
}

const option = <T>(definition: Option<T>): Option<T> => definition;
const onOff = (name: string, help: string): Option<boolean> => ({
  name,
  read: readSwitch,
  fallback: false,
  shown: 'off',
  help,
});
const MIB = 1024 ** 2;

export const OPTIONS = {
  port: option({
    name: 'port',
    argument: '<n>',
    read: readPort,
    fallback: 8080,
    shown: '8080',
    help: 'Port of the proxy. Not given and taken: the next free one. 0: any free one.',
  }),
  uiPort: option({
    name: 'ui-port',
    argument: '<n>',
    read: readPort,
    fallback: 8081,
    shown: '8081',
    help: 'Port of the dashboard and API, likewise.',
  }),
  host: option({
    name: 'host',
    argument: '<addr>',
    read: readHost,
    fallback: '127.0.0.1',
    shown: '127.0.0.1',
    help: 'Address the proxy listens on. Beyond loopback it wants --proxy-auth or --allow-open-proxy.',
  }),
  uiHost: option({
    name: 'ui-host',
    argument: '<addr>',
    read: readHost,
    fallback: '127.0.0.1',
    shown: '127.0.0.1',
    help: 'Address the dashboard listens on.',
  }),
  proxyAuth: option<Credentials | null>({
    name: 'proxy-auth',
    argument: '<user:password>',
    read: readCredentials,
    fallback: null,
    shown: 'none',
    help: 'Basic authentication that the proxy demands. Never forwarded, logged or exported.',
  }),
  allowOpenProxy: onOff('allow-open-proxy', 'Listen beyond loopback without --proxy-auth.'),
  reverse: option<ReverseOrigin | null>({
    name: 'reverse',
    argument: '<url>',
    read: readReverse,
    fallback: null,
    shown: 'none',
    help: 'Reverse mode: what reaches the port goes to this ws, wss, http or https origin.',
  }),
  keepHost: onOff('keep-host', "Reverse mode: leave Host as the client sent it instead of the origin's."),
  certs: option({
    name: 'certs',
    argument: '<dir>',
    read: readPath,
    fallback: join(homedir(), '.frametap', 'certs'),
    shown: '~/.frametap/certs',
    help: 'Folder of the certificate authority, made at the first start. Only you may be able to read it.',
  }),
  insecure: onOff('insecure', 'Do not verify the certificates of servers.'),
  upstreamCa: option<string | null>({
    name: 'upstream-ca',
    argument: '<file>',
    read: readPath,
    fallback: null,
    shown: 'none',
    help: 'Trust the certificates in this PEM file too when connecting to servers.',
  }),
  passthrough: option<readonly string[]>({
    name: 'passthrough',
    argument: '<host-glob>',
    repeatable: true,
    read: readHostGlobs,
    fallback: Object.freeze([]),
    shown: 'none',
    help: 'TLS to these hosts is tunnelled unread. Repeatable.',
  }),
  proto: option<readonly string[]>({
    name: 'proto',
    argument: '<file>',
    repeatable: true,
    read: readPaths,
    fallback: Object.freeze([]),
    shown: 'none',
    help: 'Decode protobuf messages by the types of this .proto file and of those given with it. Repeatable.',
  }),
  memoryBytes: option({
    name: 'memory',
    argument: '<size>',
    read: readSize(MIB),
    fallback: 256 * MIB,
    shown: '256MiB',
    help: 'What the capture may hold in memory. The oldest goes first.',
  }),
  payloadLimitBytes: option({
    name: 'payload-limit',
    argument: '<size>',
    read: readSize(0),
    fallback: 16 * MIB,
    shown: '16MiB',
    help: 'How much of the payload of one frame the capture keeps. What is forwarded is never cut.',
  }),
  uiToken: option<string | null>({
    name: 'ui-token',
    argument: '<token>',
    read: readToken,
    fallback: null,
    shown: 'random, 128 bits',
    help: "The dashboard's token.",
  }),
  strict: onOff('strict', 'Fail the connection on a protocol violation instead of forwarding it.'),
  logLevel: option<LogLevel>({
    name: 'log-level',
    argument: '<level>',
    read: readLogLevel,
    fallback: 'info',
    shown: 'info',
    help: 'What is logged to stderr: fatal, error, warn, info, debug or trace.',
  }),
  json: onOff('json', 'Print one line of JSON at start in place of text.'),
  config: option<string | null>({
    name: 'config',
    argument: '<file>',
    read: readText,
    fallback: null,
    shown: 'none',
    help: "JSON file with options: the keys are the options' names. Unknown keys are refused.",
  }),
} as const;

export type OptionKey = keyof typeof OPTIONS;
export const OPTION_KEYS = Object.keys(OPTIONS) as OptionKey[];

export const flagOf = (key: OptionKey): string => `--${OPTIONS[key].name}`;
export const VARIABLE_PREFIX = 'FRAMETAP_';
export const variableOf = (key: OptionKey): string =>
  `${VARIABLE_PREFIX}${OPTIONS[key].name.toUpperCase().replaceAll('-', '_')}`;

/** The page docs/options.md, before prettier has aligned it. */
export function optionsPage(): string {
  const rows = OPTION_KEYS.map((key) => {
    const { argument, shown, help } = OPTIONS[key] as Option<unknown>;
    const flag = argument === undefined ? flagOf(key) : `${flagOf(key)} ${argument}`;
    return `| \`${flag}\` | \`${variableOf(key)}\` | ${shown} | ${help} |`;
  });
  return `# Options

Flags come first, then variables, then the file of \`--config\`, then the defaults.

| option | variable | default | meaning |
| --- | --- | --- | --- |
${rows.join('\n')}

Sizes are written like \`256MiB\`, \`1GiB\`, \`500MB\` or as a number of bytes. A switch is turned on by its flag, by
\`1\`, \`true\`, \`yes\` or \`on\` in its variable, and by \`true\` in the file; \`0\`, \`false\`, \`no\` and \`off\` turn it off.
A variable that begins so and is no option is named in a warning.
Several host globs or .proto files in a variable are parted by commas; in the file they are a list.

\`\`\`json
{ "port": 9000, "memory": "1GiB", "passthrough": ["*.bank.example"], "strict": true }
\`\`\`

A value that is wrong on the command line ends the program with exit code 64, anything else wrong with the
configuration with 78.
`;
}
