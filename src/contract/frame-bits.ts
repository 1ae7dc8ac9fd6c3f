import { Direction, type FrameOrigin } from './frame.ts';

/**
 * One 32-bit word that carries a frame's first two header bytes and what the capture knows about it.
 *
 *   bits 0-7    first header byte: FIN, RSV1-3, opcode   (RFC 6455 §5.2)
 *   bits 8-15   second header byte: MASK, 7-bit length
 *   bit 16      set: server to client; clear: client to server
 *   bit 17      complete: the whole payload has passed
 *   bit 18      belongs to a compressed message (RFC 7692)
 *   bit 19      the payload is held only in part, or not at all
 *   bits 20-21  origin: 0 peer, 1 injected, 2 replaced
 */
export const FrameBit = {
  ServerToClient: 1 << 16,
  Complete: 1 << 17,
  Compressed: 1 << 18,
  PayloadCut: 1 << 19,
  Origin: 3 << 20,
} as const;

export const fin = (bits: number): boolean => (bits & 0x80) !== 0;
export const rsv1 = (bits: number): boolean => (bits & 0x40) !== 0;
export const rsv2 = (bits: number): boolean => (bits & 0x20) !== 0;
export const rsv3 = (bits: number): boolean => (bits & 0x10) !== 0;
export const opcode = (bits: number): number => bits & 0x0f;
export const masked = (bits: number): boolean => (bits & 0x8000) !== 0;
export const direction = (bits: number): Direction =>
  (bits & FrameBit.ServerToClient) !== 0 ? Direction.ServerToClient : Direction.ClientToServer;
export const complete = (bits: number): boolean => (bits & FrameBit.Complete) !== 0;
export const compressed = (bits: number): boolean => (bits & FrameBit.Compressed) !== 0;
export const payloadCut = (bits: number): boolean => (bits & FrameBit.PayloadCut) !== 0;
export const origin = (bits: number): FrameOrigin => ORIGINS[(bits >>> 20) & 3] ?? 'peer';
const ORIGINS: readonly FrameOrigin[] = ['peer', 'injected', 'replaced'];

/** How the length was written on the wire: 7, 16 or 64 bits. */
export function lengthBits(bits: number): 7 | 16 | 64 {
  const short = (bits >>> 8) & 0x7f;
  return short === 127 ? 64 : short === 126 ? 16 : 7;
}
