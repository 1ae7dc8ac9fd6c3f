import { useEffect, useState } from 'react';
import { ApiError, fetchBytes, fetchFrames, type PayloadBytes } from '../capture/api.ts';
import type { StoredRow } from '../capture/row-store.ts';
import { RowStore } from '../capture/row-store.ts';
import { useCapture, useFrames } from '../use-capture.ts';

/** As much of a payload as is read to be looked at. */
export const MAX_SHOWN_BYTES = 8 * 1024 * 1024;

export interface PayloadState {
  readonly path: string;
  readonly payload: PayloadBytes | null;
  readonly error: string | null;
}

/** Reads the bytes behind `path`; the ones before stay until these have come, so that nothing flickers. */
export function usePayload(path: string, version: string | number, maxBytes: number = MAX_SHOWN_BYTES): PayloadState {
  const [state, setState] = useState<PayloadState>({ path, payload: null, error: null });
  useEffect(() => {
    const abort = new AbortController();
    fetchBytes(path, maxBytes, abort.signal).then(
      (payload) => setState({ path, payload, error: null }),
      (error: unknown) => {
        if (abort.signal.aborted) return;
        const message =
          error instanceof ApiError && error.code === 'not-held' ? 'These bytes are no longer held.' : String(error);
        setState({ path, payload: null, error: message });
      },
    );
    return () => abort.abort();
  }, [path, version, maxBytes]);
  return state;
}

/** The row of one frame: from the table's store, or read by itself where that has let it go. */
export function useFrameRow(session: string, index: number): StoredRow | null {
  const capture = useCapture();
  useFrames(capture);
  const held = capture.selected === session ? capture.rows.at(index) : undefined;
  const [own, setOwn] = useState<{ readonly key: string; readonly row: StoredRow | null }>({ key: '', row: null });
  const key = `${session} ${index}`;
  const missing = held === undefined;
  useEffect(() => {
    if (!missing) return;
    const abort = new AbortController();
    fetchFrames(session, { from: index, limit: 1 }, abort.signal).then(
      (page) => {
        const store = new RowStore(1);
        store.applyRows(page.frames);
        setOwn({ key, row: store.at(index) ?? null });
      },
      () => setOwn({ key, row: null }),
    );
    return () => abort.abort();
  }, [missing, session, index, key]);
  return held ?? (own.key === key ? own.row : null);
}
