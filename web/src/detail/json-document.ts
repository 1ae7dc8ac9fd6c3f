/**
 * JSON read into flat columns instead of objects: no recursion, so that depth does not matter; numbers and strings
 * stay as they were written; what follows a mistake is left out and the mistake is reported with its offset.
 *
 * Nodes stand in document order: the subtree of node i is [i, subtreeEnd(i)).
 */
export type JsonKind = 'object' | 'array' | 'string' | 'number' | 'literal';
const KINDS: readonly JsonKind[] = ['object', 'array', 'string', 'number', 'literal'];

export interface JsonFault {
  readonly offset: number;
  readonly message: string;
}

/** More than that and the tree would cost more memory than the message: the rest is left out. */
const MAX_NODES = 4_000_000;

export class JsonDocument {
  readonly text: string;
  fault: JsonFault | null = null;
  count = 0;
  #capacity = 256;
  #kind = new Uint8Array(this.#capacity);
  #start = new Uint32Array(this.#capacity);
  #end = new Uint32Array(this.#capacity);
  #keyStart = new Int32Array(this.#capacity);
  #keyEnd = new Int32Array(this.#capacity);
  #parent = new Int32Array(this.#capacity);
  #subtreeEnd = new Int32Array(this.#capacity);
  #children = new Uint32Array(this.#capacity);
  #depth = new Uint32Array(this.#capacity);
  #ordinal = new Uint32Array(this.#capacity);

  constructor(text: string) {
    this.text = text;
    this.#read();
  }

  kind(node: number): JsonKind {
    return KINDS[this.#kind[node] ?? 4] ?? 'literal';
  }
  isContainer(node: number): boolean {
    return (this.#kind[node] ?? 4) < 2;
  }
  /** The value as it was written, `maxLength` characters at most. */
  source(node: number, maxLength: number = Number.POSITIVE_INFINITY): string {
    const start = this.#start[node] ?? 0;
    return this.text.slice(start, Math.min(this.#end[node] ?? start, start + maxLength));
  }
  sourceLength(node: number): number {
    return (this.#end[node] ?? 0) - (this.#start[node] ?? 0);
  }
  /** The member's name as it was written, quotes and all, or null for array elements and the root. */
  keySource(node: number): string | null {
    const start = this.#keyStart[node] ?? -1;
    return start < 0 ? null : this.text.slice(start, this.#keyEnd[node]);
  }
  /** Position among its parent's children. */
  ordinal(node: number): number {
    return this.#ordinal[node] ?? 0;
  }
  parent(node: number): number {
    return this.#parent[node] ?? -1;
  }
  depth(node: number): number {
    return this.#depth[node] ?? 0;
  }
  children(node: number): number {
    return this.#children[node] ?? 0;
  }
  subtreeEnd(node: number): number {
    return this.#subtreeEnd[node] ?? node + 1;
  }

  /** `$.orders[3]["unit price"]` */
  path(node: number): string {
    const parts: string[] = [];
    for (let at = node; this.parent(at) >= 0; at = this.parent(at)) {
      const key = this.keySource(at);
      if (key === null) parts.push(`[${this.ordinal(at)}]`);
      else parts.push(/^"[A-Za-z_$][\w$]*"$/.test(key) ? `.${key.slice(1, -1)}` : `[${key}]`);
    }
    return `$${parts.reverse().join('')}`;
  }

  /** Nodes whose name or scalar value contains `text`, `limit` at most, regardless of case. */
  find(text: string, limit: number): number[] {
    const wanted = text.toLowerCase();
    const found: number[] = [];
    if (wanted === '') return found;
    for (let node = 0; node < this.count && found.length < limit; node += 1) {
      const inKey = this.keySource(node)?.toLowerCase().includes(wanted) === true;
      if (inKey || (!this.isContainer(node) && this.source(node).toLowerCase().includes(wanted))) found.push(node);
    }
    return found;
  }

  /** Nodes in the order in which an outline shows them; those inside closed containers are left out. */
  outline(isOpen: (node: number) => boolean): Int32Array {
    const shown: number[] = [];
    let node = 0;
    while (node < this.count) {
      shown.push(node);
      node = this.isContainer(node) && !isOpen(node) ? this.subtreeEnd(node) : node + 1;
    }
    return Int32Array.from(shown);
  }

  #read(): void {
    const { text } = this;
    let at = this.#blank(0);
    let container = -1;
    // A value is due at the start, after '[' or '{', ':' and ','.
    let due = true;
    for (;;) {
      if (due) {
        let keyStart = -1;
        let keyEnd = -1;
        const inObject = container >= 0 && this.#kind[container] === 0;
        if (inObject) {
          keyStart = at;
          keyEnd = text[at] === '"' ? endOfString(text, at) : -1;
          if (keyEnd < 0) return this.#fail(at, 'a member name in quotes is expected');
          at = this.#blank(keyEnd);
          if (text[at] !== ':') return this.#fail(at, 'a colon is expected');
          at = this.#blank(at + 1);
        }
        if (this.count >= MAX_NODES) return this.#fail(at, 'the rest is left out: there are too many values');
        const opened = text[at] === '{' || text[at] === '[';
        const node = this.#value(at, container, keyStart, keyEnd);
        if (node < 0) return this.#fail(at, at >= text.length ? 'the text ends too early' : 'a value is expected');
        at = this.#blank(this.#end[node] ?? at + 1);
        if (opened) {
          container = node;
          const close = this.#kind[node] === 0 ? '}' : ']';
          if (text[at] !== close) continue;
        }
        due = false;
      }
      if (container < 0) {
        if (at < text.length) this.fault = { offset: at, message: 'there is more text after the value' };
        return;
      }
      const close = this.#kind[container] === 0 ? '}' : ']';
      if (text[at] === close) {
        this.#close(container, at + 1);
        container = this.#parent[container] ?? -1;
        at = this.#blank(at + 1);
      } else if (text[at] === ',' && (this.#children[container] ?? 0) > 0) {
        at = this.#blank(at + 1);
        due = true;
      } else return this.#fail(at, at >= text.length ? 'the text ends too early' : `a comma or ${close} is expected`);
    }
  }

  /** Adds the value that begins at `at`; a container's end is set to just behind its bracket until it closes. */
  #value(at: number, parent: number, keyStart: number, keyEnd: number): number {
    const { text } = this;
    const first = text[at];
    let kind: number;
    let end: number;
    if (first === '{' || first === '[') {
      kind = first === '{' ? 0 : 1;
      end = at + 1;
    } else {
      const literal = LITERALS.find((word) => text.startsWith(word, at));
      kind = first === '"' ? 2 : literal === undefined ? 3 : 4;
      end = kind === 2 ? endOfString(text, at) : literal === undefined ? endOfNumber(text, at) : at + literal.length;
      if (end < 0) return -1;
    }
    const node = this.count;
    if (node === this.#capacity) this.#grow();
    this.count += 1;
    this.#kind[node] = kind;
    this.#start[node] = at;
    this.#end[node] = end;
    this.#keyStart[node] = keyStart;
    this.#keyEnd[node] = keyEnd;
    this.#parent[node] = parent;
    this.#subtreeEnd[node] = node + 1;
    this.#depth[node] = parent < 0 ? 0 : (this.#depth[parent] ?? 0) + 1;
    if (parent >= 0) {
      this.#ordinal[node] = this.#children[parent] ?? 0;
      this.#children[parent] = (this.#children[parent] ?? 0) + 1;
    }
    return node;
  }

  #close(node: number, end: number): void {
    this.#end[node] = end;
    this.#subtreeEnd[node] = this.count;
  }

  /** Closes what is open where the text went wrong, so that what came before can be shown. */
  #fail(offset: number, message: string): void {
    this.fault = { offset, message };
    let node = this.count - 1;
    for (; node >= 0; node = this.#parent[node] ?? -1) {
      if (this.isContainer(node) && this.#subtreeEnd[node] === node + 1) this.#close(node, offset);
      else if (this.isContainer(node) && (this.#end[node] ?? 0) <= (this.#start[node] ?? 0) + 1)
        this.#close(node, offset);
    }
  }

  #blank(start: number): number {
    let at = start;
    for (;;) {
      const code = this.text.charCodeAt(at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return at;
      at += 1;
    }
  }

  #grow(): void {
    this.#capacity *= 2;
    const grow = <T extends Uint8Array | Uint32Array | Int32Array>(column: T, larger: T): T => {
      larger.set(column);
      return larger;
    };
    this.#kind = grow(this.#kind, new Uint8Array(this.#capacity));
    this.#start = grow(this.#start, new Uint32Array(this.#capacity));
    this.#end = grow(this.#end, new Uint32Array(this.#capacity));
    this.#keyStart = grow(this.#keyStart, new Int32Array(this.#capacity));
    this.#keyEnd = grow(this.#keyEnd, new Int32Array(this.#capacity));
    this.#parent = grow(this.#parent, new Int32Array(this.#capacity));
    this.#subtreeEnd = grow(this.#subtreeEnd, new Int32Array(this.#capacity));
    this.#children = grow(this.#children, new Uint32Array(this.#capacity));
    this.#depth = grow(this.#depth, new Uint32Array(this.#capacity));
    this.#ordinal = grow(this.#ordinal, new Uint32Array(this.#capacity));
  }
}

// Loops instead of regular expressions: those keep a place to come back to for each character, and overflow on 10 MB.
const LITERALS: readonly string[] = ['true', 'false', 'null'];
const ESCAPES = new Set(['"', '\\', '/', 'b', 'f', 'n', 'r', 't']);

/** One past the closing quote of the string that begins at `start`, or -1. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  for (;;) {
    const code = text.charCodeAt(at);
    if (code === 0x22) return at + 1;
    if (code === 0x5c) {
      if (ESCAPES.has(text[at + 1] ?? '')) at += 2;
      else if (/^u[0-9a-fA-F]{4}$/.test(text.slice(at + 1, at + 6))) at += 6;
      else return -1;
    } else if (code >= 0x20) at += 1;
    else return -1;
  }
}

/** One past the number that begins at `start`, or -1 where none does. */
function endOfNumber(text: string, start: number): number {
  let at = start;
  const digits = (): boolean => {
    const first = at;
    while (text.charCodeAt(at) >= 0x30 && text.charCodeAt(at) <= 0x39) at += 1;
    return at > first;
  };
  if (text[at] === '-') at += 1;
  if (text[at] === '0') at += 1;
  else if (!digits()) return -1;
  const whole = at;
  if (text[at] === '.') {
    at += 1;
    if (!digits()) return whole;
  }
  const mantissa = at;
  if (text[at] === 'e' || text[at] === 'E') {
    at += 1;
    if (text[at] === '+' || text[at] === '-') at += 1;
    if (!digits()) return mantissa;
  }
  return at;
}

/** The document on many lines with two blanks a level; numbers and strings as they were written. */
export function printJson(json: JsonDocument): string {
  const lines: string[] = [];
  const open: number[] = [];
  for (let node = 0; node < json.count; node += 1) {
    while (open.length > 0 && (open.at(-1) ?? 0) !== json.parent(node)) closeInto(json, lines, open);
    const key = json.keySource(node);
    const indent = '  '.repeat(Math.min(json.depth(node), 200));
    const comma = json.ordinal(node) + 1 < json.children(json.parent(node)) ? ',' : '';
    const head = `${indent}${key === null ? '' : `${key}: `}`;
    if (json.isContainer(node) && json.children(node) > 0) {
      lines.push(head + (json.kind(node) === 'object' ? '{' : '['));
      open.push(node);
    } else {
      const empty = json.kind(node) === 'object' ? '{}' : '[]';
      lines.push(head + (json.isContainer(node) ? empty : json.source(node)) + comma);
    }
  }
  while (open.length > 0) closeInto(json, lines, open);
  return lines.join('\n');
}

function closeInto(json: JsonDocument, lines: string[], open: number[]): void {
  const node = open.pop() ?? 0;
  const comma = json.parent(node) >= 0 && json.ordinal(node) + 1 < json.children(json.parent(node)) ? ',' : '';
  lines.push('  '.repeat(Math.min(json.depth(node), 200)) + (json.kind(node) === 'object' ? '}' : ']') + comma);
}
