import type { SessionPage } from '../../../src/contract/api.ts';
import { fetchSession, fetchSessions } from '../capture/api.ts';
import type { Capture } from '../capture/capture.ts';
import { isOfRun, type WrittenPlace } from '../place.ts';
import { goToPlace } from '../shell/keep-place.ts';
import { openSession, useUi } from '../state.ts';

/** More than a tall screen shows. web/index.html asks for them by the same URL. */
const NEWEST = 100;
/** Frames of a usual screen; those around them come with them. */
const SCREEN_ROWS = 40;

/** What one most likely wants to see first: the newest session that is open, else the newest. */
export function firstChoice(book: Capture['book']): string | null {
  const open = book.ids.findLast((id) => book.get(id)?.state === 'open');
  return open ?? book.ids.at(-1) ?? null;
}

/**
 * Opens a session once, as soon as there is one, where none has been opened by then: that of `place`, if it is of this
 * run of the server. The stream brings the oldest first, and 20,000 of them take a while: the newest are asked for
 * beside it, at once and not when the stream has answered. `onSettled` is told when `place` is of no more use: its session
 * is open, or cannot be. Returns how to stop waiting.
 */
export function openFirst(capture: Capture, place: WrittenPlace, onSettled: () => void): () => void {
  const abort = new AbortController();
  let early: Promise<SessionPage> | null = fetchNewest(abort.signal);
  early.catch(() => undefined);
  let asking = false;
  const look = (): void => {
    if (asking || capture.status === null) return;
    const wanted = isOfRun(place, capture.epoch) ? place.session : null;
    if (Math.max(capture.status.sessions, capture.book.size) === 0) {
      if (wanted === null) onSettled();
      // What was asked for before there was any session has none of them.
      early = null;
      return;
    }
    asking = true;
    fetchFirst(capture, { wanted, newest: early ?? fetchNewest(abort.signal) }, abort.signal)
      // That the server cannot be reached is said elsewhere; what the stream has brought is there to choose from.
      .catch(() => undefined)
      .finally(() => {
        if (abort.signal.aborted) return;
        asking = false;
        early = null;
        if (useUi.getState().session === null) {
          const choice = firstChoice(capture.book);
          if (wanted !== null) goToPlace(place);
          // The answer is older than the session that the stream has told of: it is looked for again.
          else if (choice === null) return;
          else openAtEnd(capture, choice);
        }
        stop();
        onSettled();
      });
  };
  const stops = [capture.sessionsPulse.subscribe(look), capture.statusPulse.subscribe(look)];
  const stop = (): void => {
    for (const each of stops) each();
  };
  return () => {
    stop();
    abort.abort();
  };
}

/** Its newest frames are asked for at once, and not when their table has been drawn. */
function openAtEnd(capture: Capture, id: string): void {
  openSession(id);
  capture.select(id);
  capture.lookAt(Math.max(0, capture.frameCount - SCREEN_ROWS), capture.frameCount);
}

const fetchNewest = (signal: AbortSignal): Promise<SessionPage> =>
  fetchSessions({ order: 'newest', limit: NEWEST }, signal);

async function fetchFirst(
  capture: Capture,
  first: { readonly wanted: string | null; readonly newest: Promise<SessionPage> },
  signal: AbortSignal,
): Promise<void> {
  const { epoch } = capture;
  const { wanted } = first;
  const newest = await first.newest;
  if (capture.epoch === epoch) capture.learn(newest.sessions);
  if (wanted !== null) {
    const session = await fetchSession(wanted, signal);
    if (capture.epoch === epoch) capture.learn([session]);
    return;
  }
  if (newest.sessions.some(({ state }) => state === 'open') || capture.status?.openSessions === 0) return;
  for (let after: string | null = newest.next; after !== null;) {
    const page = await fetchSessions({ order: 'newest', filter: 'is:open', limit: 1, after }, signal);
    if (capture.epoch === epoch) capture.learn(page.sessions);
    after = page.sessions.length === 0 ? page.next : null;
  }
}
