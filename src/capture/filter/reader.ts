import { FilterError } from './filter-error.ts';

export type Comparison = '=' | '!=' | '<' | '>' | '<=' | '>=';

/** A place in a filter's text that moves on as it is read. */
export class FilterText {
  readonly text: string;
  position = 0;

  constructor(text: string) {
    this.text = text;
  }

  get ended(): boolean {
    return this.position >= this.text.length;
  }
  get next(): string {
    return this.text[this.position] ?? '';
  }

  /** Steps over what `pattern` (sticky) matches here, and returns it. */
  take(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.position;
    const found = pattern.exec(this.text);
    if (found !== null) this.position = pattern.lastIndex;
    return found;
  }

  skipSpace(): void {
    this.take(/\s*/y);
  }

  /** @throws {FilterError} naming what was expected and what stands here */
  fail(expected: string, position = this.position): never {
    const found = this.text.slice(position, position + 20);
    throw new FilterError(
      position,
      `expected ${expected}, but found ${found === '' ? 'the end' : JSON.stringify(found)}`,
    );
  }

  /** A quoted text with `\"` and `\\` inside, or everything up to white space or a closing parenthesis. */
  value(expected: string): string {
    return this.next === '"' ? this.quoted() : (this.take(/[^\s()"][^\s)]*/y)?.[0] ?? this.fail(expected));
  }

  quoted(): string {
    const start = this.position;
    const found = this.take(/"((?:[^"\\]|\\[\s\S])*)"/y);
    if (found === null) throw new FilterError(start, 'this quote is never closed; expected another "');
    return (found[1] ?? '').replace(/\\([\s\S])/g, '$1');
  }

  comparison(allowed: readonly Comparison[] = ['=', '!=', '<', '>', '<=', '>=']): Comparison {
    const start = this.position;
    const found = this.take(/!=|<=|>=|=|<|>|:/y)?.[0];
    const comparison = found === ':' ? '=' : found;
    const known = allowed.find((one) => one === comparison);
    return known ?? this.fail(allowed.length === 1 ? '":"' : `one of ${allowed.join(' ')}`, start);
  }

  /** `/pattern/flags`, as in JavaScript; flags i, m, s and u. */
  regex(): { readonly pattern: RegExp; readonly position: number } {
    const position = this.position;
    const found = this.take(/\/((?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+)\/(\p{L}*)/uy);
    if (found === null) return this.fail('a regular expression like /^a+$/i', position);
    const flags = found[2] ?? '';
    if (!/^[imsu]*$/.test(flags)) {
      throw new FilterError(this.position - flags.length, `"${flags}" are no flags; expected some of i, m, s and u`);
    }
    try {
      return { pattern: new RegExp(found[1] ?? '', flags), position };
    } catch (error) {
      const reason = error instanceof SyntaxError ? error.message.replace(/^.*\/\w*: /, '') : 'not valid';
      throw new FilterError(position, `the regular expression is wrong (${reason}); expected one as in JavaScript`);
    }
  }
}

export function compare(comparison: Comparison, left: number, right: number): boolean {
  switch (comparison) {
    case '=':
      return left === right;
    case '!=':
      return left !== right;
    case '<':
      return left < right;
    case '>':
      return left > right;
    case '<=':
      return left <= right;
    case '>=':
      return left >= right;
  }
}
