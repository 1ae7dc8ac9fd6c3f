import { FrameBit } from '../contract/frame-bits.ts';
import type { FrameRow } from '../contract/frame.ts';
import type { SessionDetail, SessionSummary } from '../contract/session.ts';
import { ViolationBit } from '../contract/violations.ts';
import { PayloadText, Truth, type FrameColumns } from './filter/candidate.ts';
import { readFilter } from './filter/grammar.ts';
import type { FilterNode } from './filter/node.ts';
import type { TimeSlice } from './time-slice.ts';

/** A filter that has been read: see docs/filter.md. */
export class Filter {
  /** False where a session alone decides: no frame need be looked at. */
  readonly needsFrames: boolean;
  readonly #node: FilterNode;

  constructor(node: FilterNode) {
    this.#node = node;
    this.needsFrames = node.needsFrames;
  }

  /** What the session alone says; `Unknown` where one of its frames may match. Details decide more than a summary. */
  matchesSession(session: SessionSummary | SessionDetail): Truth {
    return this.#node.evaluate({ session, frame: null, payload: undefined, withSessionText: true });
  }

  /** What a frame's columns say; `Unknown` where its payload is needed. */
  matchesColumns(
    session: SessionSummary | SessionDetail,
    frame: FrameColumns,
    options: { readonly withSessionText?: boolean } = {},
  ): Truth {
    const withSessionText = options.withSessionText === true;
    return this.#node.evaluate({ session, frame, payload: undefined, withSessionText });
  }

  /** The same with the payload, null where it is not held. */
  matchesPayload(
    session: SessionSummary | SessionDetail,
    frame: FrameColumns,
    payload: PayloadText | null,
    options: { readonly withSessionText?: boolean } = {},
  ): boolean {
    const withSessionText = options.withSessionText === true;
    return this.#node.evaluate({ session, frame, payload, withSessionText }) === Truth.True;
  }

  /** One frame by itself. The payload (inflated where the message was compressed) is asked for only where needed. */
  matchesFrame(session: SessionSummary | SessionDetail, row: FrameRow, payload: () => Uint8Array | null): boolean {
    const frame = columnsOf(row);
    const byColumns = this.matchesColumns(session, frame);
    if (byColumns !== Truth.Unknown) return byColumns === Truth.True;
    const bytes = payload();
    return this.matchesPayload(session, frame, bytes === null ? null : new PayloadText(bytes));
  }

  /**
   * Tries the filter's regular expressions on many payloads at once, which is 100 times cheaper than one by one.
   * @throws {FilterError} if one of them takes too long
   */
  async prepare(payloads: readonly PayloadText[], slice: TimeSlice): Promise<void> {
    for (const regex of this.#node.regexes) {
      const tried = payloads.flatMap((payload) => {
        const text = regex.textOf(payload);
        if (text === null) payload.matches.set(regex, false);
        return text === null ? [] : [{ payload, text }];
      });
      if (tried.length === 0) continue;
      const texts = tried.map(({ text }) => text);
      const results = await regex.regex.testAll(texts, slice);
      for (const [i, { payload }] of tried.entries()) payload.matches.set(regex, results[i] === true);
    }
  }
}

/**
 * Reads a filter. The empty one lets everything through.
 * @throws {FilterError} (a FrametapError `invalid-filter` with its `position`)
 */
export function parseFilter(text: string): Filter {
  return new Filter(readFilter(text));
}

function columnsOf(row: FrameRow): FrameColumns {
  const origins = { peer: 0, injected: 1, replaced: 2 } as const;
  const bits =
    (row.fin ? 0x80 : 0) |
    (row.rsv1 ? 0x40 : 0) |
    (row.rsv2 ? 0x20 : 0) |
    (row.rsv3 ? 0x10 : 0) |
    row.opcode |
    (row.masked ? 0x8000 : 0) |
    (row.direction === 'server-to-client' ? FrameBit.ServerToClient : 0) |
    (row.complete ? FrameBit.Complete : 0) |
    (row.rsv1 && row.opcode < 3 ? FrameBit.Compressed : 0) |
    (origins[row.origin] << 20);
  const violations = row.violations.reduce((sum, code) => sum | ViolationBit[code], 0);
  return { index: row.index, bits, payloadLength: row.payloadLength, violations };
}
