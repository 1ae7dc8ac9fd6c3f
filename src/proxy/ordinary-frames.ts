import type { Recorder } from '../capture/recorder.ts';
import { linesForFrames, ROW_BYTES } from '../capture/segment.ts';
import type { FrameScanner, NegotiatedExtensions } from '../protocol/frame-scanner.ts';
import { type FrameKernel, MOST_FRAMES_A_TASK, ORDINARY_FRAMES_AREA } from './frame-kernel.ts';
import type { MaskingKeys } from './masking-keys.ts';

/*
 * The short cut of the relay: ordinary frames (whole messages in one frame, pings and pongs, nothing wrong with them)
 * are taken many at a time by the kernel's `takeFrames`, which scans them, notes where they begin and re-masks them in one
 * pass: 9 ns for a frame of 32 bytes to the client and 14 to the server, in place of 43 and 72. Whatever is not ordinary
 * goes the long way, frame by frame; that way alone is right for every frame, and is what remains without the kernel.
 */

const LINES_END = ORDINARY_FRAMES_AREA + linesForFrames(MOST_FRAMES_A_TASK) * ROW_BYTES;
const KEYS = LINES_END;
const TABLES = KEYS + MOST_FRAMES_A_TASK * 4;
/** The table in which no frame is ordinary. */
export const NOTHING_ORDINARY = TABLES + 512;
const TASK = TABLES + 3 * 256;

/** Words of the task, as frame-kernel.wat has them. */
const Word = {
  Position: 0,
  End: 1,
  Shift: 2,
  Keys: 3,
  Table: 4,
  MaskBit: 5,
  Lines: 6,
  Most: 7,
  HeaderBytes: 8,
  EightControls: 9,
} as const;

/** Entries of a table, by first header byte: not ordinary, any payload, or text that must be ASCII to be ordinary. */
const ANY = 1;
const ASCII = 2;

/** Attempts that found nothing before a chunk goes the long way altogether. */
const MOST_MISSES = 8;

export class OrdinaryFrames {
  readonly #kernel: FrameKernel;
  readonly #takeFrames: (task: number) => number;
  readonly #maskingKeys: MaskingKeys;
  readonly #words: Int32Array;
  readonly #keys: Int32Array;
  #keysUsed = MOST_FRAMES_A_TASK;
  #misses = 0;
  #chunkOffset = 0;

  constructor(kernel: FrameKernel, takeFrames: (task: number) => number, keys: MaskingKeys) {
    this.#kernel = kernel;
    this.#takeFrames = takeFrames;
    this.#maskingKeys = keys;
    this.#words = new Int32Array(kernel.buffer, TASK, 10);
    this.#keys = new Int32Array(kernel.buffer, KEYS, MOST_FRAMES_A_TASK);
    const tables = kernel.bytes.subarray(TABLES, TABLES + 3 * 256);
    for (let at = 0; at < 512; at += 256) {
      tables[at + 0x81] = ASCII;
      tables[at + 0x82] = tables[at + 0x89] = tables[at + 0x8a] = ANY;
    }
    tables[256 + 0xc1] = tables[256 + 0xc2] = ANY;
  }

  /** Which table suits a session: offset into the kernel's memory. */
  tableFor(extensions: NegotiatedExtensions, options: { readonly inflates: boolean }): number {
    if (extensions === 'none' || (extensions === 'permessage-deflate' && options.inflates)) return TABLES;
    // With an extension that nobody knows, no frame is.
    return extensions === 'permessage-deflate' ? TABLES + 256 : NOTHING_ORDINARY;
  }

  /** @param chunk.shift how far behind each byte of the read area its copy goes, under a fresh key; null: no copies */
  beginChunk(chunk: {
    readonly table: number;
    readonly length: number;
    readonly shift: number | null;
    /** Stream offset of its first byte. */
    readonly offset: number;
  }): void {
    const words = this.#words;
    words[Word.End] = chunk.length;
    words[Word.Table] = chunk.table;
    words[Word.Shift] = chunk.shift ?? 0;
    words[Word.MaskBit] = chunk.shift === null ? 0 : 0x80;
    this.#misses = 0;
    this.#chunkOffset = chunk.offset;
  }

  /** Takes what is ordinary from the scanner's position on, records it, and sets the scanner behind it. */
  take(scanner: FrameScanner, recorder: Recorder): void {
    const most = Math.min(recorder.runRoom, MOST_FRAMES_A_TASK);
    if (this.#misses >= MOST_MISSES || most <= 0 || !scanner.betweenMessages) return;
    const { bytes } = this.#kernel;
    const words = this.#words;
    const rekeys = words[Word.MaskBit] !== 0;
    const start = scanner.position;
    words[Word.Position] = start;
    words[Word.Lines] = LINES_END;
    words[Word.Most] = most;
    words[Word.Keys] = 0;
    if (rekeys) this.#giveKeys(words, most);
    const count = this.#takeFrames(TASK);
    if (count === 0) {
      this.#misses++;
      return;
    }
    this.#misses = 0;
    if (rekeys) this.#keysUsed += count;
    if (count === 1) {
      // A row of its own is smaller than a run of one.
      scanner.next(bytes, words[Word.End] as number);
      recorder.record(scanner);
      return;
    }
    const end = words[Word.Position] as number;
    const lines = bytes.subarray(LINES_END - linesForFrames(count) * ROW_BYTES, LINES_END);
    const payloadBytes = end - start - (words[Word.HeaderBytes] as number);
    const controls = (words[Word.EightControls] as number) >> 3;
    recorder.recordRun({ count, controls, start, end, payloadBytes, lines }, this.#chunkOffset);
    scanner.skipTo(end);
  }

  /** Keys that no frame has had. */
  #giveKeys(words: Int32Array, most: number): void {
    if (this.#keysUsed >= MOST_FRAMES_A_TASK - 64) {
      this.#maskingKeys.fill(this.#keys);
      this.#keysUsed = 0;
    }
    words[Word.Keys] = KEYS + this.#keysUsed * 4;
    words[Word.Most] = Math.min(most, MOST_FRAMES_A_TASK - this.#keysUsed);
  }
}
