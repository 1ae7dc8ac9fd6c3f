/**
 * The relay's memory and its inner loop.
 *
 * Why WebAssembly: masking 64 KiB takes 1.3 us with 128-bit lanes, 8-14 us in a 32-bit JavaScript loop. The bytes of
 * every read lie in the module's memory, so nothing is copied to get them there. Fallback: the same loop in
 * JavaScript, where the engine has no WebAssembly (`node --jitless`).
 *
 * `bytes` is one read area (where sockets deliver) and a number of write areas. A write area belongs to the relay that
 * took it until it gives it back: bytes that wait in a slow peer's queue are never written over.
 */
export interface FrameKernel {
  /** All of the memory: the read area from 0, then the write areas. */
  readonly bytes: Uint8Array;
  /**
   * Copies `length` bytes from `source` to `target`, XORed with `change`, and tells whether any byte XORed with `key`
   * is 0x80 or above (0: none). Offsets into `bytes`; keys little-endian: the first byte is the lowest.
   */
  remask(source: number, target: number, length: number, change: number, key: number): number;
  /** 0 if all bytes of the range are below 0x80. */
  highBits(source: number, length: number): number;
}

/** Largest read, and size of each area, in bytes. */
export const AREA_BYTES = 256 * 1024;
/** Write areas; when all wait for slow peers, the relay copies to the heap instead. */
export const WRITE_AREAS = 16;

const PAGE_BYTES = 64 * 1024;
const TOTAL_BYTES = AREA_BYTES * (1 + WRITE_AREAS);

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
    remask: remask as FrameKernel['remask'],
    highBits: highBits as FrameKernel['highBits'],
  };
}

export function createScriptKernel(): FrameKernel {
  const bytes = new Uint8Array(TOTAL_BYTES);
  return {
    bytes,
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
