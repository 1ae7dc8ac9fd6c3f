import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseFilter } from '../../src/capture/filter.ts';
import { PayloadText, Truth } from '../../src/capture/filter/candidate.ts';
import { completions } from '../../src/capture/filter/completion.ts';
import { FIELDS } from '../../src/capture/filter/fields.ts';
import { FilterError } from '../../src/capture/filter/filter-error.ts';
import { FrameBit } from '../../src/contract/frame-bits.ts';
import type { SessionSummary } from '../../src/contract/session.ts';
import { ViolationBit } from '../../src/contract/violations.ts';
import { FrametapError } from '../../src/errors.ts';

const session = (changes: Partial<SessionSummary> = {}): SessionSummary => ({
  id: '1',
  seq: 1,
  url: 'wss://api.Example.com:8443/chat?x=1',
  mode: 'connect',
  state: 'open',
  startedAt: '',
  openedAt: '',
  closedAt: null,
  client: { address: '127.0.0.1', port: 1 },
  status: 101,
  subprotocol: 'graphql-transport-ws',
  extensions: 'permessage-deflate',
  clientToServer: { frames: 3, bytes: 0 },
  serverToClient: { frames: 3, bytes: 0 },
  frameCount: 6,
  firstHeldFrame: 0,
  violationCount: 0,
  silence: null,
  close: null,
  fault: null,
  ...changes,
});
const closed = (code: number | null, withFrame = true): SessionSummary =>
  session({
    state: 'closed',
    close: {
      by: 'client',
      code,
      reason: 'Going home',
      clean: withFrame,
      how: 'fin',
      clientFrame: withFrame ? { code, reason: '', frameIndex: 5 } : null,
      serverFrame: null,
      echoMs: null,
      clientEnding: null,
      serverEnding: null,
    },
  });

interface Frame {
  readonly bits?: number;
  readonly payload?: string | null;
  readonly payloadLength?: number;
  readonly violations?: number;
}
const UP = 0x80 | 1;
const DOWN = UP | FrameBit.ServerToClient;

/** A session that says nothing of itself. */
const silent = session({ url: 'ws://0/', subprotocol: null });

function matches(filter: string, frame: Frame, of: SessionSummary = silent): boolean {
  const { bits = DOWN, payload = '', violations = 0 } = frame;
  const payloadLength = frame.payloadLength ?? payload?.length ?? 0;
  const text = payload === null ? null : new PayloadText(Buffer.from(payload));
  return parseFilter(filter).matchesPayload(of, { index: 0, bits, payloadLength, violations }, text);
}
const sessionSays = (filter: string, of: SessionSummary): string =>
  (Object.keys(Truth) as (keyof typeof Truth)[]).find(
    (name) => Truth[name] === parseFilter(filter).matchesSession(of),
  ) ?? '';

/** For each filter, what it matches and what it does not. */
const FRAMES: Readonly<Record<string, readonly [yes: readonly Frame[], no: readonly Frame[]]>> = {
  btc: [
    [{ payload: 'a BTC b' }, { payload: 'xbtcx' }],
    [{ payload: 'bt c' }, { payload: null }],
  ],
  '"two words"': [[{ payload: 'Two Words.' }], [{ payload: 'two  words' }]],
  '"say \\"hi\\" \\\\ x"': [[{ payload: 'say "hi" \\ x' }], [{ payload: 'say hi' }]],
  '{"op":"subscribe"}': [[{ payload: '[{"op":"subscribe"}]' }], [{ payload: '{"op": "subscribe"}' }]],
  'btc eth': [[{ payload: 'eth btc' }], [{ payload: 'btc' }, { payload: 'eth' }]],
  'btc and eth': [[{ payload: 'eth btc' }], [{ payload: 'btc' }]],
  'btc or eth': [[{ payload: 'btc' }, { payload: 'eth' }], [{ payload: 'ltc' }]],
  'not btc': [[{ payload: 'eth' }], [{ payload: 'btc' }]],
  'btc and (eth or "ltc")': [
    [{ payload: 'btc ltc' }, { payload: 'btc eth' }],
    [{ payload: 'btc' }, { payload: 'eth' }],
  ],
  'a b or c': [[{ payload: 'a b' }, { payload: 'c' }], [{ payload: 'a' }]],
  'not a b': [[{ payload: 'b' }], [{ payload: 'a b' }, { payload: '' }]],
  'NOT a AND not(b)': [[{ payload: 'c' }], [{ payload: 'b' }]],
  'android order': [[{ payload: 'Android, in order' }], [{ payload: 'android' }]],
  'url.x 12:30 wss://a': [[{ payload: '12:30 url.x wss://a' }], [{ payload: '12:30' }]],
  'is:violated': [[{ violations: 4 }], [{}]],
  'is:injected or is:replaced': [[{ bits: DOWN | (1 << 20) }, { bits: DOWN | (2 << 20) }], [{}]],
  'is:compressed': [[{ bits: DOWN | FrameBit.Compressed }], [{}]],
  'is:fragmented': [
    [{ bits: 0x01 }, { bits: 0x80 }, { bits: 0 }],
    [{ bits: 0x81 }, { bits: 0x09 }],
  ],
  'dir:up': [[{ bits: UP }], [{ bits: DOWN }]],
  'dir:To-Client': [[{ bits: DOWN }], [{ bits: UP }]],
  'op:text': [[{ bits: 0x81 }, { bits: 0x01 }], [{ bits: 0x82 }]],
  'op:data not op:binary': [
    [{ bits: 0x81 }, { bits: 0x80 }],
    [{ bits: 0x82 }, { bits: 0x89 }],
  ],
  'op:control': [[{ bits: 0x88 }, { bits: 0x8b }], [{ bits: 0x87 }]],
  'op:reserved': [[{ bits: 0x83 }, { bits: 0x8b }], [{ bits: 0x8a }]],
  'op:9': [[{ bits: 0x89 }], [{ bits: 0x8a }]],
  'op:15': [[{ bits: 0x8f }], [{ bits: 0x81 }]],
  'len=1.005kB': [[{ payloadLength: 1005 }], [{ payloadLength: 1004 }]],
  'len>100': [[{ payloadLength: 101 }], [{ payloadLength: 100 }]],
  'len=7': [[{ payloadLength: 7 }], [{ payloadLength: 8 }]],
  'len>=1.5KiB and len<2MB': [
    [{ payloadLength: 1536 }, { payloadLength: 1_999_999 }],
    [{ payloadLength: 1535 }, { payloadLength: 2_000_000 }],
  ],
  'text:btc': [[{ payload: 'BTC' }], [{ payload: '' }]],
  'text~/^\\{"op":"(sub|unsub)/i': [[{ payload: '{"OP":"unsubscribe"}' }], [{ payload: ' {"op":"sub"}' }]],
  'text~/[/]x y\\/z/': [[{ payload: '/x y/z' }], [{ payload: 'x y' }]],
  'json.op=subscribe': [
    [{ payload: '{"op":"subscribe"}' }],
    [{ payload: '{"op":"Subscribe"}' }, { payload: 'op' }, { payload: '{' }],
  ],
  'json.op!=subscribe': [[{ payload: '{"op":"x"}' }], [{ payload: '{}' }]],
  'json.items[0].price>=10': [
    [{ payload: '{"items":[{"price":10}]}' }, { payload: '{"items":[{"price":"11.5"}]}' }],
    [{ payload: '{"items":[{"price":9.5}]}' }, { payload: '{"items":[{"price":"ten"}]}' }],
  ],
  'json.items.1=b': [[{ payload: '{"items":["a","b"]}' }], [{ payload: '{"items":["b"]}' }]],
  'json[1]=2': [[{ payload: '[1,2]' }], [{ payload: '[1,"x"]' }]],
  'json.user."first name"="Ann Lee"': [
    [{ payload: '{"user":{"first name":"Ann Lee"}}' }],
    [{ payload: '{"user":{}}' }],
  ],
  'json["a.b"]=true': [[{ payload: '{"a.b":true}' }], [{ payload: '{"a":{"b":true}}' }]],
  'json.id="5"': [[{ payload: '{"id":"5"}' }, { payload: '{"id":5}' }], [{ payload: '{"id":"05"}' }]],
  'json.id=9007199254740993': [[{ payload: '{"id":9007199254740993}' }], [{ payload: '{"id":9007199254740992}' }]],
  'json.id="9007199254740993"': [[{ payload: '{"id":9007199254740993}' }], [{ payload: '{"id":9007199254740992}' }]],
  'json.id>9007199254740993': [[{ payload: '{"id":90071992547409930}' }], [{ payload: '{"id":9007199254740991}' }]],
  'json.error': [[{ payload: '{"error":null}' }], [{ payload: '{"toString":1}' }]],
  'json.toString': [[], [{ payload: '{}' }]],
  'json.ch~/^btc/': [[{ payload: '{"ch":"btc-usd"}' }], [{ payload: '{"ch":"x btc"}' }, { payload: '{}' }]],
  'violation:reserved-opcode': [[{ violations: ViolationBit['reserved-opcode'] }], [{ violations: 2 }]],
};

const SESSIONS: Readonly<Record<string, readonly [yes: readonly SessionSummary[], no: readonly SessionSummary[]]>> = {
  'host:example.com': [[session()], [session({ url: 'ws://other/example.com' })]],
  'host:*.example.com': [[session({ url: 'ws://a.example.com/' }), session()], [session({ url: 'ws://example.com/' })]],
  'host:api.*:84*3': [[session()], [session({ url: 'ws://api.x:80/' })]],
  'host:*.0.0.1': [
    [session({ url: 'ws://127.0.0.1:19001/' }), session({ url: 'ws://127.0.0.1/' }), session({ url: '127.0.0.1:443' })],
    [session({ url: 'ws://127.0.0.10:19001/' }), session({ url: 'ws://[::1]:80/' })],
  ],
  'host:[::*]': [[session({ url: 'ws://[::1]:80/' }), session({ url: 'ws://[::1]/' })], [session()]],
  'host:*:19001': [[session({ url: 'ws://127.0.0.1:19001/' })], [session({ url: 'ws://127.0.0.1:1900/' })]],
  'url:/chat': [[session()], [session({ url: 'ws://x/' })]],
  'subprotocol:graphql-transport-ws': [[session()], [session({ subprotocol: null })]],
  'is:open': [[session()], [closed(1000)]],
  'is:closed or is:failed': [[closed(1000), session({ state: 'failed' })], [session()]],
  'is:violated': [[session({ violationCount: 1 }), session({ violationCount: 1, frameCount: 0 })], [session()]],
  'code:1006': [
    [closed(null, false), closed(1006)],
    [closed(null), closed(1000), session()],
  ],
  'code:1005': [[closed(null)], [closed(1000)]],
  'code>=4000': [
    [closed(4000), closed(4999)],
    [closed(3999), session()],
  ],
  'status:403': [[session({ status: 403, state: 'failed' })], [session(), session({ status: null })]],
  'violation:reserved-opcode': [[], [session()]],
  'op:ping or url:chat': [[session()], [session({ url: 'ws://x/', frameCount: 0 })]],
  'op:ping is:failed': [[], [session()]],
  'dir:up': [[], [session({ clientToServer: { frames: 0, bytes: 0 } })]],
  'is:compressed': [[], [session({ extensions: null })]],
  '"going home"': [[closed(1001)], []],
  'example.com': [[session()], []],
};

describe('a filter', () => {
  it.each(Object.entries(FRAMES))('tells frames apart: %s', (filter, [yes, no]) => {
    for (const frame of yes) expect([frame, matches(filter, frame)]).toEqual([frame, true]);
    for (const frame of no) expect([frame, matches(filter, frame)]).toEqual([frame, false]);
  });

  it.each(Object.entries(SESSIONS))('tells sessions apart: %s', (filter, [yes, no]) => {
    for (const of of yes) expect(sessionSays(filter, of)).toBe('True');
    for (const of of no) expect(sessionSays(filter, of)).toBe('False');
  });

  it.each([
    'btc',
    'op:ping',
    'len>5',
    'json.a=1',
    'text~/a/',
    'not op:ping',
    'op:ping or is:failed',
    'url:chat op:text',
  ])('leaves open what only frames can tell: %s', (filter) => {
    expect(sessionSays(filter, session())).toBe('Unknown');
    expect(parseFilter(filter).needsFrames).toBe(true);
  });

  it('lets everything through when it is empty', () => {
    expect(matches('  ', {})).toBe(true);
    expect(sessionSays('', session())).toBe('True');
    expect(parseFilter('is:open host:x').needsFrames).toBe(false);
  });

  it('looks at a payload only where the columns do not decide', () => {
    const row = { index: 0, bits: DOWN, payloadLength: 3, violations: 0 };
    expect(parseFilter('op:ping text~/x/').matchesColumns(session(), row)).toBe(Truth.False);
    expect(parseFilter('op:text or text~/x/').matchesColumns(session(), row)).toBe(Truth.True);
    expect(parseFilter('op:text text~/x/').matchesColumns(session(), row)).toBe(Truth.Unknown);
  });

  it('lets all frames of a session through that passes by its own words', () => {
    expect(matches('chat', { payload: 'x' }, session())).toBe(true);
    expect(matches('chat and text:chat', { payload: 'x' }, session())).toBe(false);
    expect(matches('chat', { payload: 'x' })).toBe(false);
    expect(sessionSays('chat', session())).toBe('True');
    expect(sessionSays('refused', session({ fault: { by: 'server', code: 'upstream-refused', message: 'No.' } }))).toBe(
      'True',
    );
  });

  it('ends a regular expression that backtracks for ever, with an error that says so', () => {
    const start = performance.now();
    expect(() => matches('text~/^(x+)+$/', { payload: `${'x'.repeat(60)}b` })).toThrow(
      /At character 6: this regular expression took over 100 ms/,
    );
    expect(performance.now() - start).toBeLessThan(2000);
  });

  it('never fails in another way than with its own error, and says a place inside the text', () => {
    const pieces = fc.constantFrom(
      '(',
      ')',
      'and',
      'or',
      'not',
      '"',
      'op:',
      'ping',
      'len',
      '>',
      '5',
      'text~',
      '/a/',
      'json',
      '.a',
      '[0]',
      ' ',
      ':',
      '\\',
      'is:open',
      'é',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(pieces).map((all) => all.join('')),
          fc.string({ unit: 'binary' }),
        ),
        (text) => {
          try {
            matches(text, { payload: '{"a":[1]}' });
          } catch (error) {
            expect(error).toBeInstanceOf(FilterError);
            expect((error as FilterError).position).toBeLessThanOrEqual(text.length);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('refuses what is too deep or too long', () => {
    expect(() => parseFilter('('.repeat(5000))).toThrow(/at most 100 levels/);
    expect(() => parseFilter('not '.repeat(2000))).toThrow(/at most 100 levels/);
    expect(() => parseFilter('a'.repeat(10_001))).toThrow(/too long/);
  });
});

describe('docs/filter.md', () => {
  const page = readFileSync(new URL('../../docs/filter.md', import.meta.url), 'utf8');
  const rows = (heading: string): [string, string][] => {
    const section = page.split(/^## /m).find((part) => part.startsWith(heading)) ?? '';
    return Array.from(section.matchAll(/^\| `((?:[^`\\]|\\.)+)` +\| (.*?) *\|$/gm), ([, filter = '', says = '']) => [
      filter.replaceAll('\\|', '|'),
      says,
    ]);
  };
  const examples = [...rows('Words'), ...rows('Fields')];

  it.each(examples)('has an example that is tried: %s', (filter) => {
    expect(() => parseFilter(filter)).not.toThrow();
    const tried = FRAMES[filter] ?? SESSIONS[filter] ?? FRAMES[TRIED_AS[filter] ?? ''];
    expect(tried).toBeDefined();
  });
  const TRIED_AS: Readonly<Record<string, string>> = { 'dir:down': 'dir:To-Client' };

  it.each(rows('Mistakes'))('says what happens to %s', (filter, says) => {
    expect(() => parseFilter(filter)).toThrow(says);
    expect(() => parseFilter(filter)).toThrow(FrametapError);
    expect(() => parseFilter(filter)).toThrow(expect.objectContaining({ code: 'invalid-filter' }) as Error);
  });

  it('names every field', () => {
    const named = new Set(
      examples.flatMap(([filter]) => Array.from(filter.matchAll(/[a-z]+(?=[:~<>=.[])/g), ([name]) => name)),
    );
    expect(Object.keys(FIELDS).filter((name) => !named.has(name))).toEqual([]);
    expect(examples.length).toBeGreaterThan(25);
  });
});

describe('completion', () => {
  const texts = (text: string, cursor = text.length): string[] =>
    completions(text, cursor).options.map((one) => one.text);

  it('offers fields and keywords that begin like the word under the cursor', () => {
    expect(texts('')).toEqual(Object.keys(FIELDS).map((name) => name + (FIELDS[name]?.operators[0] ?? '')));
    expect(texts('is:open (o')).toEqual(['op:', 'or']);
    expect(completions('st and x', 1)).toMatchObject({
      from: 0,
      to: 2,
      options: [{ text: 'subprotocol:' }, { text: 'status:' }],
    });
  });

  it('offers the values of the field before the cursor', () => {
    expect(texts('dir:to-')).toEqual(['to-server', 'to-client']);
    expect(completions('x op:pi', 7)).toMatchObject({ from: 5, to: 7, options: [{ text: 'ping' }] });
    expect(texts('violation:inflate')).toEqual(['inflate-failed']);
    expect(texts('host:')).toEqual([]);
    expect(texts('nothing:')).toEqual([]);
  });

  it('offers only what can be read', () => {
    for (const [name, field] of Object.entries(FIELDS)) {
      for (const value of field.values) expect(() => parseFilter(`${name}:${value}`)).not.toThrow();
    }
  });
});
