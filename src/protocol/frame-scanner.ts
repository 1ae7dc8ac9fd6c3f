import { ViolationBit } from '../contract/violations.ts';

/** What `FrameScanner.next` found. */
export const Scan = {
  /** The bytes are used up. */
  End: 0,
  /** A frame or a part of one: the scanner's fields say which. */
  Piece: 1,
  /** A length that cannot be followed: scanning is over for this direction. */
  Lost: 2,
} as const;
export type Scan = (typeof Scan)[keyof typeof Scan];

/** Which meaning RSV bits and reserved opcodes have in a session. */
export type NegotiatedExtensions = 'none' | 'permessage-deflate' | 'unknown';

const MAX_HEADER_BYTES = 14;
const NO_HEADER = new Uint8Array(0);
/** The highest 32 bits of 2^53-1, the longest payload that a number can count. */
const MAX_LENGTH_HIGH = 0x1fffff;

/**
 * Marks the frames in one direction's bytes (RFC 6455 §5.2), in whatever chunks they come. It reports violations and
 * goes on; it stops only at a length that cannot be followed. Sans-IO, and without an allocation a frame: each call of
 * `next` describes the next piece in the scanner's own fields. Bytes are borrowed for the time of the call.
 */
export class FrameScanner {
  /** This piece starts its frame: the header fields below are new. */
  begins = false;
  /** This piece ends its frame. */
  ends = false;
  /** First header byte: FIN, RSV1-3, opcode. */
  byte0 = 0;
  /** Second header byte: MASK and the 7-bit length. */
  byte1 = 0;
  /** The masking key read big-endian, as a signed 32-bit number; 0 for an unmasked frame. */
  maskingKey = 0;
  payloadLength = 0;
  /** Header bytes of this frame, from 2 to 14. */
  headerLength = 0;
  /** Bits of contract/violations.ts that this frame's header earns. */
  violations = 0;
  /** Bytes of this direction before the frame's first byte. */
  streamOffset = 0;
  /** Where this piece's payload lies in the chunk. */
  payloadStart = 0;
  payloadEnd = 0;
  /** Payload bytes of this frame before this piece. */
  payloadDone = 0;
  /** The data message that the frame belongs to: its opcode (1 or 2; 0 for none), and whether it is compressed. */
  messageOpcode = 0;
  messageCompressed = false;
  /** A message's last frame has not come yet. */
  inMessage = false;

  readonly #byte0Violations: Uint32Array;
  readonly #deflate: boolean;
  readonly #maskBit: number;
  readonly #maskViolation: number;
  /** Made when a header is split for the first time: most directions never need it. */
  #header: Uint8Array = NO_HEADER;
  #headerHeld = 0;
  #remaining = 0;
  #inFrame = false;
  /** Where in this direction the first close frame begins; -1 where none has come. */
  #closeOffset = -1;
  #lost = false;
  #chunkOffset = 0;
  #position = 0;

  constructor(options: { readonly masked: boolean; readonly extensions: NegotiatedExtensions }) {
    this.#byte0Violations = BYTE0_VIOLATIONS[options.extensions];
    this.#deflate = options.extensions === 'permessage-deflate';
    this.#maskBit = options.masked ? 0x80 : 0;
    this.#maskViolation = options.masked ? ViolationBit['unmasked-client-frame'] : ViolationBit['masked-server-frame'];
  }

  /** Starts on a new chunk, whose first byte has number `streamOffset` in this direction. */
  begin(streamOffset: number): void {
    this.#chunkOffset = streamOffset;
    this.#position = 0;
  }

  /** Bytes of an incomplete header that wait for the rest of it. */
  get heldHeaderBytes(): number {
    return this.#headerHeld;
  }
  /** The header that is held, or was held last: `headerLength` bytes of it. */
  get heldHeader(): Uint8Array {
    return this.#header;
  }
  /** The chunk has brought something else than a close frame and what follows one. */
  get spoke(): boolean {
    return this.#closeOffset < 0 || this.#closeOffset > this.#chunkOffset;
  }
  /** Where in the chunk the next piece starts. */
  get position(): number {
    return this.#position;
  }
  /** Between messages, with nothing held: whoever reads a whole message from here on may tell with `skipTo`. */
  get betweenMessages(): boolean {
    return !(this.#inFrame || this.inMessage || this.#closeOffset >= 0 || this.#lost || this.#headerHeld > 0);
  }
  /** Goes on at `position`: everything before it was whole messages and control frames without a violation. */
  skipTo(position: number): void {
    this.#position = position;
  }
  /** A frame has begun and its payload has not ended. */
  get inFrame(): boolean {
    return this.#inFrame;
  }

  /** Describes the next piece of `bytes[0..end)`. */
  next(bytes: Uint8Array, end: number): Scan {
    const position = this.#position;
    if (this.#inFrame) {
      if (position === end) return Scan.End;
      this.payloadDone += this.payloadEnd - this.payloadStart;
      return this.#payload(position, end, false);
    }
    if (this.#lost || position === end) return Scan.End;
    if (this.#headerHeld > 0) return this.#nextInHeldHeader(bytes, position, end);

    if (end - position >= MAX_HEADER_BYTES || end - position >= headerLengthOf(bytes, position, end)) {
      return this.#readHeader(bytes, position, position, end);
    }
    if (this.#header === NO_HEADER) this.#header = new Uint8Array(MAX_HEADER_BYTES);
    this.#header.set(bytes.subarray(position, end));
    this.#headerHeld = end - position;
    this.#position = end;
    // Its first byte says so already.
    if (this.#closeOffset < 0 && ((bytes[position] as number) & 0x0f) === 8) {
      this.#closeOffset = this.#chunkOffset + position;
    }
    return Scan.End;
  }

  /** A header that came in pieces: take bytes until it is whole, then read it where it is held. */
  #nextInHeldHeader(bytes: Uint8Array, from: number, end: number): Scan {
    let position = from;
    while (this.#headerHeld < headerLengthOf(this.#header, 0, this.#headerHeld)) {
      if (position === end) {
        this.#position = position;
        return Scan.End;
      }
      this.#header[this.#headerHeld++] = bytes[position++] as number;
    }
    const held = this.#headerHeld;
    this.#headerHeld = 0;
    return this.#readHeader(this.#header, 0, position, end, this.#chunkOffset + position - held);
  }

  #readHeader(
    header: Uint8Array,
    at: number,
    position: number,
    end: number,
    streamOffset: number = this.#chunkOffset + position,
  ): Scan {
    const byte0 = header[at] as number;
    const byte1 = header[at + 1] as number;
    let violations = this.#byte0Violations[byte0] as number;
    let next = at + 2;
    let length = byte1 & 0x7f;
    let lost = false;
    if (length === 126) {
      length = ((header[next] as number) << 8) | (header[next + 1] as number);
      next += 2;
      if (length < 126) violations |= ViolationBit['non-minimal-length'];
    } else if (length === 127) {
      const high = readWord(header, next) >>> 0;
      length = high * 0x1_0000_0000 + (readWord(header, next + 4) >>> 0);
      next += 8;
      if (high > MAX_LENGTH_HIGH) {
        violations |= ViolationBit['length-out-of-range'];
        lost = true;
      } else if (length < 0x1_0000) violations |= ViolationBit['non-minimal-length'];
    }
    let maskingKey = 0;
    if ((byte1 & 0x80) !== 0) {
      maskingKey = readWord(header, next);
      next += 4;
    }
    if ((byte1 & 0x80) !== this.#maskBit) violations |= this.#maskViolation;
    if (this.#closeOffset >= 0 && this.#closeOffset < streamOffset) violations |= ViolationBit['frame-after-close'];

    const opcode = byte0 & 0x0f;
    if (opcode >= 8) {
      if (length > 125) violations |= ViolationBit['control-too-long'];
      if (opcode === 8 && this.#closeOffset < 0) this.#closeOffset = streamOffset;
    } else if (opcode === 0) {
      if (!this.inMessage) {
        violations |= ViolationBit['unexpected-continuation'];
        this.messageOpcode = 0;
        this.messageCompressed = false;
      }
      if ((byte0 & 0x80) !== 0) this.inMessage = false;
    } else if (opcode <= 2) {
      if (this.inMessage) violations |= ViolationBit['interleaved-message'];
      this.messageOpcode = opcode;
      this.messageCompressed = this.#deflate && (byte0 & 0x40) !== 0;
      this.inMessage = (byte0 & 0x80) === 0;
    }

    this.byte0 = byte0;
    this.byte1 = byte1;
    this.maskingKey = maskingKey;
    this.payloadLength = length;
    this.headerLength = next - at;
    this.violations = violations;
    this.streamOffset = streamOffset;
    this.payloadDone = 0;
    this.#remaining = length;
    const start = header === this.#header ? position : next;
    if (lost) {
      this.#lost = true;
      this.begins = true;
      this.ends = false;
      this.payloadStart = this.payloadEnd = start;
      this.#position = end;
      return Scan.Lost;
    }
    return this.#payload(start, end, true);
  }

  #payload(start: number, end: number, begins: boolean): Scan {
    const available = end - start;
    const remaining = this.#remaining;
    const taken = remaining < available ? remaining : available;
    this.begins = begins;
    this.ends = taken === remaining;
    this.payloadStart = start;
    this.payloadEnd = this.#position = start + taken;
    this.#remaining = remaining - taken;
    this.#inFrame = taken !== remaining;
    return Scan.Piece;
  }
}

function readWord(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)
  );
}

/** Length of the header at `at`; the least that is certain while its second byte is missing. */
function headerLengthOf(bytes: Uint8Array, at: number, end: number): number {
  if (end - at < 2) return 2;
  const byte1 = bytes[at + 1] as number;
  const short = byte1 & 0x7f;
  return 2 + (short === 127 ? 8 : short === 126 ? 2 : 0) + ((byte1 & 0x80) !== 0 ? 4 : 0);
}

/** What the first header byte alone says, for each of its 256 values. */
const BYTE0_VIOLATIONS: Readonly<Record<NegotiatedExtensions, Uint32Array>> = {
  none: tabulate('none'),
  'permessage-deflate': tabulate('permessage-deflate'),
  unknown: tabulate('unknown'),
};

function tabulate(extensions: NegotiatedExtensions): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, byte0) => {
    const opcode = byte0 & 0x0f;
    const control = opcode >= 8;
    let violations = 0;
    if (control && (byte0 & 0x80) === 0) violations |= ViolationBit['fragmented-control'];
    if (extensions === 'unknown') return violations;
    if ((opcode > 2 && opcode < 8) || opcode > 10) violations |= ViolationBit['reserved-opcode'];
    if ((byte0 & 0x30) !== 0) violations |= ViolationBit['rsv-without-extension'];
    if ((byte0 & 0x40) !== 0) {
      if (extensions === 'none') violations |= ViolationBit['rsv-without-extension'];
      else if (control) violations |= ViolationBit['rsv1-on-control'];
      else if (opcode === 0) violations |= ViolationBit['rsv1-on-continuation'];
      else if (opcode > 2) violations |= ViolationBit['rsv-without-extension'];
    }
    return violations;
  });
}
