import { describe, expect, it } from 'vitest';
import type { HeaderList } from '../../src/contract/session.ts';
import { ResponseBody } from '../../src/protocol/response-body.ts';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

function run(status: number, headers: HeaderList, chunks: readonly Buffer[]) {
  let content = '';
  const body = new ResponseBody({ httpVersion: '1.1', status, reason: '', headers }, (part) => {
    content += Buffer.from(part).toString('latin1');
  });
  let taken = 0;
  for (const chunk of chunks) taken += body.push(chunk);
  return { content, taken, complete: body.complete };
}

describe('the body of a refused handshake', () => {
  const wire = '5;ext=1\r\nhello\r\n1\r\n!\r\n0\r\nX-Trailer: 1\r\n\r\nmore';

  it('ends with its last chunk and its trailers, wherever the bytes are split', () => {
    for (let at = 0; at <= wire.length; at++) {
      expect(
        run(403, [['Transfer-Encoding', 'gzip, Chunked']], [bytes(wire.slice(0, at)), bytes(wire.slice(at))]),
      ).toEqual({ content: 'hello!', taken: wire.length - 4, complete: true });
    }
  });

  it('ends with its Content-Length, wherever the bytes are split', () => {
    for (let at = 0; at <= 7; at++) {
      const text = 'hellomo';
      expect(run(403, [['content-length', '5']], [bytes(text.slice(0, at)), bytes(text.slice(at))])).toMatchObject({
        content: 'hello',
        taken: 5,
        complete: true,
      });
    }
  });

  it('goes on until the connection ends where nothing tells its length', () => {
    expect(run(403, [], [bytes('abc')])).toEqual({
      content: 'abc',
      taken: 3,
      complete: false,
    });
  });

  it('is cut where the connection ends inside a counted or chunked one', () => {
    expect(run(403, [['Content-Length', '5']], [bytes('ab')]).complete).toBe(false);
    expect(run(403, [['Transfer-Encoding', 'chunked']], [bytes('5\r\nab')]).complete).toBe(false);
  });

  it.each([204, 304])('is not there with status %i', (status) => {
    expect(run(status, [['Content-Length', '5']], [bytes('hello')])).toMatchObject({ taken: 0, complete: true });
  });

  it('is not there with Content-Length 0', () => {
    expect(run(403, [['Content-Length', '0']], [])).toMatchObject({ complete: true });
  });

  it('is refused where two lengths differ, and taken where they are the same', () => {
    const two = (b: string): HeaderList => [
      ['Content-Length', '2'],
      ['Content-Length', b],
    ];
    expect(run(403, two('2'), [bytes('ab')]).complete).toBe(true);
    expect(() => run(403, two('3'), [])).toThrow(expect.objectContaining({ code: 'upstream-bad-response' }));
  });

  it.each(['x\r\n', '\r\n', '5\r\nhelloX\r\n', '-1\r\n'])('is refused with broken chunks: %j', (text) => {
    expect(() => run(403, [['Transfer-Encoding', 'chunked']], [bytes(text)])).toThrow(
      expect.objectContaining({ code: 'upstream-bad-response' }),
    );
  });
});
