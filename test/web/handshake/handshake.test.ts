import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { computeAccept } from '../../../web/src/handshake/accept.ts';
import { markHeaders } from '../../../web/src/handshake/header-diff.ts';
import { sha1 } from '../../../web/src/handshake/sha1.ts';

describe('the accept proof', () => {
  test("is the RFC's own example (§1.3)", () => {
    expect(computeAccept('dGhlIHNhbXBsZSBub25jZQ==').accept).toBe('s3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
  });
  test('uses the SHA-1 that node:crypto computes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(Buffer.from(sha1(bytes)).toString('hex')).toBe(createHash('sha1').update(bytes).digest('hex'));
      }),
    );
  });
});

describe('what the proxy changed', () => {
  test('is marked: same, changed, only on one leg; by name, in order, whatever the case', () => {
    const marks = markHeaders(
      [
        ['Host', 'a'],
        ['Cookie', '1'],
        ['Cookie', '2'],
        ['Sec-WebSocket-Key', 'x'],
        ['Proxy-Connection', 'keep-alive'],
        ['upgrade', 'websocket'],
      ],
      [
        ['Host', 'a'],
        ['Cookie', '1'],
        ['Cookie', '3'],
        ['Sec-WebSocket-Key', 'y'],
        ['Upgrade', 'websocket'],
      ],
    );
    expect(marks.map(({ mark }) => mark)).toEqual(['same', 'same', 'changed', 'changed', 'only-here', 'changed']);
    expect(marks[2]?.other).toBe('Cookie: 3');
  });
});
