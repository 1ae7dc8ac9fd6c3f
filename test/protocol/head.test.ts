import { describe, expect, it } from 'vitest';
import {
  fieldElements,
  fieldValues,
  hasToken,
  HeadReader,
  MAX_HEAD_BYTES,
  parseRequestHead,
  parseResponseHead,
  serializeRequestHead,
  serializeResponseHead,
  sniffOpening,
} from '../../src/protocol/head.ts';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
const REQUEST = bytes(
  'GET /a//b?q=http://x/%7E HTTP/1.1\r\nHost: example.test\r\nX-Dup: 1\r\nx-DUP:2\r\nX-Empty:\r\nX-Latin: caf\xe9\xa0\r\n\r\n',
);
const FIELDS = [
  ['Host', 'example.test'],
  ['X-Dup', '1'],
  ['x-DUP', '2'],
  ['X-Empty', ''],
  ['X-Latin', 'caf\xe9\xa0'],
];

function read(chunks: readonly Uint8Array[]): { head: string; rest: string } | null {
  const reader = new HeadReader();
  for (const [index, chunk] of chunks.entries()) {
    const done = reader.push(chunk);
    if (done === null) continue;
    const after = chunks.slice(index + 1);
    return {
      head: done.head.toString('latin1'),
      rest: Buffer.concat([done.rest, ...after]).toString('latin1'),
    };
  }
  return null;
}

describe('HeadReader', () => {
  const stream = Buffer.concat([REQUEST, bytes('\x81\x85rest\r\n\r\n')]);
  const expected = { head: REQUEST.toString('latin1'), rest: '\x81\x85rest\r\n\r\n' };

  it('finds the end of the head and what follows it, wherever the stream is split in two', () => {
    for (let at = 0; at <= stream.length; at++) {
      expect(read([stream.subarray(0, at), stream.subarray(at)])).toEqual(expected);
    }
  });

  it('finds the same byte by byte', () => {
    expect(read([...stream].map((byte) => Uint8Array.of(byte)))).toEqual(expected);
  });

  it('does not hold on to a chunk that its owner uses again', () => {
    const chunk = bytes('GET / HTTP/1.1\r\n');
    const reader = new HeadReader();
    reader.push(chunk);
    chunk.fill(0);
    expect(reader.push(bytes('\r\n'))?.head.toString()).toBe('GET / HTTP/1.1\r\n\r\n');
  });

  it('takes lines that end in a bare LF, mixed with others, at every split', () => {
    for (const text of [
      'GET / HTTP/1.1\nHost: a\n\n',
      'GET / HTTP/1.1\r\nHost: a\n\r\n',
      'GET / HTTP/1.1\nHost: a\r\n\n',
    ]) {
      for (let at = 0; at <= text.length; at++) {
        expect(read([bytes(text.slice(0, at)), bytes(`${text.slice(at)}after`)])?.head).toBe(text);
      }
    }
  });

  it('does not take empty lines before the request line for the end', () => {
    expect(read([bytes('\r\n'), bytes('\r\nGET / HTTP/1.1\r\n\r\nx')])).toEqual({
      head: '\r\n\r\nGET / HTTP/1.1\r\n\r\n',
      rest: 'x',
    });
  });

  it('returns null while the blank line is missing', () => {
    expect(read([REQUEST.subarray(0, -1)])).toBeNull();
  });

  it('takes a head of just 64 KiB and refuses one byte more', () => {
    const head = (length: number): Buffer => {
      const frame = 'GET / HTTP/1.1\r\nX: \r\n\r\n';
      return bytes(frame.replace('X: ', `X: ${'a'.repeat(length - frame.length)}`));
    };
    expect(read([head(MAX_HEAD_BYTES)])?.head).toHaveLength(MAX_HEAD_BYTES);
    expect(() => read([head(MAX_HEAD_BYTES + 1)])).toThrow(expect.objectContaining({ code: 'head-too-large' }));
  });

  it('refuses over 64 KiB without waiting for the blank line', () => {
    const reader = new HeadReader();
    const chunk = bytes('a'.repeat(1000));
    expect(() => {
      for (let sent = 0; sent < 70_000; sent += 1000) reader.push(chunk);
    }).toThrow(expect.objectContaining({ code: 'head-too-large' }));
  });

  it('does not count what follows the head', () => {
    expect(read([Buffer.concat([REQUEST, Buffer.alloc(200_000)])])?.rest).toHaveLength(200_000);
  });
});

describe('a request head', () => {
  it('keeps names and values in order, case and number', () => {
    expect(parseRequestHead(REQUEST)).toEqual({
      method: 'GET',
      target: '/a//b?q=http://x/%7E',
      httpVersion: '1.1',
      headers: FIELDS,
    });
  });

  it('is written as it was read, but for white space around values', () => {
    const written = serializeRequestHead(parseRequestHead(REQUEST));
    expect(written).toBe(REQUEST.toString('latin1').replace('x-DUP:2', 'x-DUP: 2').replace('X-Empty:', 'X-Empty: '));
  });

  it('is read with bare LF and with empty lines before it', () => {
    expect(parseRequestHead(bytes('\r\n\nGET / HTTP/1.1\nHost: a\n\n'))).toMatchObject({ headers: [['Host', 'a']] });
  });

  it.each([
    ['no request line', 'hello\r\n\r\n'],
    ['two spaces', 'GET  / HTTP/1.1\r\n\r\n'],
    ['a space in the target', 'GET /a b HTTP/1.1\r\n\r\n'],
    ['no version', 'GET /\r\n\r\n'],
    ['a folded field', 'GET / HTTP/1.1\r\nX: a\r\n b\r\n\r\n'],
    ['white space before the colon', 'GET / HTTP/1.1\r\nX : a\r\n\r\n'],
    ['no colon', 'GET / HTTP/1.1\r\nX\r\n\r\n'],
    ['an empty name', 'GET / HTTP/1.1\r\n: a\r\n\r\n'],
    ['a NUL in a value', 'GET / HTTP/1.1\r\nX: a\0b\r\n\r\n'],
    ['a bare CR in a value', 'GET / HTTP/1.1\r\nX: a\rY: b\r\n\r\n'],
  ])('is refused with %s', (_, text) => {
    expect(() => parseRequestHead(bytes(text))).toThrow(expect.objectContaining({ code: 'bad-request' }));
  });

  it('never lets control characters of the peer into a message', () => {
    expect(() => parseRequestHead(bytes('\x1b[31mGET\r\n\r\n'))).toThrow(/"\?\[31mGET"/);
  });
});

describe('a response head', () => {
  it('keeps reason and fields, and is written as it was read', () => {
    const text = 'HTTP/1.1 101 Switching Protocols\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\n\r\n';
    const head = parseResponseHead(bytes(text));
    expect(head).toMatchObject({ status: 101, reason: 'Switching Protocols', httpVersion: '1.1' });
    expect(serializeResponseHead(head)).toBe(text);
  });

  it('may lack a reason', () => {
    expect(parseResponseHead(bytes('HTTP/1.1 403\r\n\r\n'))).toMatchObject({ status: 403, reason: '' });
    expect(parseResponseHead(bytes('HTTP/1.1 403 \r\n\r\n'))).toMatchObject({ status: 403, reason: '' });
  });

  it.each([
    'SSH-2.0-x\r\n\r\n',
    'HTTP/1.1 1000 x\r\n\r\n',
    'HTTP/1.1 099 x\r\n\r\n',
    'HTTP/1.1 200 x\r\nA: b\r\n c\r\n\r\n',
  ])('is refused as %j', (text) => {
    expect(() => parseResponseHead(bytes(text))).toThrow(expect.objectContaining({ code: 'upstream-bad-response' }));
  });
});

describe('fields', () => {
  const headers = [
    ['Connection', 'keep-alive, \tUpgrade'],
    ['connection', ''],
    ['X', 'a,,b'],
  ] as const;
  it('are found without case, all of them, in order', () => {
    expect(fieldValues(headers, 'connection')).toEqual(['keep-alive, \tUpgrade', '']);
  });
  it('hold tokens, which compare whole and without case', () => {
    expect(hasToken(headers, 'connection', 'upgrade')).toBe(true);
    expect(hasToken(headers, 'connection', 'up')).toBe(false);
  });
  it('are lists without empty elements', () => {
    expect(fieldElements(headers, 'x')).toEqual(['a', 'b']);
  });
});

describe('the first bytes of a connection', () => {
  it.each([
    ['\x16\x03\x01', 'tls'],
    ['GET / HTTP/1.1\r\n', 'http'],
    ['CONNECT a:1 HTTP/1.1\n', 'http'],
    ['\r\nGET / HTTP/1.0\r\n', 'http'],
    ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'http2'],
    ['SSH-2.0-OpenSSH_9.2\r\n', 'other'],
    ['EHLO example.test\r\n', 'other'],
    ['\x05\x01\x00', 'other'],
    ['\0', 'other'],
    ['{"a":1}', 'other'],
    ['GET / HTTP/1', 'more'],
    ['G', 'more'],
    ['', 'more'],
    ['\r\n', 'more'],
  ])('%j are %s', (text, opening) => {
    expect(sniffOpening(bytes(text))).toBe(opening);
  });

  it('never tell another story when more of them have come', () => {
    for (const text of [
      'GET /a?b=c HTTP/1.1\r\nHost: a\r\n\r\n',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      '\x16\x03\x01\x02',
    ]) {
      const whole = sniffOpening(bytes(text));
      for (let at = 0; at < text.length; at++) {
        expect([whole, 'more']).toContain(sniffOpening(bytes(text.slice(0, at))));
      }
    }
  });
});
