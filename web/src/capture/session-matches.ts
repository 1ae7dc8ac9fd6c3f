import { fetchSessions } from './api.ts';

const PAGE_SESSIONS = 500;

/** Which sessions pass a filter: asked of the server, page by page, told once all is known. */
export async function findSessions(
  filter: string,
  onFound: (ids: readonly string[]) => void,
  signal: AbortSignal,
): Promise<void> {
  const ids: string[] = [];
  let after: string | null = '';
  while (after !== null) {
    const page: Awaited<ReturnType<typeof fetchSessions>> = await fetchSessions(
      { limit: PAGE_SESSIONS, filter, after },
      signal,
    );
    for (const session of page.sessions) ids.push(session.id);
    after = page.next;
  }
  onFound(ids);
}
