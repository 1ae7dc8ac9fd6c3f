import { parseJson, rewriteNumbers } from '../../contract/json-text.ts';
import type { SessionDetail, SessionSummary } from '../../contract/session.ts';
import type { MessageViolationCode } from '../../contract/violations.ts';
import type { RowCursor } from '../capture-reader.ts';
import type { GuardedRegex } from './guarded-regex.ts';

/** Three-valued: what is not known yet, or cannot be, is neither true nor false (Kleene). */
export const Truth = { False: 0, True: 1, Unknown: 2 } as const;
export type Truth = (typeof Truth)[keyof typeof Truth];

export const truth = (fact: boolean): Truth => (fact ? Truth.True : Truth.False);

/** What a filter knows of a frame, or of a message by all of its frames, without its payload. */
export interface FrameColumns extends Pick<RowCursor, 'index' | 'bits' | 'violations'> {
  /** Null for a compressed message that has not been inflated, or cannot be. */
  readonly payloadLength: number | null;
}

/** Bytes of a payload that text and JSON are looked for in, and that regular expressions are given. */
export const TEXT_BYTES = 1024 * 1024;
/** Of a compressed message so much is inflated and looked at. */
export const INFLATED_BYTES = 64 * 1024;
export const REGEX_CHARACTERS = 64 * 1024;

/** A regular expression and what of a payload it is tried on; null: it cannot match. */
export interface PayloadRegex {
  readonly regex: GuardedRegex;
  textOf(payload: PayloadText): string | null;
}

/** A payload, read as text, in lower case or as JSON once and only if a filter asks. */
export class PayloadText {
  readonly violations: readonly MessageViolationCode[];
  readonly #bytes: Buffer;
  readonly #start: number;
  readonly #end: number;
  #matches: Map<PayloadRegex, boolean> | undefined;
  #text: string | undefined;
  #lower: string | undefined;
  #json: unknown = UNREAD;

  /** @param bytes at most `TEXT_BYTES` from `start` to `end` are looked at. Borrowed */
  constructor(
    bytes: Uint8Array,
    violations: readonly MessageViolationCode[] = [],
    { start = 0, end = bytes.length }: { readonly start?: number; readonly end?: number } = {},
  ) {
    this.#bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#start = start;
    this.#end = Math.min(end, start + TEXT_BYTES);
    this.violations = violations;
  }

  /** What regular expressions that were tried on many payloads together said. */
  get matches(): Map<PayloadRegex, boolean> {
    return (this.#matches ??= new Map());
  }
  get text(): string {
    return (this.#text ??= this.#bytes.toString('utf8', this.#start, this.#end));
  }
  get lowerText(): string {
    return (this.#lower ??= this.text.toLowerCase());
  }
  /** Undefined where it is no JSON. */
  get json(): unknown {
    if (this.#json === UNREAD) this.#json = parse(this.text);
    return this.#json;
  }
}
const UNREAD = Symbol('not read yet');

/** Integers that a number cannot hold become texts: they keep their digits. */
function parse(text: string): unknown {
  if (!/^[\s\uFEFF]*[[{"\-\dtfn]/.test(text)) return undefined;
  const value = parseJson(text);
  if (value === undefined || !/\d{16}/.test(text)) return value;
  return parseJson(rewriteNumbers(text, (digits) => (isLongInteger(digits) ? `"${digits}"` : digits)));
}

const isLongInteger = (digits: string): boolean => /^-?\d+$/.test(digits) && !Number.isSafeInteger(Number(digits));

/** What a filter is held against: a session, or one frame or message of it. */
export interface Candidate {
  readonly session: SessionSummary | SessionDetail;
  /** Null while the session as a whole is looked at. */
  readonly frame: FrameColumns | null;
  /** Undefined: not fetched yet. Null: not held, or not of this frame alone. */
  readonly payload: PayloadText | null | undefined;
}
