/**
 * The relay's memory and its inner loop.
 *
 * Why WebAssembly: masking 64 KiB takes 1.3 us with 128-bit lanes, 8-14 us in a 32-bit JavaScript loop. The bytes of
 * every read lie in the module's memory, so nothing is copied to get them there. Fallback: the same loop in
 * JavaScript, where the engine has no WebAssembly (`node --jitless`).
 *
 * `bytes` is one read area (where sockets deliver), one for unmasked bytes, and a number of write areas. A write area belongs to the relay that
 * took it until it gives it back: bytes that wait in a slow peer's queue are never written over.
 */
export interface FrameKernel {
  /** All of the memory. */
  readonly bytes: Uint8Array;
  readonly buffer: ArrayBuffer;
  /**
   * Copies `length` bytes from `source` to `target`, XORed with `change`, and tells whether any byte XORed with `key`
   * is 0x80 or above (0: none). Offsets into `bytes`; keys little-endian: the first byte is the lowest.
   */
  remask(source: number, target: number, length: number, change: number, key: number): number;
  /** 0 if all bytes of the range are below 0x80. */
  highBits(source: number, length: number): number;
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

const PAGE_BYTES = 64 * 1024;
const TOTAL_BYTES = Math.ceil((FIRST_WRITE_AREA + WRITE_AREAS * WRITE_AREA_BYTES) / PAGE_BYTES) * PAGE_BYTES;

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
  'AGFzbQEAAAABEAJgBX9/f39/AX9gAn9/AX8CFAEIZnJhbWV0YXAGbWVtb3J5AgABAwMCAAEHFQIGcmVtYXNrAAAIaGlnaEJpdHMAAQqfAgK1AQQCfwN7An8BeyAAIAJqIQUgACACQXBxaiEGIAP9ESEHIAT9ESEIAkADQCAAIAZPDQEgAP0AAAAhDCABIAwgB/1R/QsAACAJIAwgCP1R/VAhCSAAQRBqIQAgAUEQaiEBDAALCwJAA0AgACAFTw0BIAAtAAAhCyABIAsgA3M6AAAgCiALIARzQYABcXIhCiADQQh4IQMgBEEIeCEEIABBAWohACABQQFqIQEMAAsLIAogCf1kcgtmAwJ/AXsBfyAAIAFqIQIgACABQXBxaiEDAkADQCAAIANPDQEgBCAA/QAAAP1QIQQgAEEQaiEADAALCwJAA0AgACACTw0BIAUgAC0AAEGAAXFyIQUgAEEBaiEADAALCyAFIAT9ZHIL';

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
  const { remask, highBits } = new WebAssembly.Instance(module, { frametap: { memory } }).exports;
  return {
    bytes: new Uint8Array(memory.buffer),
    buffer: memory.buffer,
    remask: remask as FrameKernel['remask'],
    highBits: highBits as FrameKernel['highBits'],
  };
}

export function createScriptKernel(): FrameKernel {
  const bytes = new Uint8Array(TOTAL_BYTES);
  return {
    bytes,
    buffer: bytes.buffer,
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
