import { createContext, useContext, useEffect, useState, useSyncExternalStore } from 'react';
import type { SessionDetail, SessionSummary } from '../../src/contract/session.ts';
import { fetchSession } from './capture/api.ts';
import type { Capture } from './capture/capture.ts';

export const CaptureContext = createContext<Capture | null>(null);

export function useCapture(): Capture {
  const capture = useContext(CaptureContext);
  if (capture === null) throw new Error('no capture around this view');
  return capture;
}

/** Draws again when sessions change. Returns a number that changes with them. */
export function useSessions(capture: Capture): number {
  return useSyncExternalStore(capture.sessionsPulse.subscribe, capture.sessionsPulse.version);
}

/** Draws again when frames of the selected session come or are fetched. */
export function useFrames(capture: Capture): number {
  return useSyncExternalStore(capture.framesPulse.subscribe, capture.framesPulse.version);
}

export function useStatus(capture: Capture): number {
  return useSyncExternalStore(capture.statusPulse.subscribe, capture.statusPulse.version);
}

/** The time, again and again. */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

/** The whole of one session, read again when something other than its counts has changed. */
export function useSessionDetail(summary: SessionSummary): {
  readonly detail: SessionDetail | null;
  readonly error: string | null;
} {
  const [known, setKnown] = useState<{ detail: SessionDetail | null; error: string | null; id: string }>({
    detail: null,
    error: null,
    id: summary.id,
  });
  const { id } = summary;
  const version = `${summary.state} ${summary.violationCount} ${summary.closedAt ?? ''} ${summary.status ?? ''} ${summary.frameCount > 0}`;
  useEffect(() => {
    const abort = new AbortController();
    fetchSession(id, abort.signal).then(
      (detail) => setKnown({ detail, error: null, id }),
      (error: unknown) => {
        if (!abort.signal.aborted) {
          setKnown({ detail: null, error: error instanceof Error ? error.message : String(error), id });
        }
      },
    );
    return () => abort.abort();
  }, [id, version]);
  return known.id === id ? known : { detail: null, error: null };
}
