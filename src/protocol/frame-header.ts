import { applyMask } from './mask.ts';

/**
 * One whole frame with FIN set and the shortest length form (RFC 6455 §5.2), for the few frames that the proxy makes
 * itself. With a key the payload is masked; `maskingKey` is read big-endian.
 */
export function buildFrame(opcode: number, payload: Uint8Array, maskingKey?: number): Uint8Array {
  const length = payload.length;
  if (length > 0xffff) throw new RangeError('a frame made by the proxy carries 65535 bytes at most');
  const extended = length > 125 ? 2 : 0;
  const start = 2 + extended + (maskingKey === undefined ? 0 : 4);
  const frame = new Uint8Array(start + length);
  frame[0] = 0x80 | opcode;
  frame[1] = (maskingKey === undefined ? 0 : 0x80) | (extended === 0 ? length : 126);
  if (extended > 0) {
    frame[2] = length >>> 8;
    frame[3] = length & 0xff;
  }
  frame.set(payload, start);
  if (maskingKey !== undefined) {
    new DataView(frame.buffer).setInt32(2 + extended, maskingKey);
    applyMask(frame.subarray(start), maskingKey);
  }
  return frame;
}
