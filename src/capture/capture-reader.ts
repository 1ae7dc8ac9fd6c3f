import type { FrameRow } from '../contract/frame.ts';
import type { SessionDetail, SessionSummary } from '../contract/session.ts';
import type { CaptureStatus } from '../contract/status.ts';
import type { Guest, Lodging } from './guests.ts';

/** What everything that shows, streams or exports a capture may ask of a store. Ids are decimal numbers as text. */
export interface CaptureReader {
  /** Totals, memory, epoch and the log's last sequence number. */
  status(): CaptureStatus;

  /** Oldest first, or newest first, starting after session id `after` in that order. */
  sessions(page: {
    readonly after?: string;
    readonly limit: number;
    readonly order?: 'oldest' | 'newest';
  }): SessionSummary[];
  session(id: string): SessionDetail | undefined;
  has(id: string): boolean;
  /** Where what is held of a session begins; `messages`: so many began before that frame. */
  heldFrom(id: string): { readonly frame: number; readonly messages: number } | undefined;
  /**
   * Sessions whose `seq` is above `seq`, those that changed first, `limit` at most, and ids that went since then.
   * `all` false: there are more. `kept`: where more went than are remembered, the ids of all that did not.
   */
  sessionsSince(
    seq: number,
    limit?: number,
  ): {
    readonly changed: SessionSummary[];
    readonly all: boolean;
    readonly removed: string[];
    readonly kept: string[] | null;
  };

  /**
   * Held frames of a session with index >= `from`, in order, `limit` at most; undefined for an unknown session.
   * `preview` is filled where the frame's own bytes are readable (not for compressed messages).
   */
  frames(id: string, from: number, limit: number): FrameRow[] | undefined;

  /**
   * Calls `visit` for a session's held frames with index >= `from`, in order and each once, as they are now, `limit` at
   * most, until it returns false. Makes no rows: for those who read a great many. False for an unknown session.
   */
  visitFrames(id: string, from: number, limit: number, visit: (row: RowCursor) => void | false): boolean;

  /**
   * The payload of one frame: unmasked (`payload`), or header, key and all as received (`wire`). The bytes are the
   * caller's own copy. `held` false: (part of) it is no longer, or never was, held. Undefined: no such frame.
   */
  frameBytes(id: string, index: number, plane: 'payload' | 'wire'): FrameBytes | undefined;

  /** Calls `visit` for the frame rows with seq > `since` in order, `limit` at most, until it returns false. */
  rowsSince(since: number, limit: number, visit: (row: RowCursor) => void | false): void;

  /**
   * Really frees what the session holds, in the turns that follow; false where there is none of that id. An open session
   * goes on, empty.
   */
  deleteSession(id: string): boolean;
  /** Frees everything that is closed, empties what is open, and begins a new epoch. */
  clear(): void;
  /** Stops or resumes keeping what passes. Forwarding is not touched. */
  setRecording(recording: boolean): void;

  /** Counts what `guest` costs as part of the capture, from now on. */
  admit(guest: Guest): Lodging;

  /** Calls back after the log has grown, at most once in a turn of the event loop. Returns the way to stop it. */
  subscribe(listener: () => void): () => void;
}

export interface FrameBytes {
  readonly bytes: Uint8Array;
  /** All of the frame's bytes are in `bytes`. */
  readonly whole: boolean;
}

/** A window on one row of the store. Valid only until the visit returns: the next row uses it again. */
export interface RowCursor {
  readonly seq: number;
  readonly timeUs: number;
  readonly payloadLength: number;
  readonly streamOffset: number;
  /** The session's number: its id is this in decimal. */
  readonly session: number;
  readonly index: number;
  /** contract/frame-bits.ts */
  readonly bits: number;
  /** Read big-endian: hex of this number is the key as on the wire. */
  readonly maskingKey: number;
  /** contract/violations.ts */
  readonly violations: number;
  /** Writes the first bytes of the payload, unmasked, to `target`; returns how many. */
  copyPreview(target: Uint8Array, at: number, maxBytes: number): number;
}
