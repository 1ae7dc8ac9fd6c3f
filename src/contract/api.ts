import type { FrameRow } from './frame.ts';
import type { MessageRow } from './message.ts';
import type { SessionSummary } from './session.ts';

/** What the routes of the HTTP API answer, where it is not a contract type of its own. Lists are paged by `next`. */

/**
 * `GET /api/sessions`. `next`: the `after` of the following page, or null at the end. `needsFrames`: false where a
 * session alone decides whether it passes the filter, so that all of its frames do, or none.
 */
export interface SessionPage {
  readonly sessions: readonly SessionSummary[];
  readonly next: string | null;
  readonly needsFrames: boolean;
}

/**
 * `GET /api/sessions/:id/frames`. `next`: the `from` of the following page, or null where the last frame that was
 * there, or that was asked for, has been looked at. With a filter a page may be short, or empty, and still have a `next`: a request searches
 * for a bounded time.
 */
export interface FramePage {
  readonly frames: readonly FrameRow[];
  readonly next: number | null;
  /** Number of frames in all: the next frame's index. */
  readonly frameCount: number;
  /** Index of the oldest frame that is still held. */
  readonly firstHeldFrame: number;
  /** With a filter: frames that had not come whole when they were looked at, or whose message had not. */
  readonly growing: readonly number[];
  /** With a filter: how many were looked at whose content it asks for, and is not held or cannot be inflated. */
  readonly unreadable: number;
}

/**
 * `GET /api/sessions/:id/messages`. `next`: the `from` of the following page, or null where the last message that was
 * there, or that was asked for, has been looked at. With a filter a page may be short as one of frames may.
 */
export interface MessagePage {
  readonly messages: readonly MessageRow[];
  readonly next: number | null;
  /** Number of messages in all: the next message's index. */
  readonly messageCount: number;
  /** Index of the oldest message that can still be told apart. */
  readonly firstHeldMessage: number;
  /** Messages whose last byte has not come: what is said of them may yet change. One a direction at most. */
  readonly growing: readonly number[];
  /** With a filter: how many were looked at whose content it asks for, and is not held or cannot be inflated. */
  readonly unreadable: number;
}

/**
 * `GET /api/sessions/:id/frames/indexes` and `.../messages/indexes`: which ones pass a filter, and no rows. A page may be
 * short as one of rows may.
 */
export interface IndexPage {
  /** Ascending. */
  readonly indexes: readonly number[];
  readonly next: number | null;
  /** Number of them in all, whether they pass or not: the next one's index. */
  readonly end: number;
  /** As in a page of rows. */
  readonly growing: readonly number[];
  readonly unreadable: number;
}

/** `POST /api/recording`: what is sent and what is answered. */
export interface Recording {
  readonly recording: boolean;
}

/**
 * Every error of the API. `code` is one of src/errors.ts; the message is for people. `position`: where a filter is
 * wrong, in UTF-16 code units from 0; `file` and `line`: where a .proto file is, the line from 1.
 */
export interface ApiError {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly position?: number;
    readonly file?: string;
    readonly line?: number;
  };
}
