import { FRAMES_A_RUN, linesForFrames, ROW_BYTES } from '../capture/segment.ts';

/**
 * The relay's memory and its inner loops.
 *
 * Why WebAssembly: masking 64 KiB takes 1.3 us with 128-bit lanes, 8-14 us in a 32-bit JavaScript loop, and an ordinary
 * small frame is scanned, noted and re-masked in a third of the time. The bytes of every read lie in the module's
 * memory, so nothing is copied to get them there. Fallback: the same masking in JavaScript, and no `takeFrames`, where
 * the engine has no WebAssembly (`node --jitless`).
 *
 * `bytes` is one read area (where sockets deliver), one for unmasked bytes, and a number of write areas. A write area
 * belongs to the relay that took it until it gives it back: bytes that wait in a slow peer's queue are never written
 * over. Behind them lie the areas of ordinary-frames.ts and record-gather.ts.
 */
export interface FrameKernel {
  /** All of the memory. */
  readonly bytes: Uint8Array;
  readonly buffer: ArrayBuffer;
  /** Its first `READ_BYTES`. */
  readonly readArea: Uint8Array;
  /**
   * Copies `length` bytes from `source` to `target`, XORed with `change`, and tells whether any byte XORed with `key`
   * is 0x80 or above (0: none). Offsets into `bytes`; keys little-endian: the first byte is the lowest.
   */
  remask(source: number, target: number, length: number, change: number, key: number): number;
  /** 0 if all bytes of the range are below 0x80. */
  highBits(source: number, length: number): number;
  /** Carries out the task at this offset (see frame-kernel.wat); returns how many frames were taken. */
  readonly takeFrames: ((task: number) => number) | null;
}

/** Largest read, in bytes. */
export const READ_BYTES = 256 * 1024;
/** Where the write areas start: behind the read area and one for looking at unmasked bytes. */
export const PLAIN_AREA = READ_BYTES;
const FIRST_WRITE_AREA = 2 * READ_BYTES;
/** A write area holds a read and the header bytes that waited from the read before it. */
const WRITE_AREA_BYTES = READ_BYTES + 64;
/** The last one is never kept waiting: what has to wait when all others do is copied from there to the heap. */
const WRITE_AREAS = 16;

/** Where ordinary-frames.ts has its areas: lines of a run, keys, a table and a task. */
export const ORDINARY_FRAMES_AREA = FIRST_WRITE_AREA + WRITE_AREAS * WRITE_AREA_BYTES;
/** So many frames at a time. */
export const MOST_FRAMES_A_TASK = FRAMES_A_RUN;
const ORDINARY_FRAMES_BYTES = linesForFrames(MOST_FRAMES_A_TASK) * ROW_BYTES + MOST_FRAMES_A_TASK * 4 + 4096;

/** Where record-gather.ts has its areas: one TLS record (RFC 8446 §5.1: 2^14 bytes at most), and a read of them. */
export const RECORD_AREA = ORDINARY_FRAMES_AREA + ORDINARY_FRAMES_BYTES;
export const RECORD_BYTES = 16 * 1024;
export const GATHER_AREA = RECORD_AREA + RECORD_BYTES;

const PAGE_BYTES = 64 * 1024;
const TOTAL_BYTES = Math.ceil((GATHER_AREA + READ_BYTES) / PAGE_BYTES) * PAGE_BYTES;

/** Hands out the write areas. */
export class WriteAreas {
  readonly #free = Array.from({ length: WRITE_AREAS - 1 }, (_, i) => FIRST_WRITE_AREA + i * WRITE_AREA_BYTES);
  /** Offset of the area that is never taken. */
  readonly spare = FIRST_WRITE_AREA + (WRITE_AREAS - 1) * WRITE_AREA_BYTES;

  /** The area to fill next: a free one, which stays free until it is taken, or the spare one. */
  get next(): number {
    return this.#free[this.#free.length - 1] ?? this.spare;
  }
  /** Takes the area that `next` named. */
  take(): void {
    this.#free.pop();
  }
  giveBack(area: number): void {
    this.#free.push(area);
  }
}

/** frame-kernel.wat, assembled; a test holds the two together. */
export const KERNEL_BASE64 =
  'AGFzbQEAAAABFQNgBX9/f39/AX9gAn9/AX9gAX8BfwIUAQhmcmFtZXRhcAZtZW1vcnkCAAEDBQQAAQICByIDBnJlbWFzawAACGhpZ2hCaXRzAAEKdGFrZUZyYW1lcwADCsMGBLUBBAJ/A3sCfwF7IAAgAmohBSAAIAJBcHFqIQYgA/0RIQcgBP0RIQgCQANAIAAgBk8NASAA/QAAACEMIAEgDCAH/VH9CwAAIAkgDCAI/VH9UCEJIABBEGohACABQRBqIQEMAAsLAkADQCAAIAVPDQEgAC0AACELIAEgCyADczoAACAKIAsgBHNBgAFxciEKIANBCHghAyAEQQh4IQQgAEEBaiEAIAFBAWohAQwACwsgCiAJ/WRyC2YDAn8BewF/IAAgAWohAiAAIAFBcHFqIQMCQANAIAAgA08NASAEIAD9AAAA/VAhBCAAQRBqIQAMAAsLAkADQCAAIAJPDQEgBSAALQAAQYABcXIhBSAAQQFqIQAMAAsLIAUgBP1kcgsjACAAQRh0IABBGHZyIABBgP4DcUEIdCAAQQh2QYD+A3Fycgv+AwEWfyAAKAIAIQEgASEKIAAoAgQhAiAAKAIIIQMgACgCDCEEIAAoAhAhBSAAKAIUIQYgACgCGEEIayEHIAAoAhwhCQJAA0AgCCAJTw0BIAIgAWshEiASQQJJDQEgAS0AACENIAEtAAEhDiAFIA1qLQAAIQ8gD0UNASAOQYABcSAGRw0BIA5B/wBxIRBBAiERIBBB/gBPBEAgDUEIcQ0CIBBB/gBGBEAgEkEESQ0DIAEtAAJBCHQgAS0AA3IhECAQQf4ASQ0DQQQhEQUgEkEKSQ0DIAEoAgINAyABKAIGEAIhECAQQYCABEkNA0EKIRELCyARIAZBBXZqIREgEiARSQ0BIBAgEiARa0sNASABIBFqIRMgBARAIBNBBGsoAgAhFCAEIAhBAnRqKAIAIRUgEyADaiEWIBMgFiAQIBQgFXMgFBAAQQBHIA9BAkZxDQIgFkEEayAVNgIAIAEgA2ohFiAWIAEvAQA7AQAgEUEGSwRAIBFBCEYEQCAWIAEvAQI7AQIFIBYgASkDAjcDAgsLBSAPQQJGBEAgEyAQEAENAwsLIAcgASAKazYCACAHQQRrIQcgB0E/cUE8RgRAIAdBBGshBwsgCyARaiELIAwgDUEIcWohDCATIBBqIQEgCEEBaiEIDAALCyAAIAE2AgAgACALNgIgIAAgDDYCJCAICw==';

/** What this file uses of the engine's global, which Node's own type declarations leave to the browser's. */
declare const WebAssembly: {
  Memory: new (pages: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { readonly exports: Readonly<Record<string, unknown>> };
};

export function createFrameKernel(): FrameKernel {
  return typeof WebAssembly === 'object' ? createWasmKernel() : createScriptKernel();
}

function createWasmKernel(): FrameKernel {
  const memory = new WebAssembly.Memory({ initial: TOTAL_BYTES / PAGE_BYTES, maximum: TOTAL_BYTES / PAGE_BYTES });
  const module = new WebAssembly.Module(Buffer.from(KERNEL_BASE64, 'base64'));
  const { remask, highBits, takeFrames } = new WebAssembly.Instance(module, { frametap: { memory } }).exports;
  return {
    bytes: new Uint8Array(memory.buffer),
    buffer: memory.buffer,
    readArea: new Uint8Array(memory.buffer, 0, READ_BYTES),
    remask: remask as FrameKernel['remask'],
    highBits: highBits as FrameKernel['highBits'],
    takeFrames: takeFrames as FrameKernel['takeFrames'],
  };
}

export function createScriptKernel(): FrameKernel {
  const bytes = new Uint8Array(TOTAL_BYTES);
  return {
    bytes,
    buffer: bytes.buffer,
    readArea: bytes.subarray(0, READ_BYTES),
    takeFrames: null,
    remask(source, target, length, change, key) {
      let seen = 0;
      for (let i = 0; i < length; i++) {
        const byte = bytes[source + i] ?? 0;
        const shift = (i & 3) << 3;
        bytes[target + i] = byte ^ (change >>> shift);
        seen |= byte ^ (key >>> shift);
      }
      return seen & 0x80;
    },
    highBits(source, length) {
      let seen = 0;
      for (let i = 0; i < length; i++) seen |= bytes[source + i] ?? 0;
      return seen & 0x80;
    },
  };
}
