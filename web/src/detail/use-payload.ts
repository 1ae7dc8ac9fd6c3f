import { useEffect, useState } from 'react';
import { fetchBytes, fetchFrames, type PayloadBytes } from '../capture/api.ts';
import type { StoredRow } from '../capture/stored-row.ts';
import { RowStore } from '../capture/row-store.ts';
import { useCapture, useFrames } from '../use-capture.ts';
import { useReading } from './use-reading.ts';

/** As much of a payload as is read to be looked at. */
export const MAX_SHOWN_BYTES = 8 * 1024 * 1024;

export interface PayloadState<Of> {
  readonly path: string;
  /** What `path` gave; null until that has come. */
  readonly payload: PayloadBytes | null;
  readonly error: string | null;
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
  from: {
    readonly path: string;
    readonly version: string | number;
    readonly maxBytes?: number;
  },
): PayloadState<Of> {
  const { path, version, maxBytes = MAX_SHOWN_BYTES } = from;
  const read = (signal?: AbortSignal): Promise<PayloadBytes> => fetchBytes(path, maxBytes, signal);
  const { value, error } = useReading({ subject: path, version, read });
  const [last, setLast] = useState<ShownPayload<Of> | null>(null);
  const shown = value === null ? last : { ...value, path, of };
  if (shown !== null && value !== null && (last?.bytes !== value.bytes || last.path !== path)) setLast(shown);
  const payload = error === null ? value : null;
  return { path, payload, error, shown, read: async () => payload ?? read() };
}

/**
 * The row of one frame: from the table's store, or read by itself where that has let it go. Null: there is none;
 * undefined: it is being read.
 */
export function useFrameRow(session: string, index: number): StoredRow | null | undefined {
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
  return held ?? (own.key === key ? own.row : undefined);
}
