/** One frame as a test wants it on the wire: written without any code of src. */
export interface WireFrame {
  readonly opcode: number;
  readonly fin?: boolean;
  /** 0 to 7: RSV1 is 4. */
  readonly rsv?: number;
  readonly payload?: Uint8Array | string;
  /** Four bytes; none: unmasked. */
  readonly key?: Uint8Array | null;
  /** How the length is written; the shortest unless told. */
  readonly lengthBits?: 7 | 16 | 64;
}

export function encode(frame: WireFrame): Buffer {
  const payload = bytesOf(frame.payload ?? '');
  const n = payload.length;
  const lengthBits = frame.lengthBits ?? (n < 126 ? 7 : n < 65536 ? 16 : 64);
  const length = Buffer.alloc(lengthBits === 7 ? 1 : lengthBits === 16 ? 3 : 9);
  if (lengthBits === 7) length[0] = n;
  else if (lengthBits === 16) length.writeUInt16BE(n, 1);
  else length.writeBigUInt64BE(BigInt(n), 1);
  if (lengthBits !== 7) length[0] = lengthBits === 16 ? 126 : 127;
  const key = frame.key ?? null;
  if (key !== null) length[0] = (length[0] as number) | 0x80;
  const byte0 = (frame.fin === false ? 0 : 0x80) | ((frame.rsv ?? 0) << 4) | frame.opcode;
  return Buffer.concat([Buffer.of(byte0), length, key ?? Buffer.alloc(0), key === null ? payload : xor(payload, key)]);
}

export function bytesOf(payload: Uint8Array | string): Buffer {
  return typeof payload === 'string' ? Buffer.from(payload) : Buffer.from(payload);
}

export function xor(bytes: Uint8Array, key: Uint8Array): Buffer {
  return Buffer.from(bytes.map((byte, i) => byte ^ (key[i & 3] as number)));
}

/** One frame as it is found on the wire. */
export interface ParsedFrame {
  readonly byte0: number;
  readonly byte1: number;
  /** The extended length as written. */
  readonly length: Buffer;
  readonly key: Buffer | null;
  /** Unmasked. */
  readonly payload: Buffer;
  readonly bytes: Buffer;
}

/** Splits whole frames by RFC 6455 §5.2 alone; `rest` is what is no whole frame. */
export function parse(bytes: Buffer): { readonly frames: ParsedFrame[]; readonly rest: Buffer } {
  const frames: ParsedFrame[] = [];
  let at = 0;
  for (;;) {
    const start = at;
    if (bytes.length - at < 2) return { frames, rest: bytes.subarray(start) };
    const byte0 = bytes[at] as number;
    const byte1 = bytes[at + 1] as number;
    const short = byte1 & 0x7f;
    const lengthBytes = short === 127 ? 8 : short === 126 ? 2 : 0;
    const keyBytes = (byte1 & 0x80) === 0 ? 0 : 4;
    if (bytes.length - at < 2 + lengthBytes + keyBytes) return { frames, rest: bytes.subarray(start) };
    const length = bytes.subarray(at + 2, at + 2 + lengthBytes);
    const n = short === 127 ? Number(length.readBigUInt64BE()) : short === 126 ? length.readUInt16BE() : short;
    at += 2 + lengthBytes;
    const key = keyBytes === 0 ? null : bytes.subarray(at, at + 4);
    at += keyBytes;
    if (bytes.length - at < n) return { frames, rest: bytes.subarray(start) };
    const masked = bytes.subarray(at, at + n);
    at += n;
    const payload = key === null ? masked : xor(masked, key);
    frames.push({ byte0, byte1, length, key, payload, bytes: bytes.subarray(start, at) });
  }
}

/** All ways to cut `length` bytes in two, as lists of chunk lengths; first and last are the whole. */
export function splits(length: number): number[] {
  return Array.from({ length: length + 1 }, (_, i) => i);
}

/** Cuts bytes at sorted positions. */
export function cutAt(bytes: Uint8Array, positions: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let from = 0;
  for (const position of [...positions, bytes.length]) {
    if (position > from) chunks.push(bytes.subarray(from, position));
    from = Math.max(from, position);
  }
  return chunks;
}

/** One byte a chunk. */
export function eachByte(bytes: Uint8Array): Uint8Array[] {
  return Array.from(bytes, (_, i) => bytes.subarray(i, i + 1));
}
