import { describe, expect, it } from 'vitest';
import { FRAME_VIOLATIONS, ViolationBit } from '../../src/contract/violations.ts';
import { failureOf } from '../../src/protocol/failure.ts';

describe('failing a connection', () => {
  it('has a reason for every violation that names it and its section, and fits a close frame', () => {
    for (const [code, section] of FRAME_VIOLATIONS) {
      const { reason } = failureOf(ViolationBit[code]);
      expect(reason).toBe(`${code} (${section})`);
      expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(123);
    }
  });
  it('is 1007 for what is not UTF-8 and 1002 for all else (RFC 6455 §7.4.1)', () => {
    const codes = FRAME_VIOLATIONS.map(([code]) => [code, failureOf(ViolationBit[code]).code] as const);
    expect(codes.filter(([, code]) => code === 1007).map(([name]) => name)).toEqual([
      'invalid-utf8',
      'close-reason-invalid-utf8',
    ]);
    expect(codes.every(([, code]) => code === 1002 || code === 1007)).toBe(true);
  });
  it('is 1002 where something else is wrong as well', () => {
    expect(failureOf(ViolationBit['invalid-utf8'] | ViolationBit['reserved-opcode']).code).toBe(1002);
    expect(failureOf(ViolationBit['close-code-illegal'] | ViolationBit['close-reason-invalid-utf8']).code).toBe(1002);
  });
});
