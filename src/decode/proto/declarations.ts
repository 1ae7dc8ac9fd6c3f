/** Where something is declared in the text of a .proto file. */
export interface Declaration {
  /** Full name of the message, enum or package around it. */
  readonly scope: string;
  readonly name: string;
  /** Number of a field or enum value; null for a type. */
  readonly number: number | null;
  /** Counted from 1. */
  readonly line: number;
}

/** Comments and texts (to the end where they are not closed), words, and single characters. */
const TOKEN =
  /\/\/[^\n]*|\/\*[^*]*(?:\*(?!\/)[^*]*)*(?:\*\/)?|"[^"\\]*(?:\\[^][^"\\]*)*"?|'[^'\\]*(?:\\[^][^'\\]*)*'?|[\w.]+|[^\s\w]/g;
const OPENING: ReadonlySet<string> = new Set(['message', 'enum', 'service', 'oneof', 'extend', 'group']);
/** Deeper than protobuf lets messages lie. */
const MAX_SCOPES = 100;

/**
 * Finds the declarations of a text, which need not be right: its reader says what is wrong, and this says where. Members
 * of a oneof belong to the message, and those of an extension to what is around it.
 */
export function declarationsOf(text: string): Declaration[] {
  const found: Declaration[] = [];
  const scopes: string[] = [];
  let packageName = '';
  let opening = '';
  let inOptions = false;
  let before: readonly string[] = [];
  const declare = (name: string, number: number | null, line: number): void => {
    const scope = [packageName, ...scopes].filter((part) => part !== '').join('.');
    found.push({ scope, name, number, line });
  };
  for (const { token, line } of tokensOf(text)) {
    const [beforeLast = '', last = ''] = before;
    if (token === '{') scopes.push(opening);
    else if (token === '}') scopes.pop();
    else if (token === ';' && beforeLast === 'package') packageName = last;
    else if (token === '[' || token === ']') inOptions = token === '[';
    else if (OPENING.has(last) && /^\w/.test(token)) {
      opening = last === 'oneof' || last === 'extend' ? '' : token;
      if (last !== 'group' && last !== 'extend') declare(token, null, line);
    } else if (last === '=' && !inOptions && /^\d/.test(token)) declare(beforeLast, Number(token), line);
    if (scopes.length > MAX_SCOPES) break;
    const ends = /[;{}]/.test(token);
    if (ends) [opening, inOptions] = ['', false];
    before = ends ? [] : [last, token];
  }
  return found;
}

function* tokensOf(text: string): Generator<{ readonly token: string; readonly line: number }> {
  let line = 1;
  let lineFrom = 0;
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    for (let at = text.indexOf('\n', lineFrom); at !== -1 && at < index; at = text.indexOf('\n', lineFrom)) {
      line++;
      lineFrom = at + 1;
    }
    if (!/^(?:\/[/*]|["'])/.test(token)) yield { token, line };
  }
}
