/**
 * What a decoder made of a payload, as JSON can carry it. What JSON has no word for is an object with a key that
 * starts with `$`: `$bytes` (hex, with `length`), `$number` (digits that a double would lose, NaN or Infinity),
 * `$map` (pairs, where keys are no strings), `$tag` and `$type` (with `value`), `$json` (a string that is JSON itself),
 * `$cut` (why something is left out), `$unknown` and `$overwritten` (of a protobuf message: fields that its type does not
 * have, and values in whose place others have come).
 */
export type DecodedValue = null | boolean | number | string | DecodedValue[] | { readonly [key: string]: DecodedValue };

/** `GET /api/sessions/:id/frames/:index/decoded`: the frame's message (a control frame: its payload), decoded. */
export interface DecodedFrame {
  /** The decoder: see `candidates` for the others that can read it. `protobuf:NAME` is one by a type that is loaded. */
  readonly name: string;
  /** 0 to 1: how sure it is. */
  readonly score: number;
  /** One line. */
  readonly summary: string;
  readonly value: DecodedValue;
  /** Every decoder that can read it, the surest first; of the types that are loaded the few that fit best. */
  readonly candidates: readonly { readonly name: string; readonly score: number }[];
  /** It was asked for by name, for this URL and direction; false: it is the surest. */
  readonly asked: boolean;
  /** The decoder that was last asked for, for this URL and direction, also where it cannot read this message. */
  readonly kept: string | null;
  /** Bytes that were decoded, and whether they are all of it. */
  readonly decodedBytes: number;
  readonly whole: boolean;
  /** More of it may come. Of a compressed message nothing is decoded before the last has. */
  readonly growing: boolean;
}

/**
 * `GET /api/sessions/:id/frames/:index/partner`: the answer to the request in the frame's message, or the request that
 * it answers. The partner of a request is the first of its answers.
 */
export interface FramePartner {
  /** What the frame's own message is, or null where its protocol does not pair it. */
  readonly role: 'request' | 'answer' | null;
  /** The decoder that saw it. */
  readonly protocol: string | null;
  /** The partner's first frame and its message, or null where none was found among those that were looked at. */
  readonly frame: number | null;
  readonly message: number | null;
  /** From the request's last frame to the answer's first. */
  readonly latencyMs: number | null;
}

/** `GET /api/filter/completions?text=&cursor=`: what may stand where the cursor is. */
export interface FilterCompletions {
  /** The part of the text that a completion replaces, in UTF-16 code units. */
  readonly from: number;
  readonly to: number;
  readonly options: readonly { readonly text: string; readonly means: string }[];
}
