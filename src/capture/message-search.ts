import type { SessionDetail } from '../contract/session.ts';
import { PREVIEW_BYTES } from '../contract/frame.ts';
import type { Filter } from './filter.ts';
import { INFLATED_BYTES, PayloadText, Truth, type FrameColumns } from './filter/candidate.ts';
import { isLost, readable, unreadable } from './inflate-cursor.ts';
import { violationsOf } from './message-columns.ts';
import type { MessageStretch } from './message-reader.ts';
import { PAGE_INFLATED, PayloadArena } from './payload-arena.ts';
import type { SessionMessages } from './session-messages.ts';
import type { TimeSlice } from './time-slice.ts';

/** Messages looked at in one go, at most. */
const PAGE_MESSAGES = 2048;
/** Messages that the columns do not decide, where fewer are wanted. */
const PAGE_CANDIDATES = 256;

/** A message that passes, or may. */
interface Found {
  readonly position: number;
  /** Its first bytes, where it is compressed: as many as were wanted of it. */
  readonly inflated: Uint8Array | null;
  /** Null where there is no filter to ask. */
  readonly outline: FrameColumns | null;
  /** Undefined where the columns have decided. */
  readonly payload: PayloadText | null | undefined;
}

export interface FoundMessages {
  readonly found: readonly Pick<Found, 'position' | 'inflated'>[];
  /** Every message of the stretch before this one has been looked at. */
  readonly next: number;
  /** How many were looked at in vain: the payload is not held, or cannot be inflated. */
  readonly unreadable: number;
}

/**
 * Looks for messages that match, in as much of the stretch as can be held at a time. What the filter asks of a frame it
 * asks of the whole message: its content, put together and inflated, and the marks of all of its frames.
 * @throws {FilterError} for a regular expression that takes too long
 */
export async function searchMessages(
  messages: SessionMessages,
  search: {
    readonly session: SessionDetail;
    readonly filter: Filter | null;
    readonly stretch: MessageStretch;
    readonly slice: TimeSlice;
  },
): Promise<FoundMessages> {
  const arena = PayloadArena.take();
  try {
    return await searchInto(arena, messages, search);
  } finally {
    arena.giveBack();
  }
}

async function searchInto(
  arena: PayloadArena,
  messages: SessionMessages,
  { session, filter, stretch, slice }: Parameters<typeof searchMessages>[1],
): Promise<FoundMessages> {
  const { from, to = Infinity, limit, frames, rows = true } = stretch;
  const { columns } = messages;
  const startingBefore = (frame: number): number => columns.positionBefore(frame - 1) + 1;
  const end = Math.min(columns.end, to, startingBefore(frames?.to ?? Infinity));
  let at = Math.max(from, startingBefore(frames?.from ?? 0));
  const pageEnd = Math.min(end, at + PAGE_MESSAGES);
  const possible: Found[] = [];
  const lost: number[] = [];
  let sure = 0;
  let inflations = 0;
  // What is found beyond the limit is looked at again: not many more than are wanted.
  const most = Math.max(PAGE_CANDIDATES, 2 * limit);
  for (; at < pageEnd && sure < limit && possible.length < most && !arena.full && inflations < PAGE_INFLATED; at++) {
    const position = at;
    if (slice.over) await slice.pause();
    const outline = filter === null ? null : messages.frames.outline(position);
    const answer = filter === null || outline === null ? Truth.True : filter.matchesColumns(session, outline);
    if (answer === Truth.False) continue;
    if (answer === Truth.True) sure++;
    if (!messages.frames.isCompressed(position) || (answer === Truth.True && !rows)) {
      const take = (): PayloadText | null =>
        arena.take(columns.wireLength(position), (target, start, bytes) =>
          messages.frames.copyStart(position, target, start, bytes),
        );
      const payload = answer === Truth.True ? undefined : take();
      if (payload === null && !messages.growing.includes(position)) lost.push(position);
      possible.push({ position, inflated: null, outline, payload });
      continue;
    }
    inflations++;
    const wanted = answer === Truth.True ? PREVIEW_BYTES : INFLATED_BYTES;
    const outcome = await messages.inflate(position, wanted, slice);
    const inflated = readable(outcome);
    if (answer !== Truth.True && isLost(unreadable(outcome.status))) lost.push(position);
    const text = new PayloadText(inflated ?? new Uint8Array(0), violationsOf(columns.flags(position)));
    possible.push({
      position,
      inflated,
      outline: outline === null ? null : { ...outline, payloadLength: columns.inflatedLength(position) },
      payload: answer === Truth.True ? undefined : text,
    });
  }
  await filter?.prepare(
    possible.flatMap(({ payload }) => (payload == null ? [] : [payload])),
    slice,
  );
  const found: Found[] = [];
  for (const message of possible) {
    const { outline, payload } = message;
    if (payload === undefined || (outline !== null && filter?.matchesPayload(session, outline, payload) === true))
      found.push(message);
    if (slice.over) await slice.pause();
  }
  const next = found[limit]?.position ?? (at >= end ? Math.max(columns.end, from) : at);
  return {
    found: found.slice(0, limit),
    next,
    unreadable: lost.filter((position) => position < next).length,
  };
}
