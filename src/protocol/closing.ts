import { isUtf8 } from 'node:buffer';
import { closeCodeIsLegal } from '../contract/close-code.ts';
import { ViolationBit } from '../contract/violations.ts';

/** A close frame's payload as RFC 6455 §5.5.1 reads it. */
export interface ClosePayload {
  /** Null where there is none (an empty payload, or a single byte). */
  readonly code: number | null;
  readonly reason: string;
  /** Bits of contract/violations.ts. */
  readonly violations: number;
}

/**
 * Reads an unmasked close payload; never throws.
 * @param long what is known of a reason that goes on behind these bytes: whether all of it is UTF-8
 */
export function readClosePayload(payload: Uint8Array, long?: { readonly isUtf8: boolean }): ClosePayload {
  if (payload.length === 0) return { code: null, reason: '', violations: 0 };
  if (payload.length === 1) return { code: null, reason: '', violations: ViolationBit['close-payload-one-byte'] };
  const code = ((payload[0] as number) << 8) | (payload[1] as number);
  const reason = payload.subarray(2);
  let violations = closeCodeIsLegal(code) ? 0 : ViolationBit['close-code-illegal'];
  if (!(long?.isUtf8 ?? isUtf8(reason))) violations |= ViolationBit['close-reason-invalid-utf8'];
  return { code, reason: reason.length === 0 ? '' : decodeReason(reason, long !== undefined), violations };
}

/** @param cut a character that is cut at the end is left out */
function decodeReason(bytes: Uint8Array, cut: boolean): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes, { stream: cut });
}

/** A close frame's payload: status code and as much of the reason as fits (RFC 6455 §5.5, §5.5.1). */
export function closePayload(code: number, reason: string): Uint8Array {
  const payload = new Uint8Array(125);
  payload[0] = code >>> 8;
  payload[1] = code & 0xff;
  // `encodeInto` writes whole characters only.
  const { written } = new TextEncoder().encodeInto(reason, payload.subarray(2));
  return payload.slice(0, 2 + written);
}
