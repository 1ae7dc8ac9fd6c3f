import type { MessageRow } from '../contract/message.ts';
import type { Preview } from '../contract/frame.ts';
import type { Filter } from './filter.ts';
import type { Unreadable } from './inflate-cursor.ts';
import type { MessageViolationCode } from '../contract/violations.ts';

/** The message plane: made from the frames when somebody asks, never while they pass. */
export interface MessageReader {
  /**
   * Messages of a session from message index `from`, `limit` at most; undefined for an unknown session.
   * Works in slices and yields to the event loop between them.
   */
  messages(id: string, from: number, limit: number): Promise<MessageRow[] | undefined>;
  /**
   * The messages of a stretch that pass a filter (null: all), as far as one go has come. Undefined for an unknown
   * session.
   * @throws {FilterError} for a regular expression that takes too long
   */
  search(id: string, filter: Filter | null, stretch: MessageStretch): Promise<MessageMatches | undefined>;
  /** The message that a data frame belongs to, or undefined. */
  messageOfFrame(id: string, frameIndex: number): Promise<MessageRow | undefined>;
  /** Inflated content, at most `maxBytes` (8 MiB unless told); undefined where there is no such message. */
  content(id: string, messageIndex: number, maxBytes?: number): Promise<MessageContent | NoContent | undefined>;
  /**
   * Inflated content of the compressed messages that start with these frames, by frame index: the first `maxBytes` of
   * each. Frames that start none, and messages that cannot be inflated, are left out or have null bytes.
   */
  contents(id: string, frameIndexes: readonly number[], maxBytes: number): Promise<ReadonlyMap<number, MessageStart>>;
  /** Previews for frames of compressed messages, by frame index, for a list that is being looked at. */
  previews(id: string, frameIndexes: readonly number[]): Promise<ReadonlyMap<number, Preview>>;
}

/** Messages from index `from` up to `to`, and `limit` of those that pass at most. */
export interface MessageStretch {
  readonly from: number;
  readonly to?: number | undefined;
  readonly limit: number;
  /** Only messages that start with one of the frames [from, to). */
  readonly frames?: { readonly from: number; readonly to: number } | undefined;
  /** False: their indexes are enough, which costs far less. */
  readonly rows?: boolean;
}

export interface MessageMatches {
  readonly indexes: readonly number[];
  /** None where they were not wanted. */
  readonly rows: readonly MessageRow[];
  /** Where to go on; `end` or beyond it where the stretch has been looked at. */
  readonly next: number;
  /** Index of the first message that can still be told apart, and one past the last. */
  readonly first: number;
  readonly end: number;
  /** Messages whose last byte has not come, one a direction at most. */
  readonly growing: readonly number[];
  /** How many were looked at in vain: the payload is not held, or cannot be inflated. */
  readonly unreadable: number;
}

export interface MessageStart {
  readonly bytes: Uint8Array | null;
  /** Infinity where it is not known. */
  readonly totalLength: number;
  readonly violations: readonly MessageViolationCode[];
  /** Why there are no bytes; null where there are. */
  readonly why: Unreadable | null;
}

export interface NoContent {
  readonly bytes: null;
  readonly why: Unreadable;
  /** More of it may come. */
  readonly growing: boolean;
}

export interface MessageContent {
  readonly row: MessageRow;
  readonly bytes: Uint8Array;
  /** The true inflated length, also where `bytes` is cut. */
  readonly totalLength: number;
  /** More of it may come: what is here is not all that there will be. */
  readonly growing: boolean;
  /** There is more than `totalLength`: counting stopped at 4 GiB. */
  readonly atLeast?: true;
}
