import { Truth, type Candidate } from './candidate.ts';
import { containsText, FIELDS } from './fields.ts';
import { FilterError } from './filter-error.ts';
import { both, either, negated, type FilterNode } from './node.ts';
import { FilterText } from './reader.ts';

const MAX_LENGTH = 10_000;
const MAX_DEPTH = 100;

const KEYWORD = { and: /and(?![^\s()])/iy, or: /or(?![^\s()])/iy, not: /not(?![^\s()])/iy } as const;
/** A name and what makes it a field; a URL's scheme is none. */
const FIELD = /([a-z]+)(?=[:=<>~]|!=|\.[\p{L}\p{N}_$"-]|\[)(?!:\/\/)/iuy;
/** After a name that is no field it makes it a host. */
const PORT = /:\d{1,5}(?![^\s()])/y;

/**
 *   filter = or            or = and *( "or" and )            and = not *( [ "and" ] not )
 *   not    = "not" not / "(" or ")" / field / text           text = quoted / anything up to white space or a parenthesis
 *
 * The empty filter lets everything through.
 * @throws {FilterError}
 */
export function readFilter(source: string): FilterNode {
  if (source.length > MAX_LENGTH) {
    throw new FilterError(MAX_LENGTH, `the filter is too long; expected at most ${MAX_LENGTH} characters`);
  }
  const text = new FilterText(source);
  text.skipSpace();
  if (text.ended) return both([]);
  const filter = readOr(text, 0);
  if (!text.ended) return text.fail('"and", "or" or the end');
  return filter;
}

function readOr(text: FilterText, depth: number): FilterNode {
  if (depth > MAX_DEPTH) return text.fail(`at most ${MAX_DEPTH} levels of "(" and "not"`);
  const parts = [readAnd(text, depth)];
  while (takeKeyword(text, 'or')) parts.push(readAnd(text, depth));
  return parts.length === 1 ? (parts[0] as FilterNode) : either(parts);
}

function readAnd(text: FilterText, depth: number): FilterNode {
  const parts = [readNot(text, depth)];
  for (;;) {
    const said = takeKeyword(text, 'and');
    if (!said && (text.ended || text.next === ')' || isKeyword(text, 'or'))) break;
    parts.push(readNot(text, depth));
  }
  return parts.length === 1 ? (parts[0] as FilterNode) : both(parts);
}

function readNot(text: FilterText, depth: number): FilterNode {
  text.skipSpace();
  if (depth > MAX_DEPTH) return text.fail(`at most ${MAX_DEPTH} levels of "(" and "not"`);
  if (takeKeyword(text, 'not')) return negated(readNot(text, depth + 1));
  const start = text.position;
  if (text.next === '(') {
    text.position++;
    const inner = readOr(text, depth + 1);
    if (text.take(/\)\s*/y) === null) return text.fail(`")" for the "(" at character ${start + 1}`);
    return inner;
  }
  if (text.ended || text.next === ')' || isKeyword(text, 'and') || isKeyword(text, 'or')) {
    return text.fail('a text, a field or "("');
  }
  const node = readTerm(text);
  if (!text.ended && !/[\s()]/.test(text.next)) return text.fail('white space after this part of the filter');
  text.skipSpace();
  return node;
}

function readTerm(text: FilterText): FilterNode {
  if (text.next === '"') return freeText(text.quoted());
  const start = text.position;
  const name = text.take(FIELD)?.[1];
  if (name === undefined) return freeText(text.value('a text'));
  const field = Object.hasOwn(FIELDS, name.toLowerCase()) ? FIELDS[name.toLowerCase()] : undefined;
  const pathFollows = /[.[]/.test(text.next);
  if (field !== undefined && pathFollows === field.operators.includes('.')) return field.read(text);
  // A name and a full stop alone make no field: that is a word like "example.org".
  if (pathFollows) {
    text.position = start;
    return freeText(text.value('a text'));
  }
  const port = text.take(PORT)?.[0];
  if (port !== undefined) {
    const host = `${name}${port}`;
    throw new FilterError(start, `"${name}" is no field; expected host:${host} for a host, or "${host}" for a text`);
  }
  return text.fail(`a field (${Object.keys(FIELDS).join(', ')}), or the text in quotes`, start);
}

/** Looks into the session's own words, and then into the payload. */
function freeText(wanted: string): FilterNode {
  const inPayload = containsText(wanted);
  const lower = wanted.toLowerCase();
  // The frames of a session come one after another: its own words are looked at once.
  let of: Candidate['session'] | null = null;
  let itself = false;
  return {
    ...inPayload,
    evaluate(candidate) {
      const { session } = candidate;
      if (session !== of) [of, itself] = [session, inSession(session, lower)];
      return itself ? Truth.True : inPayload.evaluate(candidate);
    },
  };
}

function inSession(session: Candidate['session'], lower: string): boolean {
  const { url, subprotocol, close, fault } = session;
  const words = [url, subprotocol, close?.reason, fault?.code, fault?.message];
  return words.some((text) => text?.toLowerCase().includes(lower) === true);
}

function isKeyword(text: FilterText, word: keyof typeof KEYWORD): boolean {
  const at = text.position;
  const found = text.take(KEYWORD[word]) !== null;
  text.position = at;
  return found;
}
function takeKeyword(text: FilterText, word: keyof typeof KEYWORD): boolean {
  text.skipSpace();
  return text.take(KEYWORD[word]) !== null;
}
