import { randomBytes } from 'node:crypto';
import { constants, deflateRawSync } from 'node:zlib';
import { PeerDeflate } from './peer-deflate.ts';
import { encode, type WireFrame } from './wire-frames.ts';

/** How the bytes of a case are cut into writes. */
export type Cutting = 'whole' | 'octets' | 'in-headers' | 'pieces';

/** What the raw end negotiates: the offer as client, the answer as server. */
export interface DeflateTerms {
  readonly offer: string;
  readonly answer: string;
  /** Options of the `ws` end: as server, and as client. */
  readonly server: object;
  readonly client: object;
}

/** One thing that a peer may say, and how it leaves. */
export interface ProtocolCase {
  readonly name: string;
  readonly frames: readonly CaseFrame[];
  /** The last frame never ends: only so many bytes of it are written. */
  readonly lastFrameBytes?: number;
  readonly cutting?: Cutting;
  readonly deflate?: DeflateTerms;
  /**
   * How it leaves. `close`: a close frame at the end, unless `frames` has said it all, then FIN when the other one has
   * closed. `fin`, `reset`: without a word, as soon as `answers` frames have come back.
   */
  readonly leaves?: 'close' | 'silent-close' | 'fin' | 'reset';
  readonly answers?: number;
}
/** `key`: as the role demands, unless told. */
export type CaseFrame = Omit<WireFrame, 'key'> & { readonly masking?: 'wrong' | 'zero' };

const KEY = Buffer.from([0x9a, 0x01, 0xff, 0x55]);
const ZERO = Buffer.alloc(4);

/** The bytes of a case, frame by frame, as a client or a server writes them. */
export function frameBytes(one: ProtocolCase, role: 'client' | 'server'): Buffer[] {
  const frames = one.leaves === undefined || one.leaves === 'close' ? [...one.frames, GOODBYE] : one.frames;
  return frames.map(({ masking, ...frame }, at) => {
    const masked = (role === 'client') !== (masking === 'wrong');
    const fresh = Buffer.from(KEY.map((byte) => (byte + at * 37) & 0xff));
    const bytes = encode({ ...frame, key: masked ? (masking === 'zero' ? ZERO : fresh) : null });
    return at === frames.length - 1 ? bytes.subarray(0, one.lastFrameBytes) : bytes;
  });
}

/** The writes of a case. */
export function writesOf(one: ProtocolCase, frames: readonly Buffer[]): Buffer[] {
  const bytes = Buffer.concat(frames);
  const cuts: number[] = [];
  if (one.cutting === 'octets') for (let at = 1; at < bytes.length; at++) cuts.push(at);
  if (one.cutting === 'pieces') for (let at = 997; at < bytes.length; at += 997) cuts.push(at);
  if (one.cutting === 'in-headers') {
    let start = 0;
    for (const frame of frames) {
      cuts.push(start + 1, start + 3);
      start += frame.length;
    }
  }
  const writes: Buffer[] = [];
  let from = 0;
  for (const cut of [...cuts, bytes.length]) {
    if (cut <= from) continue;
    writes.push(bytes.subarray(from, cut));
    from = cut;
  }
  return writes;
}

const closing = (code: number, reason: string | Uint8Array = ''): CaseFrame => ({
  opcode: 8,
  payload: Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason)]),
});
const GOODBYE = closing(1000, 'bye');
const text = (payload: string | Uint8Array, rest: Partial<CaseFrame> = {}): CaseFrame => ({
  opcode: 1,
  payload,
  ...rest,
});
const binary = (payload: string | Uint8Array, rest: Partial<CaseFrame> = {}): CaseFrame => ({
  opcode: 2,
  payload,
  ...rest,
});
const more = (payload: string | Uint8Array, rest: Partial<CaseFrame> = {}): CaseFrame => ({
  opcode: 0,
  payload,
  ...rest,
});
const ping = (payload: string | Uint8Array, rest: Partial<CaseFrame> = {}): CaseFrame => ({
  opcode: 9,
  payload,
  ...rest,
});
const pong = (payload: string | Uint8Array, rest: Partial<CaseFrame> = {}): CaseFrame => ({
  opcode: 10,
  payload,
  ...rest,
});
const hex = (digits: string): Buffer => Buffer.from(digits.replaceAll(' ', ''), 'hex');
const filled = (length: number): Buffer => Buffer.alloc(length, 'Frametap carries what it is given. ');
const BEGUN = { fin: false } as const;

/** All cases, made anew: some of them compress. */
export async function protocolCases(): Promise<ProtocolCase[]> {
  return [
    ...lengths(),
    ...headerBits(),
    ...controls(),
    ...fragmentation(),
    ...utf8(),
    ...closes(),
    ...maskings(),
    ...endings(),
    ...(await compression()),
  ];
}

function lengths(): ProtocolCase[] {
  const cases: ProtocolCase[] = [];
  const sizes = [0, 1, 125, 126, 127, 128, 65_535, 65_536, 65_537, 1 << 20];
  for (const size of sizes) {
    for (const [type, frame] of [
      ['text', text],
      ['binary', binary],
    ] as const) {
      const frames = [frame(filled(size))];
      cases.push({ name: `${type} of ${size} bytes`, frames });
      cases.push({ name: `${type} of ${size} bytes, headers cut`, frames, cutting: 'in-headers' });
      if (size <= 128) cases.push({ name: `${type} of ${size} bytes, octet by octet`, frames, cutting: 'octets' });
    }
  }
  cases.push({ name: 'binary of 1 MiB in pieces', frames: [binary(filled(1 << 20))], cutting: 'pieces' });
  cases.push({ name: '200 small ones in one write', frames: Array.from({ length: 200 }, (_, i) => text(`no. ${i}`)) });
  for (const [size, lengthBits] of [
    [0, 16],
    [1, 16],
    [125, 16],
    [0, 64],
    [125, 64],
    [126, 64],
    [65_535, 64],
  ] as const) {
    cases.push({
      name: `${size} bytes, length in ${lengthBits} bits`,
      frames: [binary(filled(size), { lengthBits }), text('after')],
    });
  }
  cases.push({ name: 'ping of 5 bytes, length in 16 bits', frames: [text('one'), ping('hello', { lengthBits: 16 })] });
  cases.push({ name: 'ping of 5 bytes, length in 64 bits', frames: [text('one'), ping('hello', { lengthBits: 64 })] });
  return cases;
}

function headerBits(): ProtocolCase[] {
  const cases: ProtocolCase[] = [];
  for (let rsv = 1; rsv <= 7; rsv++) {
    cases.push({ name: `text with RSV ${rsv}`, frames: [text('valid'), text('odd', { rsv }), ping('late')] });
    cases.push({ name: `continuation with RSV ${rsv}`, frames: [text('be', BEGUN), more('gun', { rsv })] });
    cases.push({ name: `ping with RSV ${rsv}`, frames: [text('valid'), ping('odd', { rsv })] });
    cases.push({ name: `close with RSV ${rsv}`, frames: [{ ...closing(1000), rsv }], leaves: 'silent-close' });
  }
  for (const opcode of [3, 4, 5, 6, 7, 11, 12, 13, 14, 15]) {
    cases.push({ name: `opcode ${opcode}, empty`, frames: [{ opcode }] });
    cases.push({
      name: `opcode ${opcode} after a valid one`,
      frames: [text('valid'), { opcode, payload: 'reserved' }],
    });
    const within = [text('frag', BEGUN), { opcode, payload: 'x' }, more('ment')];
    cases.push({ name: `opcode ${opcode} between fragments, octet by octet`, frames: within, cutting: 'octets' });
  }
  return cases;
}

function controls(): ProtocolCase[] {
  const cases: ProtocolCase[] = [];
  for (const [name, frame] of [
    ['ping', ping],
    ['pong', pong],
  ] as const) {
    for (const size of [0, 1, 125]) {
      cases.push({ name: `${name} of ${size} bytes`, frames: [frame(filled(size)), text('after')] });
    }
    cases.push({ name: `${name} of bytes that are no text`, frames: [frame(hex('00 ff fe 80 c0 af')), text('after')] });
    cases.push({ name: `${name} of 126 bytes`, frames: [text('valid'), frame(filled(126))] });
    cases.push({ name: `${name} of 65,536 bytes`, frames: [frame(filled(65_536))] });
    cases.push({ name: `${name} without FIN`, frames: [text('valid'), frame('part', BEGUN), more('rest')] });
    cases.push({ name: `${name} of 125 bytes, octet by octet`, frames: [frame(filled(125))], cutting: 'octets' });
  }
  cases.push({ name: 'ten pings in one write', frames: Array.from({ length: 10 }, (_, i) => ping(`ping ${i}`)) });
  cases.push({
    name: 'ten pings, octet by octet',
    frames: Array.from({ length: 10 }, (_, i) => ping(`${i}`)),
    cutting: 'octets',
  });
  cases.push({ name: 'pongs that nobody asked for among pings', frames: [pong('a'), ping('b'), pong('c'), ping('d')] });
  return cases;
}

function fragmentation(): ProtocolCase[] {
  const many = Array.from({ length: 66 }, (_, i) => (i === 65 ? more('!') : more(filled(1000), BEGUN)));
  const cases: ProtocolCase[] = [
    { name: 'two fragments', frames: [text('frag', BEGUN), more('ment')] },
    { name: 'three fragments of bytes', frames: [binary('a', BEGUN), more('b', BEGUN), more('c')] },
    { name: 'empty fragments', frames: [text('', BEGUN), more('', BEGUN), more('')] },
    { name: 'empty fragments around one', frames: [text('', BEGUN), more('middle', BEGUN), more('')] },
    { name: 'ping between fragments', frames: [text('frag', BEGUN), ping('between'), more('ment')] },
    {
      name: 'many controls between fragments',
      frames: [text('a', BEGUN), ping('1'), pong('2'), ping(''), more('b', BEGUN), ping('3'), more('c'), ping('4')],
    },
    { name: 'a message in 67 fragments', frames: [binary(filled(1000), BEGUN), ...many] },
    { name: 'two messages in fragments', frames: [text('a', BEGUN), more('b'), binary('c', BEGUN), more('d')] },
    { name: 'continuation of nothing', frames: [more('nothing'), text('after')] },
    { name: 'continuation of nothing, more to come', frames: [more('nothing', BEGUN), more('after')] },
    { name: 'continuation after a whole message', frames: [text('whole'), more('rest')] },
    { name: 'continuation after the last fragment', frames: [text('a', BEGUN), more('b'), more('c')] },
    { name: 'a new message among fragments', frames: [text('a', BEGUN), text('b'), more('c')] },
    { name: 'bytes among fragments of text', frames: [text('a', BEGUN), binary('b', BEGUN), more('c')] },
    { name: 'close between fragments', frames: [text('a', BEGUN), closing(1000), more('b')], leaves: 'silent-close' },
    {
      name: 'close within a message',
      frames: [text('whole'), text('a', BEGUN), closing(1001)],
      leaves: 'silent-close',
    },
  ];
  const octets = cases.slice(0, 6).map((one) => ({ ...one, name: `${one.name}, octet by octet`, cutting: 'octets' }));
  return [...cases, ...(octets as ProtocolCase[])];
}

function utf8(): ProtocolCase[] {
  const cases: ProtocolCase[] = [];
  const valid =
    '24 | c2 80 | df bf | e0 a0 80 | ed 9f bf | ee 80 80 | ef bf bf | f0 90 80 80 | f4 8f bf bf | ef bb bf 41';
  for (const bytes of valid.split(' | ')) cases.push({ name: `text ${bytes}`, frames: [text(hex(bytes))] });
  const invalid =
    '80 | bf | c0 af | c1 bf | e0 80 af | e0 9f bf | f0 80 80 af | f0 8f bf bf | ed a0 80 | ed bf bf | ed a0 80 ed b0 80 | ' +
    'f4 90 80 80 | f5 80 80 80 | fe | ff | c2 | e2 82 | f0 9f 98 | c2 41 | e2 82 41 | f0 9f 98 41';
  for (const bytes of invalid.split(' | ')) {
    const bad = Buffer.concat([Buffer.from('ok '), hex(bytes)]);
    cases.push({ name: `text that is none: ${bytes}`, frames: [text('valid'), text(bad), text('late')] });
  }
  const whole = Buffer.from('κ𝄞€');
  for (let cut = 1; cut < whole.length; cut++) {
    const frames = [text(whole.subarray(0, cut), BEGUN), ping('x'), more(whole.subarray(cut))];
    cases.push({ name: `text of two fragments cut at byte ${cut}`, frames });
  }
  cases.push({ name: 'text, octet by octet', frames: [text(whole)], cutting: 'octets' });
  cases.push({ name: 'bad text, octet by octet', frames: [text(hex('ce ba ed a0 80 65'))], cutting: 'octets' });
  cases.push({ name: 'bad second fragment', frames: [text('fine', BEGUN), more(hex('ff'), BEGUN), more('never')] });
  cases.push({ name: 'the end cuts a character', frames: [text('fine', BEGUN), more(hex('f0 9f'))] });
  return cases;
}

function closes(): ProtocolCase[] {
  const cases: ProtocolCase[] = [];
  const add = (name: string, ...frames: CaseFrame[]): void => void cases.push({ name, frames, leaves: 'silent-close' });
  const legal = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999];
  for (const code of legal) add(`close ${code}`, closing(code, 'a reason'));
  const illegal = [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535];
  for (const code of illegal) add(`close ${code}, which is illegal`, text('valid'), closing(code, 'a reason'));
  add('close without a payload', { opcode: 8 });
  add('close of one byte', text('valid'), { opcode: 8, payload: hex('03') });
  add('close of two bytes', closing(1000));
  add('close of 125 bytes', closing(1000, filled(123)));
  add('close of 126 bytes', text('valid'), closing(1000, filled(124)));
  add('close with a reason of all kinds of characters', closing(1000, 'ĉĝ €𝄞'));
  add('close with a reason that is no text', text('valid'), closing(1000, hex('ce ba e1 bd b9 ff')));
  add('close without FIN', { ...closing(1000), fin: false }, more(''));
  add('message, then close', text('last words'), closing(1000, 'done'));
  add('text after close', closing(1000), text('too late'));
  add('ping after close', closing(1000), ping('too late'));
  add('close after close', closing(1000), closing(1001));
  add('garbage after close', closing(1000), { opcode: 7, rsv: 7, payload: 'garbage' });
  cases.push({
    name: 'close, octet by octet',
    frames: [text('a'), closing(4000, 'done')],
    cutting: 'octets',
    leaves: 'silent-close',
  });
  return cases;
}

function maskings(): ProtocolCase[] {
  const wrong = { masking: 'wrong' } as const;
  return [
    { name: 'text, masking wrong', frames: [text('odd', wrong), text('late')] },
    { name: 'text, masking wrong after a valid one', frames: [text('valid'), text('odd', wrong), text('late')] },
    { name: 'ping, masking wrong', frames: [text('valid'), ping('odd', wrong)] },
    { name: '65,536 bytes, masking wrong', frames: [text('valid'), binary(filled(65_536), wrong)] },
    { name: 'close, masking wrong', frames: [{ ...closing(1000), ...wrong }], leaves: 'silent-close' },
    { name: 'masking wrong, octet by octet', frames: [text('valid'), text('odd', wrong)], cutting: 'octets' },
    {
      name: 'masking key of zeros',
      frames: [text('plain to see', { masking: 'zero' }), ping('x', { masking: 'zero' })],
    },
  ];
}

function endings(): ProtocolCase[] {
  const one = [text('one')];
  const within = [text('a', BEGUN), ping('b')];
  const cut = (where: string, lastFrameBytes: number): ProtocolCase => ({
    name: `FIN in the ${where}`,
    frames: [...one, binary(filled(256))],
    lastFrameBytes,
    leaves: 'fin',
    answers: 1,
  });
  return [
    { name: 'FIN after a message', frames: one, leaves: 'fin', answers: 1 },
    { name: 'FIN at once', frames: one, leaves: 'fin' },
    { name: 'FIN without a word', frames: [], leaves: 'fin' },
    cut('first byte of a header', 1),
    cut('middle of a header', 3),
    cut('middle of a payload', 20),
    { name: 'FIN in the middle of a fragmented message', frames: within, leaves: 'fin', answers: 1 },
    { name: 'reset after a message', frames: one, leaves: 'reset', answers: 1 },
    { name: 'reset among fragments', frames: within, leaves: 'reset', answers: 1 },
  ];
}

const PLAIN_TERMS = {
  offer: 'permessage-deflate',
  answer: 'permessage-deflate',
  server: { threshold: 0 },
  client: { threshold: 0 },
};

/** Twelve ways to agree on compression. `zlib`: what the raw end compresses with. */
function negotiations(): { name: string; terms: DeflateTerms; windowBits: number; takeover: boolean }[] {
  const list = [{ name: 'no parameters', terms: PLAIN_TERMS, windowBits: 15, takeover: true }];
  const extend = (
    name: string,
    parameters: string,
    server: object,
    rest: { bits?: number; takeover?: boolean },
  ): void => {
    const terms = {
      offer: `permessage-deflate; ${parameters}`,
      answer: `permessage-deflate; ${parameters}`,
      server: { threshold: 0, ...server },
      client: { threshold: 0, clientMaxWindowBits: true, ...server },
    };
    list.push({ name, terms, windowBits: rest.bits ?? 15, takeover: rest.takeover ?? true });
  };
  const bothWays = 'client_no_context_takeover; server_no_context_takeover';
  extend(
    'client_no_context_takeover',
    'client_no_context_takeover',
    { clientNoContextTakeover: true },
    { takeover: false },
  );
  extend(
    'server_no_context_takeover',
    'server_no_context_takeover',
    { serverNoContextTakeover: true },
    { takeover: false },
  );
  extend(
    'no takeover at all',
    bothWays,
    { serverNoContextTakeover: true, clientNoContextTakeover: true },
    { takeover: false },
  );
  for (const bits of [9, 10, 12, 15]) {
    extend(`client_max_window_bits=${bits}`, `client_max_window_bits=${bits}`, { clientMaxWindowBits: bits }, { bits });
    extend(`server_max_window_bits=${bits}`, `server_max_window_bits=${bits}`, { serverMaxWindowBits: bits }, { bits });
  }
  return list;
}

async function compression(): Promise<ProtocolCase[]> {
  const cases: ProtocolCase[] = [];
  const messages = ['compressed', 'compressed again', filled(5000).toString(), 'compressed, κόσμε'];
  const rsv = 4;
  for (const { name, terms, windowBits, takeover } of negotiations()) {
    const bodies = takeover
      ? await new PeerDeflate({ windowBits }).compressAll(messages)
      : await Promise.all(messages.map(async (one) => (await new PeerDeflate({ windowBits }).compressAll([one]))[0]));
    const frames = bodies.map((body) => text(body ?? '', { rsv }));
    cases.push({ name: `deflate, ${name}`, frames, deflate: terms });
  }
  const deflate = PLAIN_TERMS;
  const squeeze = async (...what: (string | Uint8Array)[]): Promise<Buffer[]> => new PeerDeflate().compressAll(what);
  const [first = hex(''), second = hex('')] = await squeeze('the first message', 'the first message, again');
  const [big = hex('')] = await squeeze(filled(1 << 20));
  const noise = randomBytes(70_000);
  const [incompressible = hex('')] = await squeeze(noise);
  const [badText = hex('')] = await squeeze(hex('ed a0 80'));
  const [empty = hex('')] = await squeeze('');
  const finished = deflateRawSync('with a last block', { finishFlush: constants.Z_FINISH });
  const cut = (body: Buffer, at: number, start: CaseFrame): CaseFrame[] => [
    { ...start, payload: body.subarray(0, at), fin: false },
    more(body.subarray(at)),
  ];
  const one = text(first, { rsv });
  const add = (name: string, frames: CaseFrame[], cutting?: Cutting): void => {
    cases.push({ name: `deflate, ${name}`, frames, deflate, ...(cutting === undefined ? {} : { cutting }) });
  };
  add('in two fragments', [...cut(first, 4, one), text(second, { rsv })]);
  add('in two fragments with a ping between', [
    ...cut(first, 1, one).toSpliced(1, 0, ping('x')),
    text(second, { rsv }),
  ]);
  add('octet by octet', [one, text(second, { rsv })], 'octets');
  add('among uncompressed ones', [text('plain'), one, text('plain'), text(second, { rsv })]);
  add('an empty message', [text(empty, { rsv }), binary('', {})]);
  add('a megabyte', [binary(big, { rsv })]);
  add('what cannot be compressed', [binary(incompressible, { rsv })]);
  add('a last block', [text(finished, { rsv })]);
  add('text that is none', [one, text(badText, { rsv }), text('late')]);
  add('no valid data', [one, text(hex('ff ff ff ff ff'), { rsv }), text('late')]);
  add('an empty payload with RSV1', [text('', { rsv })]);
  add('RSV1 on a continuation', [text('be', BEGUN), more(first, { rsv })]);
  add('RSV1 on a ping', [one, ping('odd', { rsv })]);
  add('RSV2', [one, text('odd', { rsv: 2 })]);
  return cases;
}
