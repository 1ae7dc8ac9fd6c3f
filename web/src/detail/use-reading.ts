import { useEffect, useEffectEvent, useState } from 'react';
import { ApiError } from '../capture/api.ts';

/** What is still arriving, or could not be reached, is read again after so long. */
const AGAIN_MS = 1000;

interface Known<T> {
  readonly subject: string;
  readonly value: T | null;
  readonly fault: unknown;
}

/** What is known of a subject: the last that was read of it, and what went wrong since. */
export interface Reading<T> {
  readonly value: T | null;
  readonly error: string | null;
}

/** Reads what `subject` names, again when `version` changes, and again and again while more of it may come. */
export function useReading<T extends { readonly growing: boolean }>(options: {
  readonly subject: string;
  readonly version: string | number;
  readonly read: (signal: AbortSignal) => Promise<T>;
}): Reading<T> {
  const { subject, version } = options;
  const [known, setKnown] = useState<Known<T> | null>(null);
  const [round, setRound] = useState(0);
  const read = useEffectEvent(options.read);
  useEffect(() => {
    const abort = new AbortController();
    read(abort.signal).then(
      (value) => {
        if (!abort.signal.aborted) setKnown({ subject, value, fault: null });
      },
      (fault: unknown) => {
        if (abort.signal.aborted) return;
        setKnown((before) => ({ subject, value: before?.subject === subject ? before.value : null, fault }));
      },
    );
    return () => abort.abort();
  }, [subject, version, round]);

  const current = known?.subject === subject ? known : null;
  const fault = current?.fault ?? null;
  const again = fault === null ? current?.value?.growing === true : !(fault instanceof ApiError);
  useEffect(() => {
    if (!again) return;
    const timer = setTimeout(() => setRound((count) => count + 1), AGAIN_MS);
    return () => clearTimeout(timer);
  }, [again, current]);

  const error = fault === null ? null : fault instanceof ApiError ? fault.message : 'The server cannot be reached.';
  return { value: current?.value ?? null, error };
}
