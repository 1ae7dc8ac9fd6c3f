import { describe, expect, it } from 'vitest';
import { violationCodes } from '../../src/contract/violations.ts';
import { closePayload, readClosePayload } from '../../src/protocol/closing.ts';

const payload = (code: number, reason: Uint8Array | string = ''): Buffer =>
  Buffer.concat([Buffer.of(code >> 8, code & 255), Buffer.from(reason as string)]);
const marks = (bytes: Uint8Array): string[] => violationCodes(readClosePayload(bytes).violations);

describe('a close payload', () => {
  it('may be empty: no code', () => {
    expect(readClosePayload(new Uint8Array(0))).toEqual({ code: null, reason: '', violations: 0 });
  });
  it('of one byte is no code', () => {
    expect(readClosePayload(Buffer.of(3))).toMatchObject({ code: null, reason: '' });
    expect(marks(Buffer.of(3))).toEqual(['close-payload-one-byte']);
  });
  it('is a code and a reason', () => {
    expect(readClosePayload(payload(1000, 'bye €'))).toEqual({ code: 1000, reason: 'bye €', violations: 0 });
    expect(readClosePayload(payload(4999))).toEqual({ code: 4999, reason: '', violations: 0 });
  });
  it('keeps a byte order mark and replaces what is not UTF-8', () => {
    expect(readClosePayload(payload(1000, '\ufeffx')).reason).toBe('\ufeffx');
    expect(readClosePayload(payload(1000, Buffer.of(0x61, 0xff))).reason).toBe('a\ufffd');
    expect(marks(payload(1000, Buffer.of(0x61, 0xff)))).toEqual(['close-reason-invalid-utf8']);
    expect(marks(payload(1005, Buffer.of(0xc2)))).toEqual(['close-code-illegal', 'close-reason-invalid-utf8']);
  });
  it('carries every code of 65,536, and exactly the legal ones unmarked (§7.4)', () => {
    const legal: number[] = [];
    for (let code = 0; code < 65536; code++) {
      const read = readClosePayload(payload(code));
      expect(read.code).toBe(code);
      if (read.violations === 0) legal.push(code);
    }
    const named = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014];
    expect(legal).toEqual([...named, ...Array.from({ length: 2000 }, (_, i) => 3000 + i)]);
  });
});

describe('a close payload that the proxy makes', () => {
  it('reads as what it was made from', () => {
    expect(readClosePayload(closePayload(1002, 'why'))).toEqual({ code: 1002, reason: 'why', violations: 0 });
    expect(closePayload(1002, '')).toEqual(Uint8Array.of(3, 234));
  });
  it('is 125 bytes at most and never cuts a character', () => {
    for (let length = 118; length < 130; length++) {
      for (const character of ['a', 'ß', '€', '𝄞']) {
        const made = closePayload(1007, 'a'.repeat(length) + character.repeat(10));
        expect(made.length).toBeLessThanOrEqual(125);
        expect(made.length).toBeGreaterThan(121);
        expect(readClosePayload(made).violations).toBe(0);
      }
    }
  });
});
