import { LIVE_PREVIEW_BYTES } from '../../../src/contract/live.ts';

export const CHUNK_ROWS = 1024;

/** How much is known of a row. Unrecorded: that there is none, for nothing was recorded when the frame passed. */
export const Known = { Nothing: 0, Live: 1, Fetched: 2, Unrecorded: 3 } as const;

/** A run of rows, in columns. */
export interface Chunk {
  number: number;
  readonly known: Uint8Array;
  readonly timeUs: Float64Array;
  readonly payloadLength: Float64Array;
  readonly streamOffset: Float64Array;
  readonly seq: Float64Array;
  readonly bits: Uint32Array;
  readonly maskingKey: Uint32Array;
  readonly violations: Uint32Array;
  readonly previewLength: Uint8Array;
  readonly preview: Uint8Array;
  /** Preview text of fetched rows. */
  texts: (string | undefined)[];
  /** Of fetched rows whose payload is held only in part: how many bytes, by slot. */
  readonly heldBytes: Map<number, number>;
}

export function newChunk(): Chunk {
  return {
    number: 0,
    known: new Uint8Array(CHUNK_ROWS),
    timeUs: new Float64Array(CHUNK_ROWS),
    payloadLength: new Float64Array(CHUNK_ROWS),
    streamOffset: new Float64Array(CHUNK_ROWS),
    seq: new Float64Array(CHUNK_ROWS),
    bits: new Uint32Array(CHUNK_ROWS),
    maskingKey: new Uint32Array(CHUNK_ROWS),
    violations: new Uint32Array(CHUNK_ROWS),
    previewLength: new Uint8Array(CHUNK_ROWS),
    preview: new Uint8Array(CHUNK_ROWS * LIVE_PREVIEW_BYTES),
    texts: [],
    heldBytes: new Map(),
  };
}
