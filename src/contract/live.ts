import type { CaptureStatus } from './status.ts';
import type { SessionSummary } from './session.ts';

/**
 * The live stream, `GET /api/live`. One WebSocket; JSON text for control, binary for frame rows.
 *
 * The client speaks first and may speak again at any time to change what it gets.
 */
export interface LiveHello {
  readonly type: 'hello';
  /** The epoch that `since` belongs to, or null at the first call. */
  readonly epoch: string | null;
  /** Everything after this sequence number is wanted. */
  readonly since: number;
  /** Whose frame rows: everybody's (default), nobody's, or those of these session ids. Sessions always come. */
  readonly frames?: 'all' | 'none' | readonly string[];
}

export type LiveMessage =
  /** The answer to `hello`. Another epoch than the client's: it forgets everything and `since` counts as 0. */
  | { readonly type: 'hello'; readonly epoch: string; readonly seq: number; readonly status: CaptureStatus }
  /** Sessions that are new or have changed, whole. */
  | { readonly type: 'sessions'; readonly seq: number; readonly sessions: readonly SessionSummary[] }
  /** Sessions that were deleted or evicted. `kept`: too many were to name them; these were not, all others were. */
  | {
      readonly type: 'removed';
      readonly seq: number;
      readonly ids: readonly string[];
      readonly kept?: readonly string[];
    }
  /** Frame rows with sequence numbers in [from, to] were skipped for this client: fetch what is needed of them. */
  | { readonly type: 'gap'; readonly from: number; readonly to: number }
  /** At most once a second while something changes. */
  | { readonly type: 'status'; readonly status: CaptureStatus }
  /** The client's message was not understood. */
  | { readonly type: 'error'; readonly error: { readonly code: string; readonly message: string } };

/**
 * A binary message: `rowCount` frame rows in columns, little-endian, in order of `seq`.
 * A row that comes again (same session and index) replaces the one before it: its frame has completed.
 *
 *   byte 0   u32 magic 0x31425446 ("FTB1")    byte 4   u32 rowCount n
 *   then     f64 seq[n] · f64 timeUs[n] · f64 payloadLength[n] · f64 streamOffset[n]
 *            u32 session[n] · u32 index[n] · u32 bits[n] (frame-bits.ts) · u32 maskingKey[n] (big-endian reading)
 *            u32 violations[n] (violations.ts) · u32 previewEnd[n] (running end in the bytes below)
 *            u8 preview[] : the first bytes of each payload, unmasked, as they went over the wire
 */
export const LIVE_MAGIC = 0x31425446;
/** Bytes of payload that a live row carries at most. */
export const LIVE_PREVIEW_BYTES = 48;
export const LIVE_HEADER_BYTES = 8;
export const LIVE_ROW_BYTES = 4 * 8 + 6 * 4;

export interface LiveBatch {
  readonly rowCount: number;
  readonly seq: Float64Array;
  readonly timeUs: Float64Array;
  readonly payloadLength: Float64Array;
  readonly streamOffset: Float64Array;
  readonly session: Uint32Array;
  readonly index: Uint32Array;
  readonly bits: Uint32Array;
  readonly maskingKey: Uint32Array;
  readonly violations: Uint32Array;
  readonly previewEnd: Uint32Array;
  readonly preview: Uint8Array;
}

/**
 * Opens a binary message without copying: the columns borrow `buffer`.
 * @throws {RangeError} if it is not a batch of this layout
 */
export function decodeLiveBatch(buffer: ArrayBuffer): LiveBatch {
  const head = new DataView(buffer);
  if (buffer.byteLength < LIVE_HEADER_BYTES || head.getUint32(0, true) !== LIVE_MAGIC) {
    throw new RangeError('not a batch of frame rows: wrong magic number');
  }
  const n = head.getUint32(4, true);
  if (buffer.byteLength < LIVE_HEADER_BYTES + n * LIVE_ROW_BYTES) throw new RangeError('a batch of frame rows is cut');
  let at = LIVE_HEADER_BYTES;
  const f64 = (): Float64Array => new Float64Array(buffer, (at += n * 8) - n * 8, n);
  const u32 = (): Uint32Array => new Uint32Array(buffer, (at += n * 4) - n * 4, n);
  return {
    rowCount: n,
    seq: f64(),
    timeUs: f64(),
    payloadLength: f64(),
    streamOffset: f64(),
    session: u32(),
    index: u32(),
    bits: u32(),
    maskingKey: u32(),
    violations: u32(),
    previewEnd: u32(),
    preview: new Uint8Array(buffer, at),
  };
}
