/**
 * Every way to break the protocol that Frametap knows: the RFC that says so, and what it asks for.
 * Frame violations are kept as one bit each, in this order; append only.
 */
export const FRAME_VIOLATIONS = [
  [
    'reserved-opcode',
    'RFC 6455 §5.2',
    'Opcodes 3-7 and 11-15 are reserved; no extension that defines them was negotiated.',
  ],
  ['rsv-without-extension', 'RFC 6455 §5.2', 'An RSV bit is set, but no negotiated extension gives it a meaning.'],
  ['fragmented-control', 'RFC 6455 §5.5', 'A control frame must not be fragmented: FIN must be set.'],
  ['control-too-long', 'RFC 6455 §5.5', 'A control frame carries 125 bytes at most.'],
  ['unexpected-continuation', 'RFC 6455 §5.4', 'A continuation frame came without a message to continue.'],
  ['interleaved-message', 'RFC 6455 §5.4', 'A new data frame came before the fragmented message had ended.'],
  ['unmasked-client-frame', 'RFC 6455 §5.1', 'A client must mask every frame.'],
  ['masked-server-frame', 'RFC 6455 §5.1', 'A server must not mask any frame.'],
  ['non-minimal-length', 'RFC 6455 §5.2', 'The payload length must be written in the fewest bytes that hold it.'],
  [
    'length-out-of-range',
    'RFC 6455 §5.2',
    'The highest bit of a 64-bit payload length must be 0. Nor can Frametap follow what is valid, but above 2^53-1.',
  ],
  ['invalid-utf8', 'RFC 6455 §8.1', 'The payload of a text message must be UTF-8.'],
  [
    'close-payload-one-byte',
    'RFC 6455 §5.5.1',
    'A close payload is empty or starts with a two-byte status code; one byte is neither.',
  ],
  ['close-code-illegal', 'RFC 6455 §7.4', 'This status code must not be sent in a close frame.'],
  ['close-reason-invalid-utf8', 'RFC 6455 §5.5.1', 'The reason in a close frame must be UTF-8.'],
  ['frame-after-close', 'RFC 6455 §5.5.1', 'No frame may follow a close frame in the same direction.'],
  ['rsv1-on-continuation', 'RFC 7692 §6.1', 'RSV1 marks a compressed message on its first frame only.'],
  ['rsv1-on-control', 'RFC 7692 §6.1', 'RSV1 must not be set on a control frame: control frames are never compressed.'],
  ['truncated-frame', 'RFC 6455 §7.1.1', 'The connection ended inside this frame.'],
] as const;
export type FrameViolationCode = (typeof FRAME_VIOLATIONS)[number][0];

/** Violations of a whole message, found when it is reassembled and inflated. */
export const MESSAGE_VIOLATIONS = [
  [
    'inflate-failed',
    'RFC 7692 §7.2.2',
    'The compressed message is not valid DEFLATE data, or points back further than 32 KiB or the first byte.',
  ],
  ['message-invalid-utf8', 'RFC 6455 §8.1', 'The inflated text message is not UTF-8.'],
] as const;
export type MessageViolationCode = (typeof MESSAGE_VIOLATIONS)[number][0];

/** Violations of the opening handshake. */
export const HANDSHAKE_VIOLATIONS = [
  ['accept-mismatch', 'RFC 6455 §4.1', 'Sec-WebSocket-Accept is not the one that the key demands.'],
  ['upgrade-missing', 'RFC 6455 §4.1', 'The 101 answer lacks "Upgrade: websocket".'],
  ['connection-missing', 'RFC 6455 §4.1', 'The 101 answer lacks "Connection: Upgrade".'],
  ['subprotocol-not-offered', 'RFC 6455 §4.1', 'The server chose a subprotocol that the client did not offer.'],
  ['extension-not-offered', 'RFC 6455 §4.1', 'The server chose an extension that the client did not offer.'],
  ['extension-parameters', 'RFC 7692 §7.1', 'The extension parameters are malformed, repeated or out of range.'],
] as const;
export type HandshakeViolationCode = (typeof HANDSHAKE_VIOLATIONS)[number][0];

export type ViolationCode = FrameViolationCode | MessageViolationCode | HandshakeViolationCode;

/** Bit of each frame violation, for example `ViolationBit['reserved-opcode'] === 1`. */
export const ViolationBit = Object.fromEntries(FRAME_VIOLATIONS.map(([code], bit) => [code, 1 << bit])) as Readonly<
  Record<FrameViolationCode, number>
>;

/** The codes whose bits are set. */
export function violationCodes(bits: number): FrameViolationCode[] {
  if (bits === 0) return [];
  return FRAME_VIOLATIONS.filter((_, bit) => (bits & (1 << bit)) !== 0).map(([code]) => code);
}
