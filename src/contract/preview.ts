import { PREVIEW_BYTES, type Preview } from './frame.ts';

/** Makes the preview of a payload of `totalLength` bytes from its first bytes; a character cut at the end is left out. */
export function previewBytes(bytes: Uint8Array, totalLength: number): Preview {
  const start = bytes.subarray(0, PREVIEW_BYTES);
  const truncated = totalLength > start.length;
  for (let cut = 0; cut <= (truncated ? 3 : 0); cut++) {
    const data = decodeStrictly(start.subarray(0, start.length - cut));
    if (data !== null) return { encoding: 'utf8', data, truncated };
  }
  const data = Array.from(start, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return { encoding: 'hex', data, truncated };
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
function decodeStrictly(bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes);
  } catch {
    return null; // Not UTF-8: the one thing that decode throws for.
  }
}
