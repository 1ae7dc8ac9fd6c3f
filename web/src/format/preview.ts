import { closeCodeMeaning } from '../../../src/contract/close-code.ts';
import type { Preview } from '../../../src/contract/frame.ts';

const strict = new TextDecoder('utf-8', { fatal: true });
const lenient = new TextDecoder();

/** What makes a binary payload no text, even where it is UTF-8 by chance. */
const UNPRINTABLE = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/;
/** Bytes in hex before their characters, where both are shown. */
const HEX_BYTES = 16;

/**
 * The start of a payload as one line for a list: text where it reads as such, a status code for a close, else hex,
 * with its characters where some of them make words.
 * A character cut at the end of `bytes` is left out.
 */
export function previewOfBytes(bytes: Uint8Array, opcode: number, payloadLength: number): string {
  if (opcode === 8) return closeText(bytes);
  if (opcode === 1) return lenient.decode(wholeCharacters(bytes, payloadLength));
  const text = decodeStrict(wholeCharacters(bytes, payloadLength));
  if (text !== null && opcode === 0) return text;
  if (text !== null && opcode === 2 && text !== '' && !UNPRINTABLE.test(text)) return text;
  if (text !== null && opcode > 2 && /^[\x20-\x7e]+$/.test(text)) return `${text}  ${hexText(bytes)}`;
  const characters = asciiText(bytes);
  if (!/\w{3}/.test(characters)) return hexText(bytes);
  return `${hexText(bytes.subarray(0, HEX_BYTES))}${bytes.length > HEX_BYTES ? ' …' : ''}  ${characters}`;
}

/** The preview that the API gives of a payload, as one line. */
export function previewText(preview: Preview | null, opcode: number, payloadLength: number): string {
  if (preview === null) return '';
  const rest = preview.truncated ? '…' : '';
  if (preview.encoding === 'utf8' && opcode < 2) return preview.data + rest;
  const bytes =
    preview.encoding === 'hex'
      ? Uint8Array.from(preview.data.match(/../g) ?? [], (pair) => parseInt(pair, 16))
      : new TextEncoder().encode(preview.data);
  return previewOfBytes(bytes, opcode, payloadLength) + rest;
}

/** Bytes as characters; a dot for each that is not printable ASCII. */
export function asciiText(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '·')).join('');
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
