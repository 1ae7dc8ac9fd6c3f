/**
 * Masks or unmasks in place (RFC 6455 §5.3: the same operation).
 * @param maskingKey the key read big-endian, as on the wire
 * @param payloadOffset how many payload bytes of the frame come before `bytes`
 */
export function applyMask(bytes: Uint8Array, maskingKey: number, payloadOffset = 0): void {
  const key = rotateKey(maskingKey, payloadOffset);
  const k0 = key >>> 24;
  const k1 = (key >>> 16) & 0xff;
  const k2 = (key >>> 8) & 0xff;
  const k3 = key & 0xff;
  const whole = bytes.length & ~3;
  let i = 0;
  for (; i < whole; i += 4) {
    bytes[i] = (bytes[i] as number) ^ k0;
    bytes[i + 1] = (bytes[i + 1] as number) ^ k1;
    bytes[i + 2] = (bytes[i + 2] as number) ^ k2;
    bytes[i + 3] = (bytes[i + 3] as number) ^ k3;
  }
  for (; i < bytes.length; i++) bytes[i] = (bytes[i] as number) ^ ((key >>> (24 - ((i & 3) << 3))) & 0xff);
}

/** The key as it stands for the byte at `payloadOffset`: rotated so that this byte's part comes first. */
export function rotateKey(maskingKey: number, payloadOffset: number): number {
  const shift = (payloadOffset & 3) << 3;
  return shift === 0 ? maskingKey : (maskingKey << shift) | (maskingKey >>> (32 - shift));
}

/** Reads a key the other way round: big-endian to little-endian and back. */
export function swapKey(maskingKey: number): number {
  return (
    (maskingKey << 24) | ((maskingKey & 0xff00) << 8) | ((maskingKey >>> 8) & 0xff00) | ((maskingKey >>> 24) & 0xff)
  );
}
