import type { Capture } from '../capture/capture.ts';
import { openSession, setUi, useUi } from '../state.ts';

let listed: readonly string[] | null = null;

/** The list tells which sessions it shows, so that the keys move among these; null: all. */
export function setListedSessions(ids: readonly string[] | null): void {
  listed = ids;
}

export function moveSession(capture: Capture, by: 1 | -1): void {
  const ids = listed ?? capture.book.ids;
  const current = useUi.getState().session;
  const at = current === null ? -1 : ids.indexOf(current);
  goTo(ids, at < 0 ? (by > 0 ? 0 : ids.length - 1) : at + by);
}

/** Opens a session by its position; the list comes along, and goes on following only from its end. */
export function goTo(ids: readonly string[], at: number): void {
  const id = ids[at];
  if (id === undefined) return;
  setUi({ followSessions: at === ids.length - 1 });
  openSession(id);
}
