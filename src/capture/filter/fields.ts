import * as frameBits from '../../contract/frame-bits.ts';
import { Direction, Opcode, opcodeName } from '../../contract/frame.ts';
import {
  FRAME_VIOLATIONS,
  HANDSHAKE_VIOLATIONS,
  MESSAGE_VIOLATIONS,
  ViolationBit,
  type MessageViolationCode,
} from '../../contract/violations.ts';
import { Truth, truth, type Candidate } from './candidate.ts';
import { GuardedRegex } from './guarded-regex.ts';
import { partAt, readJsonPath } from './json-path.ts';
import { frameTest, payloadTest, regexTest, sessionTest, type FilterNode } from './node.ts';
import { compare, type Comparison, type FilterText } from './reader.ts';

/** One field of the language: how it is read from what follows its name. */
interface Field {
  /** What completion offers behind the name. */
  readonly operators: readonly string[];
  readonly values: readonly string[];
  readonly means: string;
  read(text: FilterText): FilterNode;
}

/** Reads a value and finds it in a table. */
function choice<T>(means: string, table: Readonly<Record<string, T>>, make: (value: T) => FilterNode): Field {
  const values = Object.keys(table);
  return {
    operators: [':'],
    values,
    means,
    read(text) {
      text.comparison(['=']);
      const start = text.position;
      const value = text.value(oneOf(values)).toLowerCase();
      if (!Object.hasOwn(table, value)) return text.fail(oneOf(values), start);
      return make(table[value] as T);
    },
  };
}
const oneOf = (values: readonly string[]): string => `one of ${values.join(', ')}`;

/** Finds a text in what a session says of itself; with `*` in it, the text stands for all of one of these. */
function words(means: string, read: (session: Candidate['session']) => readonly (string | null)[]): Field {
  return {
    operators: [':'],
    values: [],
    means,
    read(text) {
      text.comparison(['=']);
      const wanted = text.value('a text').toLowerCase();
      const matches = wanted.includes('*') ? globMatcher(wanted) : (word: string) => word.includes(wanted);
      return sessionTest(({ session }) => truth(read(session).some((text) => matches(text?.toLowerCase() ?? ''))));
    },
  };
}

/** `*` stands for anything. Linear: each part is found at its first place. */
function globMatcher(glob: string): (text: string) => boolean {
  const parts = glob.split('*');
  const first = parts[0] ?? '';
  const last = parts.at(-1) ?? '';
  return (text) => {
    if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length) return false;
    let at = first.length;
    for (const part of parts.slice(1, -1)) {
      const found = text.indexOf(part, at);
      if (found < 0) return false;
      at = found + part.length;
    }
    return at <= text.length - last.length;
  };
}

function number(means: string, values: readonly string[], make: (test: (n: number) => boolean) => FilterNode): Field {
  return {
    operators: [':', '>', '>=', '<', '<='],
    values,
    means,
    read(text) {
      const comparison = text.comparison();
      const found = text.take(/\d{1,15}(?![\w.])/y) ?? text.fail('a number');
      const wanted = Number(found[0]);
      return make((n) => compare(comparison, n, wanted));
    },
  };
}

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
};

const DIRECTIONS: Readonly<Record<string, Direction>> = {
  up: Direction.ClientToServer,
  down: Direction.ServerToClient,
  'to-server': Direction.ClientToServer,
  'to-client': Direction.ServerToClient,
  [Direction.ClientToServer]: Direction.ClientToServer,
  [Direction.ServerToClient]: Direction.ServerToClient,
};

const OPCODES: Readonly<Record<string, (opcode: number) => boolean>> = {
  ...Object.fromEntries(Object.values(Opcode).map((code) => [opcodeName(code), (opcode: number) => opcode === code])),
  data: (opcode) => opcode < 8,
  control: (opcode) => opcode >= 8,
  reserved: (opcode) => opcodeName(opcode) === 'reserved',
};

const STATES = ['connecting', 'open', 'closed', 'failed'] as const;
const FACTS: Readonly<Record<string, FilterNode>> = {
  ...Object.fromEntries(STATES.map((state) => [state, sessionTest(({ session }) => truth(session.state === state))])),
  violated: frameTest(
    (frame, { payload }) => {
      if (frame.violations !== 0) return true;
      return frame.payloadLength === null && payload === undefined
        ? Truth.Unknown
        : (payload?.violations.length ?? 0) > 0;
    },
    ({ session }) => truth(session.violationCount > 0),
  ),
  injected: frameTest((frame) => frameBits.origin(frame.bits) === 'injected'),
  replaced: frameTest((frame) => frameBits.origin(frame.bits) === 'replaced'),
  compressed: frameTest(
    (frame) => frameBits.compressed(frame.bits),
    ({ session: { extensions, frameCount } }) =>
      frameCount > 0 && extensions?.includes('permessage-deflate') === true ? Truth.Unknown : Truth.False,
  ),
  fragmented: frameTest(({ bits }) => {
    const opcode = frameBits.opcode(bits);
    return opcode < 8 && (!frameBits.fin(bits) || opcode === Opcode.Continuation);
  }),
};

/** What a session's details say of a violation; a summary has only their number. */
function sessionHas(code: string): (candidate: Candidate) => Truth {
  return ({ session }) => {
    if (session.violationCount === 0) return Truth.False;
    if (!('violations' in session)) return Truth.Unknown;
    return truth(session.violations.some((violation) => violation.code === code));
  };
}
const isMessageCode = (code: string): code is MessageViolationCode => MESSAGE_VIOLATIONS.some(([one]) => one === code);

const VIOLATIONS: Readonly<Record<string, FilterNode>> = {
  ...Object.fromEntries(
    FRAME_VIOLATIONS.map(([code]) => [
      code,
      frameTest((frame) => (frame.violations & ViolationBit[code]) !== 0, sessionHas(code)),
    ]),
  ),
  ...Object.fromEntries(
    MESSAGE_VIOLATIONS.map(([code]) => [
      code,
      payloadTest((payload) => isMessageCode(code) && payload.violations.includes(code)),
    ]),
  ),
  ...Object.fromEntries(HANDSHAKE_VIOLATIONS.map(([code]) => [code, sessionTest(sessionHas(code))])),
};

/** RFC 6455 §7.1.5: no status code is 1005, no closing handshake 1006. */
function closeCode(session: Candidate['session']): number | null {
  const { close } = session;
  if (close === null) return null;
  return close.code ?? (close.clientFrame === null && close.serverFrame === null ? 1006 : 1005);
}

export function containsText(wanted: string): FilterNode {
  const lower = wanted.toLowerCase();
  return payloadTest((payload) => payload.lowerText.includes(lower));
}

function matchesRegex(text: FilterText): GuardedRegex {
  const { pattern, position } = text.regex();
  return new GuardedRegex(pattern, position);
}

const textField: Field = {
  operators: ['~', ':'],
  values: [],
  means: 'payload as text: ~/pattern/flags, or :text in any case',
  read(text) {
    if (text.take(/~\s*/y) === null) {
      text.comparison(['=']);
      return containsText(text.value('a text'));
    }
    return regexTest(matchesRegex(text), (payload) => payload.text);
  },
};

const jsonField: Field = {
  operators: ['.'],
  values: [],
  means: 'a part of a JSON payload: json.user.name=Ann, json.items[0].n>5, json.error',
  read(text) {
    const { path, end } = readJsonPath(text.text, text.position);
    text.position = end;
    if (text.ended || /[\s)]/.test(text.next)) {
      return payloadTest((payload) => partAt(payload.json, path) !== undefined);
    }
    if (text.take(/~\s*/y) !== null) {
      return regexTest(matchesRegex(text), (payload) => {
        const part = partAt(payload.json, path);
        return part === undefined ? null : asText(part);
      });
    }
    const comparison = text.comparison();
    const quoted = text.next === '"';
    const wanted = text.value('a value');
    const wantedNumber = !quoted && isNumber(wanted) ? Number(wanted) : null;
    return payloadTest((payload) => compareJson(comparison, partAt(payload.json, path), { wanted, wantedNumber }));
  },
};

const asText = (part: unknown): string => (typeof part === 'string' ? part : (JSON.stringify(part) ?? ''));

/**
 * Equal is what reads the same. Order is that of numbers where both sides are numbers, also of those that a peer sends
 * as text, else of texts; a quoted value is text. What is not there compares with nothing.
 */
function compareJson(
  comparison: Comparison,
  part: unknown,
  { wanted, wantedNumber }: { readonly wanted: string; readonly wantedNumber: number | null },
): boolean {
  if (part === undefined) return false;
  const ordered = comparison !== '=' && comparison !== '!=';
  if (wantedNumber !== null) {
    if (typeof part === 'number') return compare(comparison, part, wantedNumber);
    if (ordered) return typeof part === 'string' && isNumber(part) && compare(comparison, Number(part), wantedNumber);
  }
  const text = asText(part);
  if (!ordered) return (text === wanted) === (comparison === '=');
  return typeof part === 'string' && compare(comparison, text < wanted ? -1 : text > wanted ? 1 : 0, 0);
}
const isNumber = (text: string): boolean => /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i.test(text);

const lengthField: Field = {
  operators: ['>', '>=', '<', '<=', '='],
  values: [],
  means: 'payload length in bytes, also with a unit: kB, MB, KiB, MiB',
  read(text) {
    const comparison = text.comparison();
    const start = text.position;
    const found = text.take(/(\d{1,15}(?:\.\d{1,9})?)([a-z]*)(?![\w.])/iy) ?? text.fail('a number of bytes');
    const unit = UNITS[(found[2] ?? '').toLowerCase()];
    if (unit === undefined) return text.fail('a number of bytes, alone or with kB, MB, GB, KiB, MiB or GiB', start);
    // Whole bytes: 1.005 times 1000 is a little less in binary.
    const wanted = Math.round(Number(found[1]) * unit);
    return frameTest(({ payloadLength }, { payload }) => {
      if (payloadLength !== null) return compare(comparison, payloadLength, wanted);
      return payload === undefined ? Truth.Unknown : false;
    });
  },
};

const opcodeField: Field = {
  operators: [':'],
  values: Object.keys(OPCODES),
  means: 'type of frame, by name, number (0-15), data or control',
  read(text) {
    text.comparison(['=']);
    const start = text.position;
    const value = text.value(oneOf(this.values)).toLowerCase();
    const test = Object.hasOwn(OPCODES, value) ? OPCODES[value] : undefined;
    const code = /^(?:0x[0-9a-f]|\d|1[0-5])$/.test(value) ? Number(value) : -1;
    if (test === undefined && code < 0) return text.fail(`${oneOf(this.values)}, or a number from 0 to 15`, start);
    const matches = test ?? ((opcode: number) => opcode === code);
    return frameTest((frame) => matches(frameBits.opcode(frame.bits)));
  },
};

const CLOSE_CODES = ['1000', '1001', '1002', '1003', '1005', '1006', '1007', '1008', '1009', '1010', '1011'];

/** Every field, by its name. docs/filter.md lists them, and a test holds it to that. */
export const FIELDS: Readonly<Record<string, Field>> = {
  host: words('host and port of the URL; * stands for anything, with the port or without', (session) =>
    hostsOf(session.url),
  ),
  url: words('the whole URL; * stands for anything', (session) => [session.url]),
  subprotocol: words('the negotiated subprotocol', (session) => [session.subprotocol]),
  is: choice('state of the session, or a fact about the frame', FACTS, (node) => node),
  dir: choice('which way the frame went', DIRECTIONS, (way) =>
    frameTest(
      (frame) => frameBits.direction(frame.bits) === way,
      ({ session }) => {
        const totals = way === Direction.ClientToServer ? session.clientToServer : session.serverToClient;
        return totals.frames === 0 ? Truth.False : Truth.Unknown;
      },
    ),
  ),
  op: opcodeField,
  len: lengthField,
  text: textField,
  json: jsonField,
  code: number("the session's close code; 1005 for none, 1006 without a closing handshake", CLOSE_CODES, (test) =>
    sessionTest(({ session }) => {
      const code = closeCode(session);
      return truth(code !== null && test(code));
    }),
  ),
  status: number("the HTTP status of the server's answer", ['101', '400', '401', '403', '404', '502'], (test) =>
    sessionTest(({ session }) => truth(session.status !== null && test(session.status))),
  ),
  violation: choice('a broken rule, by its code', VIOLATIONS, (node) => node),
};

/** Host and port as the URL has them, and the host alone. */
function hostsOf(url: string): readonly string[] {
  // A session that failed at CONNECT has `host:port` in the place of a URL.
  const whole = /^(?:[a-z]+:\/\/)?([^/?#]*)/i.exec(url)?.[1] ?? '';
  return [whole, whole.replace(/:\d*$/, '')];
}
