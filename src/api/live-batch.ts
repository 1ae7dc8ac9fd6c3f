import type { CaptureReader, RowCursor } from '../capture/capture-reader.ts';
import { LIVE_HEADER_BYTES, LIVE_MAGIC, LIVE_PREVIEW_BYTES, LIVE_ROW_BYTES } from '../contract/live.ts';

/** Rows in a batch at most: half a megabyte at the very most. */
export const BATCH_ROWS = 5_000;
/** Rows looked at for one batch at most, where most are somebody else's: one or two milliseconds. */
const SCAN_ROWS = 50_000;

/** What a subscriber takes: every row, or those of some sessions (by number). */
export type RowChoice = 'all' | ReadonlySet<number>;

export interface Batch {
  /** The binary message of contract/live.ts, or null where there is nothing to send. */
  readonly bytes: Uint8Array | null;
  readonly rowCount: number;
  /** Everything up to this sequence number has been looked at. */
  readonly position: number;
}

// One encoder works at a time and copies out what it made: the columns are used again and again.
const seq = new Float64Array(BATCH_ROWS);
const timeUs = new Float64Array(BATCH_ROWS);
const payloadLength = new Float64Array(BATCH_ROWS);
const streamOffset = new Float64Array(BATCH_ROWS);
const session = new Uint32Array(BATCH_ROWS);
const index = new Uint32Array(BATCH_ROWS);
const bits = new Uint32Array(BATCH_ROWS);
const maskingKey = new Uint32Array(BATCH_ROWS);
const violations = new Uint32Array(BATCH_ROWS);
const previewEnd = new Uint32Array(BATCH_ROWS);
const preview = new Uint8Array(BATCH_ROWS * LIVE_PREVIEW_BYTES);
const columns = [
  ...[seq, timeUs, payloadLength, streamOffset],
  ...[session, index, bits, maskingKey, violations, previewEnd],
] as const;

/** Encodes the chosen rows with `since` < seq <= `upTo`, from the first on, `BATCH_ROWS` at most. */
export function encodeBatch(
  reader: Pick<CaptureReader, 'rowsSince'>,
  range: { readonly since: number; readonly upTo: number; readonly choice: RowChoice },
): Batch {
  let rows = 0;
  let seen = 0;
  let previewBytes = 0;
  let position = range.since;
  let all = true;
  const visit = (row: RowCursor): void | false => {
    if (row.seq > range.upTo) return false;
    if (rows === BATCH_ROWS || seen === SCAN_ROWS) {
      all = false;
      return false;
    }
    seen++;
    position = row.seq;
    if (range.choice !== 'all' && !range.choice.has(row.session)) return;
    seq[rows] = row.seq;
    timeUs[rows] = row.timeUs;
    payloadLength[rows] = row.payloadLength;
    streamOffset[rows] = row.streamOffset;
    session[rows] = row.session;
    index[rows] = row.index;
    bits[rows] = row.bits;
    maskingKey[rows] = row.maskingKey;
    violations[rows] = row.violations;
    previewBytes += row.copyPreview(preview, previewBytes, LIVE_PREVIEW_BYTES);
    previewEnd[rows] = previewBytes;
    rows++;
  };
  reader.rowsSince(range.since, SCAN_ROWS + 1, visit);
  if (all) position = Math.max(range.since, range.upTo);
  return { bytes: rows === 0 ? null : pack(rows, previewBytes), rowCount: rows, position };
}

function pack(rows: number, previewBytes: number): Uint8Array {
  const message = new Uint8Array(LIVE_HEADER_BYTES + rows * LIVE_ROW_BYTES + previewBytes);
  const head = new DataView(message.buffer);
  head.setUint32(0, LIVE_MAGIC, true);
  head.setUint32(4, rows, true);
  let at = LIVE_HEADER_BYTES;
  for (const column of columns) {
    // Little-endian like every machine that Node 20 runs on but s390x, which is why the columns need no swapping.
    message.set(new Uint8Array(column.buffer, 0, rows * column.BYTES_PER_ELEMENT), at);
    at += rows * column.BYTES_PER_ELEMENT;
  }
  message.set(preview.subarray(0, previewBytes), at);
  return message;
}
