import { FRAME_VIOLATIONS, ViolationBit } from '../contract/violations.ts';

const NOT_CONSISTENT = ViolationBit['invalid-utf8'] | ViolationBit['close-reason-invalid-utf8'];

/**
 * The status code and reason with which RFC 6455 §7.1.7 fails a connection for these violations (bits of
 * contract/violations.ts): 1007 for text that is not UTF-8 (§8.1), 1002 for the rest (§7.4.1).
 */
export function failureOf(violations: number): { readonly code: 1002 | 1007; readonly reason: string } {
  const first = FRAME_VIOLATIONS.find((_, bit) => (violations & (1 << bit)) !== 0);
  const reason = first === undefined ? 'protocol error' : `${first[0]} (${first[1]})`;
  return { code: (violations & ~NOT_CONSISTENT) === 0 ? 1007 : 1002, reason };
}
