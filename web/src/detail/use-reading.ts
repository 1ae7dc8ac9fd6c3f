import { useEffect, useEffectEvent, useState, useSyncExternalStore } from 'react';
import { ApiError } from '../capture/api.ts';
import { useCapture } from '../use-capture.ts';

/** What is still arriving, or could not be reached, is read again after so long. */
const AGAIN_MS = 1000;

interface Known<T> {
  readonly subject: string;
  readonly value: T | null;
  readonly fault: unknown;
  /** The session was open when it was asked for. */
  readonly open: boolean;
}

/** What is known of a subject: the last that was read of it, and what went wrong since. */
export interface Reading<T> {
  readonly value: T | null;
  readonly error: string | null;
}

/**
 * Reads what `subject` names, again when `version` changes, and again and again while not all of it has come: until it
 * has, or the session has ended.
 */
export function useReading<T extends { readonly complete: boolean }>(options: {
  readonly session: string;
  readonly subject: string;
  readonly version: string | number;
  readonly read: (signal: AbortSignal) => Promise<T>;
}): Reading<T> {
  const { session, subject, version } = options;
  const capture = useCapture();
  const isOpen = (): boolean => capture.book.get(session)?.state === 'open';
  const open = useSyncExternalStore(capture.sessionsPulse.subscribe, isOpen);
  const [known, setKnown] = useState<Known<T> | null>(null);
  const [round, setRound] = useState(0);
  const read = useEffectEvent(options.read);
  const wasOpen = useEffectEvent(isOpen);
  useEffect(() => {
    const abort = new AbortController();
    const asked = { subject, open: wasOpen() };
    read(abort.signal).then(
      (value) => {
        if (!abort.signal.aborted) setKnown({ ...asked, value, fault: null });
      },
      (fault: unknown) => {
        if (abort.signal.aborted) return;
        setKnown((before) => ({ ...asked, value: before?.subject === subject ? before.value : null, fault }));
      },
    );
    return () => abort.abort();
  }, [subject, version, round]);

  const current = known?.subject === subject ? known : null;
  const fault = current?.fault ?? null;
  const arrives = fault === null && current?.value?.complete === false && (open || current.open);
  const again = arrives || (fault !== null && !(fault instanceof ApiError));
  useEffect(() => {
    if (!again) return;
    const timer = setTimeout(() => setRound((count) => count + 1), arrives && !open ? 0 : AGAIN_MS);
    return () => clearTimeout(timer);
  }, [again, arrives, open, current]);

  const error = fault === null ? null : fault instanceof ApiError ? fault.message : 'The server cannot be reached.';
  return { value: current?.value ?? null, error };
}
