/**
 * Payloads are untrusted: characters that are invisible, or that turn the reading order round, are shown as symbols.
 * Line feed and tab stay what they are where `multiline` is wanted.
 */
const HIDDEN =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]/u;
const CONTROLS =
  'NUL SOH STX ETX EOT ENQ ACK BEL BS TAB LF VT FF CR SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US'.split(
    ' ',
  );
const NAMES: Readonly<Record<number, string>> = {
  0x7f: 'DEL',
  0xad: 'SHY',
  0x61c: 'ALM',
  0x180e: 'MVS',
  0x200b: 'ZWSP',
  0x200c: 'ZWNJ',
  0x200d: 'ZWJ',
  0x200e: 'LRM',
  0x200f: 'RLM',
  0x2028: 'LS',
  0x2029: 'PS',
  0x202a: 'LRE',
  0x202b: 'RLE',
  0x202c: 'PDF',
  0x202d: 'LRO',
  0x202e: 'RLO',
  0x2060: 'WJ',
  0x2066: 'LRI',
  0x2067: 'RLI',
  0x2068: 'FSI',
  0x2069: 'PDI',
  0xfeff: 'BOM',
};

/** A visible stand-in for one hidden character. */
export function symbolFor(codePoint: number): string {
  if (codePoint === 0x0a) return '\u21b5';
  if (codePoint === 0x09) return '\u21e5';
  const name = CONTROLS[codePoint] ?? NAMES[codePoint] ?? `U+${codePoint.toString(16).toUpperCase().padStart(4, '0')}`;
  return `\u27e8${name}\u27e9`;
}

/** One line: line feeds and tabs are made visible too. */
export function visibleLine(text: string): string {
  if (!HIDDEN.test(text)) return text;
  let result = '';
  for (const character of text) {
    result += HIDDEN.test(character) ? symbolFor(character.codePointAt(0) ?? 0) : character;
  }
  return result;
}

export interface TextPart {
  readonly text: string;
  /** True for stand-ins of hidden characters. */
  readonly symbol: boolean;
}

/** Above this number of stand-ins the rest is not set apart any more: a page of them must not become a page of nodes. */
const MAX_PARTS = 2000;

/** Many lines, cut into plain text and stand-ins, so that these can be set apart. */
export function visibleParts(text: string): TextPart[] {
  const parts: TextPart[] = [];
  let plain = '';
  let symbols = '';
  const close = (): void => {
    if (plain !== '') parts.push({ text: plain, symbol: false });
    if (symbols !== '') parts.push({ text: symbols, symbol: true });
    plain = '';
    symbols = '';
  };
  for (const character of text) {
    const hidden = character !== '\n' && character !== '\t' && HIDDEN.test(character);
    if (!hidden) {
      if (symbols !== '') close();
      plain += character;
    } else if (parts.length >= MAX_PARTS) {
      plain += symbolFor(character.codePointAt(0) ?? 0);
    } else {
      if (plain !== '') close();
      symbols += symbolFor(character.codePointAt(0) ?? 0);
    }
  }
  close();
  return parts;
}
