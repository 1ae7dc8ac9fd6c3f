import { closeCodeMeaning } from '../../../src/contract/close-code.ts';

const strict = new TextDecoder('utf-8', { fatal: true });
const lenient = new TextDecoder();

/** What makes a binary payload no text, even where it is UTF-8 by chance. */
const UNPRINTABLE = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/;

/**
 * The start of a payload as one line for a list: text where it reads as such, a status code for a close, else
 * hex.
 * A character cut at the end of `bytes` is left out.
 */
export function previewOfBytes(bytes: Uint8Array, opcode: number, payloadLength: number): string {
  if (opcode === 8) return closeText(bytes);
  if (opcode === 1) return lenient.decode(wholeCharacters(bytes, payloadLength));
  const text = decodeStrict(wholeCharacters(bytes, payloadLength));
  if (text !== null && opcode === 0) return text;
  if (text !== null && opcode === 2 && text !== '' && !UNPRINTABLE.test(text)) return text;
  if (text !== null && opcode > 2 && /^[\x20-\x7e]+$/.test(text)) return `${hexText(bytes)}  ${text}`;
  return hexText(bytes);
}

/** Bytes as hex pairs with blanks between. */
export function hexText(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 1) {
    text += (i === 0 ? '' : ' ') + (bytes[i] ?? 0).toString(16).padStart(2, '0');
  }
  return text;
}

export function decodeStrict(bytes: Uint8Array): string | null {
  try {
    return strict.decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

/** Leaves out a UTF-8 sequence that the end of a preview cuts in two. */
function wholeCharacters(bytes: Uint8Array, payloadLength: number): Uint8Array {
  if (bytes.length >= payloadLength) return bytes;
  let start = bytes.length - 1;
  while (start > 0 && start > bytes.length - 4 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start -= 1;
  const lead = bytes[start] ?? 0;
  const needs = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
  return start + needs > bytes.length ? bytes.subarray(0, start) : bytes;
}

function closeText(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'no status code';
  if (bytes.length === 1) return hexText(bytes);
  const code = ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0);
  const reason = lenient.decode(bytes.subarray(2));
  return `${code} ${closeCodeMeaning(code)}${reason === '' ? '' : ` · ${reason}`}`;
}
