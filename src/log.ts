import { Writable } from 'node:stream';
import { pino, type Logger } from 'pino';

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Fields that must not be logged even where somebody puts them in by mistake. */
const SECRET_FIELDS = ['token', 'uiToken', 'password', 'proxyAuth', 'authorization', 'cookie', 'key', 'payload'];
const FIELDS_SHOWN_ELSEWHERE = new Set(['level', 'time', 'pid', 'hostname', 'msg', 'err']);

/**
 * Logs go to stderr: one JSON object a line, or short lines to read where stderr is a terminal.
 * Never a payload, never a secret.
 */
export function createLogger(options: {
  readonly level: LogLevel;
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean };
}): Logger {
  const { level, stderr } = options;
  const target: { write(line: string): void } =
    stderr.isTTY === true ? readableLines(stderr) : { write: (line) => void stderr.write(line) };
  const redact = { paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`]), censor: '[redacted]' };
  return pino({ level, redact, timestamp: pino.stdTimeFunctions.isoTime }, target);
}

function readableLines(stderr: NodeJS.WritableStream): Writable {
  return new Writable({
    decodeStrings: false,
    write(line: string, _encoding, done): void {
      stderr.write(`${readable(JSON.parse(line) as LogLine)}\n`);
      done();
    },
  });
}

interface LogLine {
  readonly level: number;
  readonly time: string;
  readonly msg?: string;
  readonly err?: { readonly message?: string; readonly code?: string };
  readonly [field: string]: unknown;
}

function readable(line: LogLine): string {
  const level = pino.levels.labels[line.level] ?? String(line.level);
  const fields = Object.entries(line)
    .filter(([name]) => !FIELDS_SHOWN_ELSEWHERE.has(name))
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const fault = line.err === undefined ? [] : [`(${line.err.code ?? 'error'}: ${line.err.message ?? ''})`];
  const text = [line.time.slice(11, 19), level.padEnd(5), line.msg ?? '', ...fields, ...fault].join(' ');
  // What peers sent (host names, reasons) must not steer the terminal.
  return text.replace(/[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g, '\ufffd');
}
