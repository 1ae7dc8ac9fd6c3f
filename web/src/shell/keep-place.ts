import type { Capture } from '../capture/capture.ts';
import { isOfRun, readPlace, writePlace, type Place } from '../place.ts';
import { openSession, setUi, useUi } from '../state.ts';

/** The address is written so long after a change: browsers allow only so many a minute. */
const WRITE_MS = 250;

/** Opens the session of a place, and what was selected in it. */
export function goToPlace({ session, frame, message, find, range }: Place): void {
  openSession(session);
  setUi({ frame, message, find, range, follow: frame === null && message === null, followSessions: false });
}

/**
 * Keeps the address true to what is looked at, so that a reload, a link and the browser's Back find it again.
 * Going to another session or tab is a step that Back takes back. Returns how to stop.
 */
export function keepPlace(capture: Capture): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const write = (): void => {
    timer = undefined;
    const hash = writePlace(useUi.getState(), capture.epoch);
    const before = location.hash.slice(1);
    if (hash === before) return;
    const [now, then] = [readPlace(hash), readPlace(before)];
    const step = then.session !== null && (now.session !== then.session || now.tab !== then.tab);
    history[step ? 'pushState' : 'replaceState'](null, '', hash === '' ? location.pathname : `#${hash}`);
  };
  const soon = (): void => {
    timer ??= setTimeout(write, WRITE_MS);
  };
  const back = (): void => {
    const { run, ...place } = readPlace(location.hash);
    setUi({ ...place, session: useUi.getState().session });
    if (isOfRun({ ...place, run }, capture.epoch)) goToPlace(place);
  };
  const stop = useUi.subscribe(soon);
  addEventListener('popstate', back);
  return () => {
    stop();
    clearTimeout(timer);
    removeEventListener('popstate', back);
  };
}
