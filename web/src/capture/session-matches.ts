import type { SessionPage } from '../../../src/contract/api.ts';
import { fetchSessions } from './api.ts';

const PAGE_SESSIONS = 500;

/** While sessions change, the filter is put to the server again so often at most. */
const REFRESH_MS = 1500;
/** A search of all payloads may take a while: the server is left alone for so many times as long. */
const REST_RATIO = 4;

/** How long to wait after a search that took `roundMs`, before sessions that have changed are searched again. */
export const restAfter = (roundMs: number): number => Math.max(REFRESH_MS, REST_RATIO * roundMs);

/** Which sessions pass a filter, as far as is known. */
export interface SessionHits {
  readonly ids: readonly string[];
  /** All sessions up to this one, in the order of ids, have been looked at; null: all there are. */
  readonly searchedTo: string | null;
}

/** Asks for sessions that pass, after an id ('' for the first). */
export type FetchHits = (filter: string, after: string, signal: AbortSignal) => Promise<SessionPage>;

const fetchHits: FetchHits = (filter, after, signal) => fetchSessions({ limit: PAGE_SESSIONS, filter, after }, signal);

/** Which sessions pass a filter: asked of the server, page by page, and told after each. Ids of `before` stand until then. */
export async function findSessions(
  filter: string,
  options: {
    readonly before: readonly string[];
    readonly onHits: (hits: SessionHits) => void;
    readonly signal: AbortSignal;
    readonly fetch?: FetchHits;
  },
): Promise<void> {
  const { before, onHits, signal, fetch = fetchHits } = options;
  const found: string[] = [];
  let after: string | null = '';
  while (after !== null) {
    const page: SessionPage = await fetch(filter, after, signal);
    if (signal.aborted) return;
    for (const session of page.sessions) found.push(session.id);
    after = page.next;
    const next = after;
    const rest = next === null ? [] : before.filter((id) => Number(id) > Number(next));
    onHits({ ids: [...found, ...rest], searchedTo: next });
  }
}
