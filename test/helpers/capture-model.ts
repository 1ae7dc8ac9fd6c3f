import { expect } from 'vitest';
import type { CaptureReader } from '../../src/capture/capture-reader.ts';
import { Recorder, type RecorderHost } from '../../src/capture/recorder.ts';
import { SessionRecord } from '../../src/capture/session-record.ts';
import type { CaptureWriter } from '../../src/capture/session-recorder.ts';
import * as frameBits from '../../src/contract/frame-bits.ts';
import type { Direction, FrameRow } from '../../src/contract/frame.ts';
import { violationCodes } from '../../src/contract/violations.ts';
import { type NegotiatedExtensions, FrameScanner, Scan } from '../../src/protocol/frame-scanner.ts';
import { createFrameKernel, READ_BYTES, WriteAreas } from '../../src/proxy/frame-kernel.ts';
import { MaskingKeys } from '../../src/proxy/masking-keys.ts';
import { OrdinaryFrames } from '../../src/proxy/ordinary-frames.ts';
import { parse } from './wire-frames.ts';

/** What a store must be, to be held to the contract. */
export type StoreUnderTest = CaptureReader & CaptureWriter & RecorderHost;

export interface ModelFrame {
  readonly index: number;
  readonly direction: Direction;
  /** As it was received, as far as it has come. */
  bytes: Buffer;
  complete: boolean;
  /** Bytes passed while nothing was recorded. */
  holed: boolean;
}

interface ModelLine {
  readonly scanner: FrameScanner;
  readonly recorder: Recorder;
  offset: number;
  /** Bytes of a header that is not whole. */
  header: Buffer;
  open: ModelFrame | null;
}

/** One session, written as the relay writes it, with a second account of what must be held. */
export class ModelSession {
  readonly record: SessionRecord;
  frameCount = 0;
  /** Frames that began while they were recorded. */
  frames: ModelFrame[] = [];
  readonly #store: StoreUnderTest;
  readonly #lines: Readonly<Record<Direction, ModelLine>>;
  readonly #runs: boolean;
  readonly #table: number;

  /** @param options.runs frames are recorded many at a time where that can be */
  constructor(
    store: StoreUnderTest,
    options: { readonly extensions?: NegotiatedExtensions; readonly runs?: boolean } = {},
  ) {
    this.#store = store;
    this.#runs = options.runs ?? false;
    this.#table = ORDINARY.tableFor(options.extensions ?? 'none', { inflates: false });
    const record = store.openSession({
      url: 'wss://model.test/chat',
      mode: 'connect',
      client: { address: '127.0.0.1', port: 50_000 },
    });
    if (!(record instanceof SessionRecord)) throw new TypeError('no session record');
    record.opened();
    this.record = record;
    const line = (direction: Direction): ModelLine => ({
      scanner: new FrameScanner({
        masked: direction === 'client-to-server',
        extensions: options.extensions ?? 'none',
      }),
      recorder: new Recorder(store, record, direction),
      offset: 0,
      header: Buffer.alloc(0),
      open: null,
    });
    this.#lines = { 'client-to-server': line('client-to-server'), 'server-to-client': line('server-to-client') };
  }

  /** Its number in the store: 0 until it is listed. */
  get id(): string {
    return this.record.id;
  }

  /** One chunk of bytes of one direction; frames in it may begin and end anywhere. */
  write(direction: Direction, chunk: Uint8Array): void {
    const line = this.#lines[direction];
    const { scanner, recorder } = line;
    // Like the read area: used again for the next chunk.
    AREA.set(chunk);
    recorder.keepChunk(AREA, chunk.length, scanner);
    scanner.begin(line.offset);
    const runs = this.#runs && chunk.length <= READ_BYTES;
    if (runs) {
      const shift = direction === 'client-to-server' ? COPIES : null;
      ORDINARY.beginChunk({ table: this.#table, length: chunk.length, shift, offset: line.offset });
    }
    line.offset += chunk.length;
    let at = 0;
    for (;;) {
      if (runs) ORDINARY.take(scanner, recorder);
      for (const { bytes } of parse(Buffer.from(chunk.subarray(at, scanner.position))).frames) {
        this.#begin(direction, line, bytes);
        this.#end(line);
      }
      at = Math.max(at, scanner.position);
      if (scanner.next(AREA, chunk.length) === Scan.End) break;
      recorder.record(scanner);
      const piece = Buffer.from(chunk.subarray(at, scanner.payloadEnd));
      at = scanner.payloadEnd;
      this.#note(direction, line, piece);
    }
    if (scanner.heldHeaderBytes > 0) line.header = Buffer.concat([line.header, chunk.subarray(at)]);
    recorder.endChunk(scanner);
    AREA.fill(0xdd, 0, chunk.length);
  }

  #note(direction: Direction, line: ModelLine, piece: Buffer): void {
    const { scanner } = line;
    if (scanner.begins) {
      this.#begin(direction, line, Buffer.concat([line.header, piece]));
      line.header = Buffer.alloc(0);
    } else if (line.open !== null) {
      if (this.#store.recording && !line.open.holed) line.open.bytes = Buffer.concat([line.open.bytes, piece]);
      else line.open.holed = true;
    }
    if (scanner.ends) this.#end(line);
  }

  #begin(direction: Direction, line: ModelLine, bytes: Buffer): void {
    line.open = { index: this.frameCount++, direction, bytes, complete: false, holed: false };
    if (this.#store.recording) this.frames.push(line.open);
  }

  #end(line: ModelLine): void {
    if (line.open !== null) line.open.complete = true;
    line.open = null;
  }

  violate(direction: Direction, bits: number): void {
    this.#lines[direction].recorder.violate(bits);
  }

  /** Both directions end. */
  close(): void {
    for (const { recorder, scanner } of Object.values(this.#lines)) recorder.end(scanner);
    this.record.ended('client', 'fin');
    this.record.ended('server', 'fin');
    this.record.closed();
  }

  /** Forgets what it knew: the store was told to. */
  emptied(): void {
    this.frames = [];
    for (const line of Object.values(this.#lines)) if (line.open !== null) line.open.holed = true;
  }
}

const KERNEL = createFrameKernel();
const AREA = KERNEL.bytes.subarray(0, 1 << 20);
/** Where the kernel writes frames under fresh keys, which nobody here reads. */
const COPIES = new WriteAreas().next;
const ORDINARY = ordinaryFrames();

function ordinaryFrames(): OrdinaryFrames {
  if (KERNEL.takeFrames === null) throw new Error('this engine has no WebAssembly');
  return new OrdinaryFrames(KERNEL, KERNEL.takeFrames, new MaskingKeys());
}

/**
 * Holds every frame that the store gives out to what was written, byte for byte.
 * @param options.all nothing was evicted or cut: every frame must be there, whole
 */
export function expectHeld(
  store: StoreUnderTest,
  sessions: readonly ModelSession[],
  options: { readonly all?: boolean } = {},
): void {
  for (const session of sessions) {
    const rows = store.frames(session.id, 0, Infinity);
    if (rows === undefined) {
      expect(options.all).not.toBe(true);
      continue;
    }
    const byIndex = new Map(session.frames.map((frame) => [frame.index, frame]));
    if (options.all === true) expect(rows.map(({ index }) => index)).toEqual([...byIndex.keys()]);
    expect(rows.every((row, i) => i === 0 || row.index > (rows[i - 1] as FrameRow).index)).toBe(true);
    for (const row of rows) expectFrame(store, session, row, { frame: byIndex.get(row.index), ...options });
  }
}

function expectFrame(
  store: StoreUnderTest,
  session: ModelSession,
  row: FrameRow,
  { frame, all }: { readonly frame: ModelFrame | undefined; readonly all?: boolean },
): void {
  if (frame === undefined) throw new Error(`session ${session.id} has frame ${row.index}, which was never written`);
  const wire = store.frameBytes(session.id, row.index, 'wire');
  const payload = store.frameBytes(session.id, row.index, 'payload');
  if (wire === undefined || payload === undefined) throw new Error('a frame that is listed is not there');
  const bytes = Buffer.from(wire.bytes);
  if (!frame.bytes.subarray(0, bytes.length).equals(bytes)) {
    throw new Error(`session ${session.id}, frame ${row.index}: bytes that were never received`);
  }
  const headerLength = frame.bytes.length - (parse(frame.bytes).frames[0]?.payload.length ?? NaN);
  const held = Math.max(0, bytes.length - headerLength);
  if (frame.complete && !frame.holed) {
    if (all === true && !wire.whole) throw new Error(`session ${session.id}, frame ${row.index}: not whole`);
    const plain = unmasked(frame.bytes);
    if (wire.whole && !Buffer.from(payload.bytes).equals(plain)) throw new Error('the payload is another');
    if (!plain.subarray(0, payload.bytes.length).equals(payload.bytes)) throw new Error('the payload begins otherwise');
    if (payload.bytes.length !== held || row.heldBytes !== held) {
      throw new Error(`held: ${held} on the wire, ${payload.bytes.length} of the payload, ${row.heldBytes} by the row`);
    }
  }
  if (frame.holed && wire.whole) throw new Error('a frame with a hole is no whole one');
  if (row.complete !== frame.complete) throw new Error(`frame ${row.index}: complete is ${row.complete}`);
  if (row.direction !== frame.direction) throw new Error('another direction');
}

function unmasked(bytes: Buffer): Buffer {
  return parse(bytes).frames[0]?.payload ?? Buffer.alloc(0);
}

/** What a dashboard knows that reads `rowsSince` and nothing else. */
export class LiveView {
  readonly rows = new Map<string, { bits: number; violations: readonly string[]; preview: Buffer }>();
  #since = 0;

  read(store: StoreUnderTest, limit = Infinity): void {
    store.rowsSince(this.#since, limit, (row) => {
      expect(row.seq).toBeGreaterThan(this.#since);
      this.#since = row.seq;
      const preview = new Uint8Array(160);
      const length = row.copyPreview(preview, 0, 160);
      this.rows.set(`${row.session} ${row.index}`, {
        bits: row.bits,
        violations: violationCodes(row.violations),
        preview: Buffer.from(preview.subarray(0, length)),
      });
    });
  }

  /** Every frame that is held is known, and known as it is now. */
  expectCurrent(store: StoreUnderTest, sessions: readonly ModelSession[]): void {
    for (const session of sessions) {
      for (const row of store.frames(session.id, 0, Infinity) ?? []) {
        const known = this.rows.get(`${session.id} ${row.index}`);
        expect(known, `session ${session.id} frame ${row.index}`).toBeDefined();
        if (known === undefined) continue;
        expect([frameBits.complete(known.bits), known.violations]).toEqual([row.complete, row.violations]);
      }
    }
  }
}
