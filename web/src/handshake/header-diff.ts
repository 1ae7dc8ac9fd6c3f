import type { HeaderList } from '../../../src/contract/session.ts';

export type HeaderMark = 'same' | 'changed' | 'only-here';

/** One header of one message, and how it relates to the other message. */
export interface MarkedHeader {
  readonly name: string;
  readonly value: string;
  readonly mark: HeaderMark;
  /** Its value in the other message, where that differs. */
  readonly other: string | null;
}

/**
 * Marks what the proxy changed between two messages. Headers of one name are paired in their order; a name that differs
 * only in case counts as changed.
 */
export function markHeaders(headers: HeaderList, others: HeaderList | null): readonly MarkedHeader[] {
  if (others === null) return headers.map(([name, value]) => ({ name, value, mark: 'same', other: null }));
  const rest = new Map<string, (readonly [string, string])[]>();
  for (const header of others) {
    const key = header[0].toLowerCase();
    rest.set(key, [...(rest.get(key) ?? []), header]);
  }
  return headers.map(([name, value]) => {
    const other = rest.get(name.toLowerCase())?.shift();
    if (other === undefined) return { name, value, mark: 'only-here', other: null };
    const same = other[0] === name && other[1] === value;
    return { name, value, mark: same ? 'same' : 'changed', other: same ? null : `${other[0]}: ${other[1]}` };
  });
}
