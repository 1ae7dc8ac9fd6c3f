import type { SessionDetail, SessionSummary } from '../contract/session.ts';
import { Truth, type FrameColumns, type PayloadText } from './filter/candidate.ts';
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
    return this.#node.evaluate({ session, frame: null, payload: undefined });
  }

  /** What a frame's columns say; `Unknown` where its payload is needed. */
  matchesColumns(session: SessionSummary | SessionDetail, frame: FrameColumns): Truth {
    return this.#node.evaluate({ session, frame, payload: undefined });
  }

  /** The same with the payload, null where it is not held. */
  matchesPayload(session: SessionSummary | SessionDetail, frame: FrameColumns, payload: PayloadText | null): boolean {
    return this.#node.evaluate({ session, frame, payload }) === Truth.True;
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
