import { complete, compressed, fin, opcode } from '../contract/frame-bits.ts';
import { Opcode, type FrameRow } from '../contract/frame.ts';
import type { SessionDetail } from '../contract/session.ts';
import type { CaptureReader } from './capture-reader.ts';
import type { Filter } from './filter.ts';
import { INFLATED_BYTES, PayloadText, Truth, type FrameColumns } from './filter/candidate.ts';
import { isLost } from './inflate-cursor.ts';
import type { MessageReader } from './message-reader.ts';
import { PAGE_INFLATED, PayloadArena } from './payload-arena.ts';
import { TimeSlice } from './time-slice.ts';

/** Frames whose columns are looked at between two looks at the clock. */
const PAGE_FRAMES = 2048;

/** Where a search reads. */
export interface SearchSource {
  readonly reader: CaptureReader;
  readonly messages: Pick<MessageReader, 'contents' | 'search'>;
}

export interface SearchOptions {
  /** The frame to start with. */
  readonly from?: number;
  readonly signal?: AbortSignal | undefined;
}

/** What one stretch of a search has found. */
export interface SearchStep {
  readonly indexes: readonly number[];
  /** Every frame before this one has been looked at. */
  readonly next: number;
  /** What had not come whole when it was looked at: it may pass yet, or no longer. */
  readonly growing: readonly number[];
  /** What was looked at in vain: its payload is not held, or cannot be inflated. */
  readonly unreadable: readonly number[];
  /** Some messages came in more than one frame: they may pass where no frame does. */
  readonly fragmented: boolean;
}

interface Found extends FrameColumns {
  readonly compressed: boolean;
  payload: PayloadText | null | undefined;
}

/**
 * Looks for the frames of a session that match, a few milliseconds at a time with the event loop turning in between.
 * Columns are tested first; payloads are unmasked, and messages inflated, only where the columns do not decide.
 * @throws the signal's reason; {FilterError} for a regular expression that takes too long
 */
export async function* searchSteps(
  { reader, messages }: SearchSource,
  id: string,
  filter: Filter,
  options: SearchOptions = {},
): AsyncGenerator<SearchStep, void, undefined> {
  const session = reader.session(id);
  if (session === undefined) return;
  const slice = new TimeSlice({ signal: options.signal });
  const arena = PayloadArena.take();
  let next = options.from ?? 0;
  try {
    for (;;) {
      arena.clear();
      const page = readPage(reader, session, filter, { from: next, arena });
      if (page.next === next) return;
      next = page.next;
      page.growing.push(...(await fetchMessages(messages, id, page)));
      await filter.prepare(
        page.open.flatMap(({ payload }) => (payload == null ? [] : [payload])),
        slice,
      );
      for (const frame of page.open) {
        if (filter.matchesPayload(session, frame, frame.payload ?? null)) page.sure.push(frame.index);
        if (slice.over) await slice.pause();
      }
      const indexes = page.open.length > 0 ? page.sure.sort((a, b) => a - b) : page.sure;
      const growing = session.state === 'open' ? page.growing : [];
      const { unreadable, fragmented } = page;
      yield { indexes, next, growing, unreadable, fragmented };
      if (slice.over) await slice.pause();
    }
  } finally {
    arena.giveBack();
  }
}

/** The rows of the frames that match, in order, `limit` at most. */
export async function* search(
  source: SearchSource,
  id: string,
  filter: Filter,
  options: SearchOptions & { readonly limit: number },
): AsyncGenerator<FrameRow, void, undefined> {
  let left = options.limit;
  if (left <= 0) return;
  for await (const { indexes } of searchSteps(source, id, filter, options)) {
    for (const index of indexes) {
      const row = source.reader.frames(id, index, 1)?.[0];
      if (row?.index !== index) continue;
      yield row;
      if (--left === 0) return;
    }
  }
}

/** Whether a session matches: by itself, or by one of its frames or messages. */
export async function sessionMatches(
  source: SearchSource,
  session: { readonly id: string } & Parameters<Filter['matchesSession']>[0],
  filter: Filter,
  options: { readonly signal?: AbortSignal } = {},
): Promise<boolean> {
  let bySession = filter.matchesSession(session);
  if (bySession !== Truth.Unknown) return bySession === Truth.True;
  const details = source.reader.session(session.id);
  if (details === undefined) return false;
  bySession = filter.matchesSession(details);
  if (bySession !== Truth.Unknown) return bySession === Truth.True;
  let asMessages = false;
  for await (const { indexes, fragmented } of searchSteps(source, session.id, filter, options)) {
    if (indexes.length > 0) return true;
    asMessages ||= fragmented;
  }
  return asMessages && (await messageMatches(source, session.id, filter, options));
}

async function messageMatches(
  { messages }: SearchSource,
  id: string,
  filter: Filter,
  { signal }: { readonly signal?: AbortSignal },
): Promise<boolean> {
  const slice = new TimeSlice({ signal });
  for (let from = 0; ;) {
    const page = await messages.search(id, filter, { from, limit: 1 });
    if (page === undefined || page.rows.length > 0) return page !== undefined;
    if (page.next >= page.end) return false;
    from = page.next;
    if (slice.over) await slice.pause();
  }
}

/** One pass over columns, and over payloads that can be read here and now. */
function readPage(
  reader: CaptureReader,
  session: SessionDetail,
  filter: Filter,
  { from, arena }: { readonly from: number; readonly arena: PayloadArena },
): {
  readonly sure: number[];
  readonly open: Found[];
  readonly growing: number[];
  readonly unreadable: number[];
  readonly fragmented: boolean;
  readonly next: number;
} {
  const sure: number[] = [];
  const unreadable: number[] = [];
  const growing: number[] = [];
  const open: Found[] = [];
  let next = from;
  let fragmented = false;
  let inflated = 0;
  reader.visitFrames(session.id, from, PAGE_FRAMES, (row) => {
    next = row.index + 1;
    if (!complete(row.bits)) growing.push(row.index);
    if (!fin(row.bits)) fragmented = true;
    const answer = filter.matchesColumns(session, row);
    if (answer === Truth.True) sure.push(row.index);
    if (answer !== Truth.Unknown) return;
    const { index, bits, payloadLength, violations } = row;
    const inflate = compressed(bits) && opcode(bits) < 3;
    const payload = inflate
      ? undefined
      : arena.take(payloadLength, (target, at, bytes) => row.copyPreview(target, at, bytes));
    if (payload === null && complete(bits)) unreadable.push(index);
    open.push({ index, bits, payloadLength, violations, compressed: inflate, payload });
    if (inflate) inflated++;
    return arena.full || inflated === PAGE_INFLATED ? false : undefined;
  });
  return { sure, open, growing, unreadable, fragmented, next };
}

/** Fills in what compressed messages come to. Returns the first frames of those that have not come whole. */
async function fetchMessages(
  messages: SearchSource['messages'],
  id: string,
  { open, unreadable }: { readonly open: readonly Found[]; readonly unreadable: number[] },
): Promise<number[]> {
  const wanted = open.filter((frame) => frame.compressed && opcode(frame.bits) !== Opcode.Continuation);
  if (wanted.length === 0) return [];
  const contents = await messages.contents(
    id,
    wanted.map((frame) => frame.index),
    INFLATED_BYTES,
  );
  for (const frame of wanted) {
    const content = contents.get(frame.index);
    if (content === undefined || isLost(content.why)) unreadable.push(frame.index);
    frame.payload =
      content === undefined ? null : new PayloadText(content.bytes ?? new Uint8Array(0), content.violations);
  }
  return wanted.map(({ index }) => index).filter((index) => contents.get(index)?.why === 'pending');
}
