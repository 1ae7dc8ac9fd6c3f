import type { Capture } from '../capture/capture.ts';
import { openSession, useUi } from '../state.ts';

let listed: readonly string[] | null = null;

/** The list tells which sessions it shows, so that the keys move among these; null: all. */
export function setListedSessions(ids: readonly string[] | null): void {
  listed = ids;
}

export function moveSession(capture: Capture, by: 1 | -1): void {
  const ids = listed ?? capture.book.ids;
  const current = useUi.getState().session;
  const at = current === null ? -1 : ids.indexOf(current);
  const next = ids[at < 0 ? (by > 0 ? 0 : ids.length - 1) : at + by];
  if (next !== undefined) openSession(next);
}
