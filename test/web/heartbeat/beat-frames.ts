import type { FrameRow } from '../../../src/contract/frame.ts';
import { previewBytes } from '../../../src/contract/preview.ts';
import { isoMicros } from '../../../src/contract/time.ts';
import { fakeRow } from '../mock-capture.ts';

export const UP = 'client-to-server';
export const DOWN = 'server-to-client';
export const TEXT = 1;
export const BINARY = 2;
export const PING = 9;
export const PONG = 10;

let index = 0;

/** A frame at so many milliseconds; its index follows the one made before. */
export function frame(
  opcode: number,
  direction: FrameRow['direction'],
  data: string | Uint8Array,
  ms: number,
): FrameRow {
  const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data;
  return {
    ...fakeRow(0, 0),
    index: index++,
    opcode,
    direction,
    time: isoMicros(1_700_000_000_000_000 + ms * 1000),
    payloadLength: bytes.length,
    preview: previewBytes(bytes, bytes.length),
  };
}
