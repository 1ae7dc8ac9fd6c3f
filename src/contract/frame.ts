import type { FrameViolationCode } from './violations.ts';

/** Which way a frame travelled. Absolute: it never depends on whose side one stands on. */
export const Direction = {
  ClientToServer: 'client-to-server',
  ServerToClient: 'server-to-client',
} as const;
export type Direction = (typeof Direction)[keyof typeof Direction];

/** Where a frame came from: a peer sent it, somebody injected it, or it replaced a peer's. */
export type FrameOrigin = 'peer' | 'injected' | 'replaced';

/** RFC 6455 §5.2 and the registry of §11.8. */
export const Opcode = { Continuation: 0, Text: 1, Binary: 2, Close: 8, Ping: 9, Pong: 10 } as const;

/** Name of an opcode as RFC 6455 §11.8 writes it, or `reserved`. */
export function opcodeName(opcode: number): string {
  return OPCODE_NAMES[opcode] ?? 'reserved';
}
const OPCODE_NAMES: Readonly<Record<number, string>> = {
  0: 'continuation',
  1: 'text',
  2: 'binary',
  8: 'close',
  9: 'ping',
  10: 'pong',
};

/** One frame as the API lists it. Payload bytes are fetched apart, by session and index. */
export interface FrameRow {
  /** Number within the session, from 0, both directions counted together in order of arrival. */
  readonly index: number;
  /** Position in the one log of everything. */
  readonly seq: number;
  /** ISO 8601 with microseconds. */
  readonly time: string;
  readonly direction: Direction;
  readonly fin: boolean;
  readonly rsv1: boolean;
  readonly rsv2: boolean;
  readonly rsv3: boolean;
  readonly opcode: number;
  readonly masked: boolean;
  /** Eight hex digits as on the wire, or null for an unmasked frame. */
  readonly maskingKey: string | null;
  /** True payload length in bytes, also where less of it is held. */
  readonly payloadLength: number;
  /** Payload bytes that the capture still holds. */
  readonly heldBytes: number;
  /** How the length was written: 7, 16 or 64 bits. */
  readonly lengthBits: 7 | 16 | 64;
  /** Belongs to a compressed message (RFC 7692), also where it continues one and RSV1 is not set. */
  readonly compressed: boolean;
  /** Bytes in this direction after the opening handshake and before this frame's first byte. */
  readonly streamOffset: number;
  /** False while the payload is still arriving, or when the connection ended inside it. */
  readonly complete: boolean;
  readonly origin: FrameOrigin;
  readonly violations: readonly FrameViolationCode[];
  /** The start of the payload (unmasked; inflated where the message was compressed and could be), for lists. */
  readonly preview: Preview | null;
}

/** At most `PREVIEW_BYTES` bytes of a payload: as text where they are UTF-8, else as hex. */
export interface Preview {
  readonly encoding: 'utf8' | 'hex';
  readonly data: string;
  /** True where the payload is longer than what is shown. */
  readonly truncated: boolean;
}
export const PREVIEW_BYTES = 160;
