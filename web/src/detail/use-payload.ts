import { useEffect, useEffectEvent, useState } from 'react';
import { ApiError, fetchBytes, fetchFrames, type PayloadBytes } from '../capture/api.ts';
import type { StoredRow } from '../capture/stored-row.ts';
import { RowStore } from '../capture/row-store.ts';
import { useCapture, useFrames } from '../use-capture.ts';

/** As much of a payload as is read to be looked at. */
export const MAX_SHOWN_BYTES = 8 * 1024 * 1024;

export interface PayloadState<Of> {
  readonly path: string;
  /** What `path` gave; null until that has come. */
  readonly payload: PayloadBytes | null;
  readonly error: string | null;
  /** More of it is to come. */
  readonly arriving: boolean;
  /** What is to be seen, and what it is of: the one before stays until the payload has come, so that nothing flickers. */
  readonly shown: ShownPayload<Of> | null;
  /** The payload of `path` and of no other, also before it has come. */
  readonly read: () => Promise<PayloadBytes>;
}

interface ShownPayload<Of> extends PayloadBytes {
  readonly path: string;
  readonly of: Of;
}

/** Reads the bytes behind `path`: the payload of `of`. */
export function usePayload<Of>(
  of: Of,
  path: string,
  version: string | number,
  maxBytes: number = MAX_SHOWN_BYTES,
): PayloadState<Of> {
  const [known, setKnown] = useState<ShownPayload<Of> | null>(null);
  const [failed, setFailed] = useState<{ readonly path: string; readonly error: unknown } | null>(null);
  const arrive = useEffectEvent((from: string, payload: PayloadBytes) => {
    if (from !== path) return;
    setKnown({ ...payload, path, of });
    setFailed(null);
  });
  useEffect(() => {
    const abort = new AbortController();
    fetchBytes(path, maxBytes, abort.signal).then(
      (payload) => arrive(path, payload),
      (error: unknown) => {
        if (!abort.signal.aborted) setFailed({ path, error });
      },
    );
    return () => abort.abort();
  }, [path, version, maxBytes]);
  const fault = failed?.path === path ? failed.error : null;
  const error = fault === null ? null : fault instanceof Error ? fault.message : 'It cannot be read.';
  const shown = known?.path === path ? { ...known, of } : known;
  const payload = shown?.path === path && error === null ? shown : null;
  const arriving = payload === null ? fault instanceof ApiError && fault.code === 'still-arriving' : !payload.complete;
  const read = async (): Promise<PayloadBytes> => payload ?? fetchBytes(path, maxBytes);
  return { path, payload, error, arriving, shown, read };
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
