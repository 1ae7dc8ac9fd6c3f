import type { HandshakeViolationCode } from '../contract/violations.ts';

/** One element of Sec-WebSocket-Extensions: a name and its parameters in order. */
export interface Extension {
  readonly name: string;
  readonly parameters: readonly (readonly [name: string, value: string | null])[];
}

/** permessage-deflate as both ends understand it after the handshake (RFC 7692 §7.1). */
export interface NegotiatedDeflate {
  readonly clientNoContextTakeover: boolean;
  readonly serverNoContextTakeover: boolean;
  /** LZ77 window of what the client compresses, 8 to 15. */
  readonly clientMaxWindowBits: number;
  readonly serverMaxWindowBits: number;
}

export interface ExtensionOutcome {
  /** Null where it is not in force. Read as well as possible where its parameters are wrong. */
  readonly deflate: NegotiatedDeflate | null;
  readonly problems: readonly HandshakeViolationCode[];
}

const NAME = 'permessage-deflate';
const DEFAULT_WINDOW_BITS = 15;

/** token *( OWS ";" OWS token [ "=" ( token / quoted-string ) ] ), sticky: read one piece after the other. */
const TOKEN = /[\t ]*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)[\t ]*/y;
const VALUE = /=[\t ]*(?:([!#$%&'*+\-.^_`|~0-9A-Za-z]+)|"((?:[^"\\]|\\.)*)")[\t ]*/y;
const GAP = /[\t ,]*/y;

/**
 * Reads the values of all Sec-WebSocket-Extensions fields as one list. Null where they do not follow the grammar.
 * @see RFC 6455 §9.1
 */
export function parseExtensions(values: readonly string[]): Extension[] | null {
  const extensions: Extension[] = [];
  for (const text of values) {
    let at = skip(text, 0);
    while (at < text.length) {
      const name = match(TOKEN, text, at);
      if (name === null) return null;
      at = TOKEN.lastIndex;
      const parameters: [string, string | null][] = [];
      while (text[at] === ';') {
        const parameter = match(TOKEN, text, at + 1);
        if (parameter === null) return null;
        at = TOKEN.lastIndex;
        const value = text[at] === '=' ? match(VALUE, text, at) : undefined;
        if (value === null) return null;
        if (value !== undefined) at = VALUE.lastIndex;
        parameters.push([
          parameter[1] ?? '',
          value === undefined ? null : (value[1] ?? (value[2] ?? '').replace(/\\(.)/g, '$1')),
        ]);
      }
      extensions.push({ name: name[1] ?? '', parameters });
      if (at < text.length && text[at] !== ',') return null;
      at = skip(text, at);
    }
  }
  return extensions;
}

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}
function skip(text: string, at: number): number {
  match(GAP, text, at);
  return GAP.lastIndex;
}

/**
 * What the server's answer to the client's offer means. Both are the values of the Sec-WebSocket-Extensions fields.
 * @see RFC 6455 §9.1, RFC 7692 §5.1 and §7.1
 */
export function negotiatedDeflate(offerValues: readonly string[], answerValues: readonly string[]): ExtensionOutcome {
  if (answerValues.length === 0) return NOTHING;
  const answers = parseExtensions(answerValues);
  if (answers === null) return { deflate: null, problems: ['extension-parameters'] };
  const offers = parseExtensions(offerValues) ?? [];
  const problems = new Set<HandshakeViolationCode>();
  for (const answer of answers) {
    if (!offers.some((offer) => offer.name === answer.name)) problems.add('extension-not-offered');
  }
  const chosen = answers.filter((answer) => answer.name === NAME);
  const offered = offers.filter((offer) => offer.name === NAME);
  const answer = chosen[0];
  if (chosen.length > 1) problems.add('extension-parameters');
  if (answer === undefined || offered.length === 0) return { deflate: null, problems: [...problems] };
  const { deflate, valid } = readAnswer(answer);
  if (!valid || !offered.some((offer) => accepts(offer, answer, deflate))) problems.add('extension-parameters');
  return { deflate, problems: [...problems] };
}
const NOTHING: ExtensionOutcome = { deflate: null, problems: [] };

function readAnswer(answer: Extension): { deflate: NegotiatedDeflate; valid: boolean } {
  let valid = true;
  const seen = new Map<string, string | null>();
  for (const [name, value] of answer.parameters) {
    if (seen.has(name)) valid = false;
    else seen.set(name, value);
    if (name === 'server_no_context_takeover' || name === 'client_no_context_takeover') valid &&= value === null;
    else if (name === 'server_max_window_bits' || name === 'client_max_window_bits')
      valid &&= windowBits(value) !== null;
    else valid = false;
  }
  return {
    deflate: {
      clientNoContextTakeover: seen.has('client_no_context_takeover'),
      serverNoContextTakeover: seen.has('server_no_context_takeover'),
      clientMaxWindowBits: windowBits(seen.get('client_max_window_bits') ?? null) ?? DEFAULT_WINDOW_BITS,
      serverMaxWindowBits: windowBits(seen.get('server_max_window_bits') ?? null) ?? DEFAULT_WINDOW_BITS,
    },
    valid,
  };
}

/** A decimal number from 8 to 15 without leading zeros (RFC 7692 §7.1.2). */
function windowBits(value: string | null): number | null {
  return value !== null && /^(?:[89]|1[0-5])$/.test(value) ? Number(value) : null;
}

/** Whether this answer agrees with what one element of the offer asked for. */
function accepts(offer: Extension, answer: Extension, deflate: NegotiatedDeflate): boolean {
  const asked = new Map(offer.parameters);
  const serverBits = windowBits(asked.get('server_max_window_bits') ?? null);
  const clientBits = asked.get('client_max_window_bits');
  if (asked.has('server_no_context_takeover') && !deflate.serverNoContextTakeover) return false;
  if (serverBits !== null && deflate.serverMaxWindowBits > serverBits) return false;
  // RFC 7692 §7.1.2.2: only a client that sent the parameter may be answered with it, and not with a larger window.
  const answersClientBits = answer.parameters.some(([name]) => name === 'client_max_window_bits');
  if (answersClientBits && clientBits === undefined) return false;
  return !answersClientBits || deflate.clientMaxWindowBits <= (windowBits(clientBits ?? null) ?? DEFAULT_WINDOW_BITS);
}
