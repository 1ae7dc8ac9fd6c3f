import type { Capture } from '../capture/capture.ts';
import { isOfRun, readPlace, writePlace, type Place } from '../place.ts';
import { openSession, setUi, useUi } from '../state.ts';

/** The address is written so long after a change: browsers allow only so many a minute. */
const WRITE_MS = 250;

/** Opens the session of a place, and what was selected in it. */
export function goToPlace(place: Place): void {
  const { session, frame, message, find, range, follow, followMessages, framesTop, messagesTop } = place;
  openSession(session);
  setUi({
    frame,
    message,
    find,
    range,
    follow,
    followMessages,
    framesTop,
    messagesTop,
    followSessions: false,
  });
}

/**
 * Keeps the address true to what is looked at, so that a reload, a link and the browser's Back find it again.
 * Going to another session or tab is a step that Back takes back. Nothing is written before `begin`: till then the
 * address may name a session that is yet to be opened, and a reload must find it there.
 */
export function keepPlace(capture: Capture): { readonly begin: () => void; readonly stop: () => void } {
  let begun = false;
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
    if (begun) timer ??= setTimeout(write, WRITE_MS);
  };
  const back = (): void => {
    const place = readPlace(location.hash);
    const { tab, detailTab, filterText, direction, kind } = place;
    setUi({ tab, detailTab, filterText, direction, kind });
    if (isOfRun(place, capture.epoch)) goToPlace(place);
    else setUi({ frame: null, message: null, find: '', range: null });
  };
  const stop = useUi.subscribe(soon);
  addEventListener('popstate', back);
  return {
    begin() {
      begun = true;
      soon();
    },
    stop() {
      stop();
      clearTimeout(timer);
      removeEventListener('popstate', back);
    },
  };
}
