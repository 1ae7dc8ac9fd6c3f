/** Bytes in a JSON document, so that exactly these bytes come out again. */
export interface ExportedPayload {
  readonly encoding: 'utf8' | 'base64';
  readonly data: string;
  /** There was more, which is not held. */
  readonly truncated?: true;
}

// ignoreBOM: a byte order mark is part of what was sent.
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** As text where it is meant as text and is UTF-8, else as Base64. */
export function exportPayload(
  bytes: Uint8Array,
  { text, truncated }: { readonly text: boolean; readonly truncated: boolean },
): ExportedPayload {
  const cut = truncated ? { truncated: true as const } : {};
  if (text) {
    try {
      return { encoding: 'utf8', data: strictUtf8.decode(bytes), ...cut };
    } catch (error) {
      // Not UTF-8, or cut inside a character.
      if (!(error instanceof TypeError)) throw error;
    }
  }
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
  return { encoding: 'base64', data, ...cut };
}
