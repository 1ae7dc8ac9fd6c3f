import type { FrameRow } from '../../../src/contract/frame.ts';
import { complete, fin, FrameBit, opcode, payloadCut } from '../../../src/contract/frame-bits.ts';
import type { LiveBatch } from '../../../src/contract/live.ts';
import { LIVE_PREVIEW_BYTES } from '../../../src/contract/live.ts';
import { previewOfBytes } from '../format/preview.ts';
import { MatchedRows } from './matched-rows.ts';
import { CHUNK_ROWS, Known, newChunk, type Chunk } from './row-chunk.ts';
import { isUnfinished, storedRow, type StoredRow } from './stored-row.ts';

/** 64 chunks of 1,024 rows are about 7 MB: what one scrolls through without asking again. */
export const MAX_CHUNKS = 64;
/** So far back the first frame of a message is looked for. */
const MAX_FRAGMENTS = 4096;

/**
 * The frame rows of one session that the page holds: sparse chunks of typed arrays, keyed by frame index.
 * Bounded: the chunks farthest from what is being looked at are let go and can be fetched again.
 */
export class RowStore {
  readonly #chunks = new Map<number, Chunk>();
  readonly #spare: Chunk[] = [];
  readonly #maxChunks: number;
  readonly #matches = new MatchedRows();
  #viewFirst = 0;
  #viewLast = 0;
  #end = 0;
  #readyEnd = 0;
  /** The first live row after `#readyEnd` that waits for its text. */
  #waiting: number | null = null;

  constructor(maxChunks: number = MAX_CHUNKS) {
    this.#maxChunks = maxChunks;
  }

  /** One past the highest index ever stored. */
  get end(): number {
    return this.#end;
  }

  /** One past the last row that can be shown as it is, with its text: rows after it are on their way. */
  get readyEnd(): number {
    return this.#readyEnd;
  }

  get heldChunks(): number {
    return this.#chunks.size;
  }

  /** What is being looked at: these rows are kept, and those near them longest. */
  lookAt(first: number, last: number): void {
    this.#viewFirst = first;
    this.#viewLast = last;
  }

  clear(): void {
    this.#chunks.clear();
    this.#matches.clear();
    this.#spare.length = 0;
    this.#end = this.#readyEnd = 0;
    this.#waiting = null;
  }

  /** Forgets rows of which something was still to come: after a gap it may have been missed. */
  forgetIncomplete(): void {
    this.#matches.forgetIncomplete();
    for (const chunk of this.#chunks.values()) {
      for (let slot = 0; slot < CHUNK_ROWS; slot += 1) {
        if (isUnfinished(chunk.bits[slot] ?? 0)) chunk.known[slot] = Known.Nothing;
      }
    }
  }

  /** Takes the rows of one session out of a live batch. Returns how many there were. */
  applyBatch(batch: LiveBatch, session: number): number {
    let taken = 0;
    let chunk: Chunk | undefined;
    for (let i = 0; i < batch.rowCount; i += 1) {
      if (batch.session[i] !== session) continue;
      const index = batch.index[i] ?? 0;
      const number = Math.floor(index / CHUNK_ROWS);
      if (chunk?.number !== number) chunk = this.#chunkFor(number);
      const slot = index - number * CHUNK_ROWS;
      chunk.known[slot] = Known.Live;
      chunk.seq[slot] = batch.seq[i] ?? 0;
      chunk.timeUs[slot] = batch.timeUs[i] ?? 0;
      const length = batch.payloadLength[i] ?? 0;
      chunk.payloadLength[slot] = length;
      chunk.streamOffset[slot] = batch.streamOffset[i] ?? 0;
      chunk.bits[slot] = batch.bits[i] ?? 0;
      chunk.maskingKey[slot] = batch.maskingKey[i] ?? 0;
      chunk.violations[slot] = batch.violations[i] ?? 0;
      const from = i === 0 ? 0 : (batch.previewEnd[i - 1] ?? 0);
      const bytes = batch.preview.subarray(from, Math.min(batch.previewEnd[i] ?? from, from + LIVE_PREVIEW_BYTES));
      chunk.preview.set(bytes, slot * LIVE_PREVIEW_BYTES);
      chunk.previewLength[slot] = bytes.length;
      chunk.texts[slot] = undefined;
      this.#matches.forget(index);
      if (endsMessage(batch.bits[i] ?? 0)) this.#askForText(index);
      if (index >= this.#end) this.#end = index + 1;
      if (index >= this.#readyEnd) {
        if (!this.#isReady(index)) this.#waiting ??= index;
        else if (this.#waiting === null) this.#readyEnd = index + 1;
      }
      taken += 1;
    }
    return taken;
  }

  applyRows(rows: readonly FrameRow[]): void {
    for (const row of rows) {
      // The live stream may have been faster.
      if (this.#isOlder(row)) continue;
      const number = Math.floor(row.index / CHUNK_ROWS);
      const chunk = this.#chunkFor(number);
      const slot = row.index - number * CHUNK_ROWS;
      const stored = storedRow(row);
      this.#matches.forget(row.index);
      chunk.known[slot] = Known.Fetched;
      chunk.seq[slot] = stored.seq;
      chunk.timeUs[slot] = stored.timeUs;
      chunk.payloadLength[slot] = stored.payloadLength;
      chunk.streamOffset[slot] = stored.streamOffset;
      chunk.bits[slot] = stored.bits;
      chunk.maskingKey[slot] = stored.maskingKey;
      chunk.violations[slot] = stored.violations;
      chunk.texts[slot] = stored.text;
      if (row.heldBytes < row.payloadLength) chunk.heldBytes.set(slot, row.heldBytes);
      if (row.index >= this.#end) this.#end = row.index + 1;
    }
    const end = (rows.at(-1)?.index ?? -1) + 1;
    if (end <= this.#readyEnd) return;
    this.#readyEnd = end;
    this.#waiting = end < this.#end ? end : null;
  }

  /** Takes rows that passed a filter: they may be far apart. */
  applyMatches(rows: readonly FrameRow[]): void {
    const news = rows.filter((row) => !this.#isOlder(row));
    this.#matches.take(news, this.#viewFirst, this.#viewLast);
    this.#end = Math.max(this.#end, (rows.at(-1)?.index ?? -1) + 1);
  }

  /** The server was asked for [from, to): what is not known by now it does not have. */
  noteUnrecorded(from: number, to: number): void {
    for (let index = from; index < to; index += 1) {
      const chunk = this.#chunkFor(Math.floor(index / CHUNK_ROWS));
      const slot = index % CHUNK_ROWS;
      if (chunk.known[slot] === Known.Nothing) chunk.known[slot] = Known.Unrecorded;
    }
  }

  isUnrecorded(index: number): boolean {
    return this.#knownOf(index) === Known.Unrecorded;
  }

  at(index: number): StoredRow | undefined {
    const match = this.#matches.at(index);
    if (match !== undefined) return match;
    const number = Math.floor(index / CHUNK_ROWS);
    const chunk = this.#chunks.get(number);
    const slot = index - number * CHUNK_ROWS;
    const known = chunk?.known[slot];
    if (chunk === undefined || (known !== Known.Live && known !== Known.Fetched)) return undefined;
    const bits = chunk.bits[slot] ?? 0;
    const live = known === Known.Live;
    const compressed = (bits & FrameBit.Compressed) !== 0;
    const payloadLength = chunk.payloadLength[slot] ?? 0;
    return {
      index,
      seq: chunk.seq[slot] ?? 0,
      timeUs: chunk.timeUs[slot] ?? 0,
      payloadLength,
      heldBytes: payloadCut(bits) ? (live ? null : (chunk.heldBytes.get(slot) ?? null)) : payloadLength,
      streamOffset: chunk.streamOffset[slot] ?? 0,
      bits,
      maskingKey: chunk.maskingKey[slot] ?? 0,
      violations: chunk.violations[slot] ?? 0,
      text: live ? (compressed ? '' : this.#liveText(chunk, slot, bits, payloadLength)) : (chunk.texts[slot] ?? ''),
      textReady: !(live && compressed),
    };
  }

  /** Time of a row in microseconds without making a row of it, or NaN where it is not held. */
  timeAt(index: number): number {
    const match = this.#matches.at(index);
    if (match !== undefined) return match.timeUs;
    const known = this.#knownOf(index);
    if (known !== Known.Live && known !== Known.Fetched) return Number.NaN;
    return this.#chunks.get(Math.floor(index / CHUNK_ROWS))?.timeUs[index % CHUNK_ROWS] ?? Number.NaN;
  }

  /**
   * The first and one past the last position in [from, to) whose row is wanted, or null. `indexAt` says which frames
   * are listed.
   */
  wantedIn(
    from: number,
    to: number,
    indexAt: (position: number) => number | undefined = (position) => position,
  ): { readonly from: number; readonly to: number } | null {
    return range(from, to, (position) => {
      const index = indexAt(position);
      return index !== undefined && this.isWanted(index);
    });
  }

  /** The row is missing, or its readable text, or the rest of a text that the live stream does not carry whole. */
  isWanted(index: number): boolean {
    return this.#matches.at(index) === undefined && (!this.#isReady(index) || this.#isCut(index));
  }

  /** A compressed message has come whole: the text that its first frame stands for is to be had now. */
  #askForText(last: number): void {
    const way = this.#bitsOf(last) & FrameBit.ServerToClient;
    for (let index = last - 1; index >= 0 && index > last - MAX_FRAGMENTS; index -= 1) {
      const known = this.#knownOf(index) !== Known.Nothing;
      const bits = known ? this.#bitsOf(index) : (this.#matches.at(index)?.bits ?? 0);
      if ((bits & FrameBit.ServerToClient) !== way || opcode(bits) === 0 || opcode(bits) > 2) continue;
      const chunk = this.#chunks.get(Math.floor(index / CHUNK_ROWS));
      if (chunk?.known[index % CHUNK_ROWS] === Known.Fetched) chunk.known[index % CHUNK_ROWS] = Known.Live;
      this.#matches.forget(index);
      return;
    }
  }

  #bitsOf(index: number): number {
    return this.#chunks.get(Math.floor(index / CHUNK_ROWS))?.bits[index % CHUNK_ROWS] ?? 0;
  }

  /** Something newer is known of it. */
  #isOlder({ index, seq }: FrameRow): boolean {
    const known = this.#knownOf(index);
    const newest = known === Known.Live || known === Known.Fetched ? this.#seqOf(index) : 0;
    return Math.max(newest, this.#matches.at(index)?.seq ?? 0) > seq;
  }

  #seqOf(index: number): number {
    return this.#chunks.get(Math.floor(index / CHUNK_ROWS))?.seq[index % CHUNK_ROWS] ?? 0;
  }

  #isCut(index: number): boolean {
    const chunk = this.#chunks.get(Math.floor(index / CHUNK_ROWS));
    const slot = index % CHUNK_ROWS;
    if (chunk?.known[slot] !== Known.Live) return false;
    return (chunk.previewLength[slot] ?? 0) < (chunk.payloadLength[slot] ?? 0);
  }

  #isReady(index: number): boolean {
    const known = this.#knownOf(index);
    if (known !== Known.Live) return known !== Known.Nothing;
    return (this.#bitsOf(index) & FrameBit.Compressed) === 0;
  }

  #knownOf(index: number): number {
    return this.#chunks.get(Math.floor(index / CHUNK_ROWS))?.known[index % CHUNK_ROWS] ?? Known.Nothing;
  }

  #liveText(chunk: Chunk, slot: number, bits: number, payloadLength: number): string {
    const cached = chunk.texts[slot];
    if (cached !== undefined) return cached;
    const at = slot * LIVE_PREVIEW_BYTES;
    const bytes = chunk.preview.subarray(at, at + (chunk.previewLength[slot] ?? 0));
    const text = previewOfBytes(bytes, bits & 0x0f, payloadLength) + (bytes.length < payloadLength ? '…' : '');
    chunk.texts[slot] = text;
    return text;
  }

  #chunkFor(number: number): Chunk {
    const found = this.#chunks.get(number);
    if (found !== undefined) return found;
    if (this.#chunks.size >= this.#maxChunks) this.#letFarthestGo(number);
    const chunk = this.#spare.pop() ?? newChunk();
    chunk.number = number;
    chunk.known.fill(Known.Nothing);
    chunk.texts = [];
    chunk.heldBytes.clear();
    this.#chunks.set(number, chunk);
    return chunk;
  }

  /** Keeps what is looked at, and the end, where rows arrive. */
  #letFarthestGo(wanted: number): void {
    const viewFirst = Math.floor(this.#viewFirst / CHUNK_ROWS);
    const viewLast = Math.floor(this.#viewLast / CHUNK_ROWS);
    const tail = Math.floor(Math.max(0, this.#end - 1) / CHUNK_ROWS);
    let farthest: Chunk | undefined;
    let distance = -1;
    for (const chunk of this.#chunks.values()) {
      if (chunk.number === tail || chunk.number === wanted) continue;
      const away = Math.max(viewFirst - chunk.number, chunk.number - viewLast, 0);
      if (away > distance) {
        distance = away;
        farthest = chunk;
      }
    }
    if (farthest === undefined) return;
    this.#chunks.delete(farthest.number);
    if (this.#spare.length < 2) this.#spare.push(farthest);
  }
}

/** The last fragment of a compressed message, whole. */
const endsMessage = (bits: number): boolean =>
  opcode(bits) === 0 && fin(bits) && complete(bits) && (bits & FrameBit.Compressed) !== 0;

/** The first and one past the last number in [from, to) that `found` accepts, or null. */
function range(
  from: number,
  to: number,
  found: (index: number) => boolean,
): { readonly from: number; readonly to: number } | null {
  let first = -1;
  let last = -1;
  for (let index = from; index < to; index += 1) {
    if (!found(index)) continue;
    if (first < 0) first = index;
    last = index;
  }
  return first < 0 ? null : { from: first, to: last + 1 };
}
