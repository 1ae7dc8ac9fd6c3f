import {
  linesForFrames,
  NEXT_SPAN_BYTES,
  ROW_BYTES,
  SECOND_SPAN_BYTES,
  Segment,
  type SegmentTenant,
  SPAN_LIST_BYTES,
  spanListBytes,
  type Spans,
  TENANT_BYTES,
} from './segment.ts';

const MAX_SEGMENT_BYTES = 4 * 1024 * 1024;
const MIN_SEGMENT_BYTES = 256 * 1024;
/** Segments that the budget is cut into: the oldest of so many goes when room is needed. */
const SEGMENTS_PER_BUDGET = 64;

const NO_SPANS: Spans = [];

/**
 * The one log of frames: an ordered list of segments with one that is being filled. It knows bytes and rows, no
 * sessions. Rows are written in place by the recorder (`addRow`), wire bytes are copied in (`keep`).
 */
export class FrameLog {
  /** Oldest first; the last one is being filled. */
  readonly segments: Segment[] = [];
  current: Segment;
  readonly segmentBytes: number;
  /** Where the last `keep` put its bytes. */
  keptSegment: Segment;
  keptOffset = 0;
  /** Writes to slow peers that read from a segment. Each holds a whole one when the log wants to drop it. */
  waitingWrites = 0;
  #costBytes = 0;
  #nextId = 1;
  readonly #byId = new Map<number, Segment>();
  /** Buffer of a dropped segment, for the next one: fresh memory costs a page fault every 4 KiB. */
  #spare: ArrayBuffer | null = null;
  /** What the next segment takes, while room is made for it. */
  #comingBytes = 0;
  /** Dropped segments that slow peers' writes still read from: memory all the same. */
  #pinned: Segment[] = [];
  readonly #makeRoom: () => void;
  readonly #freed: (bytes: number) => void;
  /** The session of a number, if it is still there. */
  readonly tenant: (session: number) => SegmentTenant | undefined;

  /**
   * @param options.makeRoom called before the log grows by a segment: drops what would then be over the budget
   * @param options.freed told of memory that is nobody's any more
   */
  constructor(options: {
    readonly budgetBytes: number;
    readonly makeRoom: () => void;
    readonly freed?: (bytes: number) => void;
    readonly tenant: (session: number) => SegmentTenant | undefined;
  }) {
    const wanted = Math.floor(options.budgetBytes / SEGMENTS_PER_BUDGET / ROW_BYTES) * ROW_BYTES;
    this.segmentBytes = Math.min(MAX_SEGMENT_BYTES, Math.max(MIN_SEGMENT_BYTES, wanted));
    this.#makeRoom = options.makeRoom;
    this.#freed = options.freed ?? (() => undefined);
    this.tenant = options.tenant;
    this.current = this.keptSegment = this.#append(this.segmentBytes);
  }

  /** Memory of all segments, and of the one that is to come. */
  get costBytes(): number {
    if (this.#pinned.length > 0) this.#unpin();
    const spareBytes = this.#spare?.byteLength ?? 0;
    return this.#costBytes + (spareBytes === this.#comingBytes ? spareBytes : spareBytes + this.#comingBytes);
  }
  segment(id: number): Segment | undefined {
    return this.#byId.get(id);
  }

  /** Copies `source[0..length)` into the slab, in one piece, with room for a row and `besideBytes` more of them. */
  keep(source: Uint8Array, length: number, besideBytes = 0): void {
    let segment = this.current;
    const needed = length + ROW_BYTES + besideBytes;
    if (segment.freeBytes < needed) segment = this.#roll(needed);
    const offset = segment.slabTop;
    segment.bytes.set(source.length === length ? source : source.subarray(0, length), offset);
    segment.slabTop = offset + length;
    this.keptSegment = segment;
    this.keptOffset = offset;
  }

  /** Makes a row in `current`; returns its first 32-bit word. All of its fields are to be written. */
  addRow(): number {
    let segment = this.current;
    let word = segment.wordAt(segment.lineCount);
    if (word << 2 < segment.slabTop) {
      segment = this.#roll(ROW_BYTES);
      word = segment.wordAt(0);
    }
    segment.lineCount++;
    return word;
  }

  /**
   * Adds a run to `current`, which has room: the row, all of whose fields are to be written, and the lines that follow,
   * made elsewhere, the last one first (segment.ts). Returns the row's first 32-bit word.
   */
  addRun(count: number, lines: Uint8Array): number {
    const segment = this.current;
    const line = segment.lineCount;
    const lineCount = linesForFrames(count);
    segment.lineCount += 1 + lineCount;
    segment.bytes.set(lines, segment.wordAt(line + lineCount) << 2);
    segment.markRun(line, lineCount);
    return segment.wordAt(line);
  }

  /**
   * Begins the list of places of a frame that does not lie in one chunk; returns its number in `segment.spans`.
   * @param at id of the segment in which the bytes lie
   */
  addSpans(segment: Segment, at: number, offset: number, length: number): number {
    this.#count(segment, SPAN_LIST_BYTES);
    return segment.spans.push([at, offset, length]) - 1;
  }
  addSpan(segment: Segment, list: number, at: number, offset: number, length: number): void {
    const spans = segment.spans[list];
    if (spans === undefined) return;
    const last = spans.length - 3;
    if (spans[last] === at && (spans[last + 1] as number) + (spans[last + 2] as number) === offset) {
      spans[last + 2] = (spans[last + 2] as number) + length;
      return;
    }
    spans.push(at, offset, length);
    this.#count(segment, last === 0 ? SECOND_SPAN_BYTES : NEXT_SPAN_BYTES);
  }
  /** Takes a list back that its frame no longer needs. */
  dropSpans(segment: Segment, list: number): void {
    const spans = segment.spans[list] ?? NO_SPANS;
    if (list === segment.spans.length - 1) segment.spans.pop();
    else segment.spans[list] = NO_SPANS;
    this.#count(segment, -spanListBytes(spans));
  }

  /** Enters a session that has rows in `segment` from now on. */
  addTenant(segment: Segment, session: number): void {
    segment.tenants.push(session);
    if (this.#byId.get(segment.id) === segment) this.#costBytes += TENANT_BYTES;
  }

  #count(segment: Segment, bytes: number): void {
    segment.spanBytes += bytes;
    if (this.#byId.get(segment.id) === segment) this.#costBytes += bytes;
  }

  /** Drops the oldest segment and tells its tenants; the one being filled is replaced first. */
  dropOldest(): Segment | undefined {
    const oldest = this.segments[0];
    if (oldest === undefined) return undefined;
    if (oldest === this.current) {
      if (oldest.slabTop === 0 && oldest.lineCount === 0) return undefined;
      this.current = this.keptSegment = this.#append(this.segmentBytes);
    }
    this.segments.shift();
    this.#forget(oldest);
    return oldest;
  }

  /** Drops everything. */
  clear(): void {
    for (const segment of this.segments.splice(0)) this.#forget(segment);
    this.#unpin();
    this.#letSpareGo();
    this.current = this.keptSegment = this.#append(this.segmentBytes);
  }

  /** Puts what `build` makes (nothing: just drops it) in the place of `segment`, under an id of its own. */
  replace(segment: Segment, build: (id: number) => Segment | undefined): Segment | undefined {
    const at = this.segments.indexOf(segment);
    if (at < 0) return undefined;
    const replacement = build(this.#nextId++);
    this.segments.splice(at, 1, ...(replacement === undefined ? [] : [replacement]));
    this.#retire(segment);
    if (replacement !== undefined) {
      this.#byId.set(replacement.id, replacement);
      this.#costBytes += replacement.costBytes;
    }
    return replacement;
  }

  /** Ends the segment that is being filled, so that the compaction may have it. */
  seal(): void {
    if (this.current.slabTop > 0 || this.current.lineCount > 0) this.#roll(0);
  }

  #roll(neededBytes: number): Segment {
    const full = this.current;
    this.#comingBytes = Math.max(this.segmentBytes, Math.ceil(neededBytes / ROW_BYTES) * ROW_BYTES);
    this.#makeRoom();
    // To make room may have cost the full one its place: then there is another already.
    const fits = this.current !== full && this.current.freeBytes >= neededBytes;
    if (!fits) this.current = this.#append(this.#comingBytes);
    this.#comingBytes = 0;
    return this.current;
  }

  #append(bytes: number): Segment {
    const spare = bytes === this.#spare?.byteLength ? this.#spare : null;
    if (spare !== null) this.#spare = null;
    const segment = new Segment(this.#nextId++, spare ?? new ArrayBuffer(bytes));
    this.segments.push(segment);
    this.#byId.set(segment.id, segment);
    this.#costBytes += segment.costBytes;
    return segment;
  }

  #forget(segment: Segment): void {
    this.#retire(segment);
    for (const session of segment.tenants.splice(0)) this.tenant(session)?.segmentGone(segment);
  }

  /** Takes a segment off the books, and keeps its buffer for the next one unless somebody still reads from it. */
  #retire(segment: Segment): void {
    this.#byId.delete(segment.id);
    this.#costBytes -= segment.costBytes;
    if (segment.pins === 0) {
      this.#letGo(segment.buffer);
      return;
    }
    this.#pinned.push(segment);
    this.#costBytes += segment.buffer.byteLength;
  }

  #letGo(buffer: ArrayBuffer): void {
    if (this.#spare === null && buffer.byteLength === this.segmentBytes) this.#spare = buffer;
    else this.#freed(buffer.byteLength);
  }

  #letSpareGo(): void {
    if (this.#spare !== null) this.#freed(this.#spare.byteLength);
    this.#spare = null;
  }

  /** Lets the dropped segments go that nobody reads from any more. */
  #unpin(): void {
    this.#pinned = this.#pinned.filter((segment) => {
      if (segment.pins > 0) return true;
      this.#costBytes -= segment.buffer.byteLength;
      this.#letGo(segment.buffer);
      return false;
    });
  }
}
