import type { Socket } from 'node:net';
import type { Recorder } from '../capture/recorder.ts';
import type { Segment } from '../capture/segment.ts';
import { Opcode } from '../contract/frame.ts';
import type { ClosePayload } from '../protocol/closing.ts';
import type { CompressedChecker, CompressedFailure } from '../protocol/compressed-checker.ts';
import { type FrameScanner, type NegotiatedExtensions, Scan } from '../protocol/frame-scanner.ts';
import { rotateKey, swapKey } from '../protocol/mask.ts';
import type { PayloadChecker } from '../protocol/payload-checker.ts';
import type { HeldBytes } from '../protocol/waiting-bytes.ts';
import type { FrameHold } from './frame-hold.ts';
import { createFrameKernel, type FrameKernel, PLAIN_AREA, READ_BYTES, WriteAreas } from './frame-kernel.ts';
import { MaskingKeys } from './masking-keys.ts';
import { NOTHING_ORDINARY, OrdinaryFrames } from './ordinary-frames.ts';
import { RecordGather } from './record-gather.ts';

/** More of them than this, and what a slow peer is sent is copied instead of pinned in the log. */
const MOST_WAITING_WRITES = 8;

const NOTHING = Buffer.alloc(0);

/** What all relays share. */
export interface RelayGround {
  readonly kernel: FrameKernel;
  readonly areas: WriteAreas;
  readonly keys: MaskingKeys;
  readonly held: HeldBytes;
  readonly gather: RecordGather;
  /** Null where the kernel has no `takeFrames`. */
  readonly ordinary: OrdinaryFrames | null;
}

export function createRelayGround(
  kernel: FrameKernel = createFrameKernel(),
  keys: MaskingKeys = new MaskingKeys(),
): RelayGround {
  const ordinary = kernel.takeFrames === null ? null : new OrdinaryFrames(kernel, kernel.takeFrames, keys);
  return { kernel, areas: new WriteAreas(), keys, held: { total: 0 }, gather: new RecordGather(kernel), ordinary };
}

/** What a relay tells its session. */
export interface RelayListener {
  /** A close frame has passed. */
  closeFramePassed(relay: Relay, close: ClosePayload): void;
  /** A violation (bits of contract/violations.ts); true: forward nothing of this frame, and `stopped` follows. */
  violated(relay: Relay, bits: number): boolean;
  /** A compressed message is refused (strict sessions only): `stopped` follows. */
  refused(relay: Relay, failure: CompressedFailure): void;
  /** A violation ended the forwarding; everything before it has been written. */
  stopped(relay: Relay): void;
  /** The target does not take what it was sent: the source is read no further until it does. */
  stalled(relay: Relay): void;
}

/** A write that the target has not taken yet, and the memory that it reads from. */
interface Waiting {
  /** How many bytes had been written to the target when it was. */
  readonly end: number;
  /** A write area, or none. */
  readonly area: number | null;
  /** A pinned segment, or none. */
  readonly segment: Segment | null;
}

/**
 * One direction of a session: takes chunks that lie in the kernel's read area, has their frames recorded, and writes
 * them to the other leg in the same turn, one write a chunk. Only a header that is not whole waits for its rest.
 *
 * Who owns the bytes: the read area only until `receive` returns. Server to client, what is written is the capture's
 * own copy, pinned while it waits. Client to server, every masked frame gets a fresh key on its way into a write area,
 * which is the socket's until it has been written. No more is read while a peer does not take what it was sent.
 */
export class Relay {
  /** Bytes received. */
  streamOffset = 0;
  readonly scanner: FrameScanner;
  readonly recorder: Recorder;
  readonly #ground: RelayGround;
  readonly #rekeys: boolean;
  readonly #listener: RelayListener;
  readonly #checker: PayloadChecker;
  readonly #compressed: CompressedChecker | null;
  readonly #hold: FrameHold | null;
  /** Which frames are ordinary here: see ordinary-frames.ts. */
  readonly #table: number;
  readonly #source: Socket;
  readonly #target: Socket;
  /** Bytes that may wait in the target before the source is stopped. */
  readonly #waitLimitBytes: number;
  #resumeAtBytes = 0;
  #paused = false;
  /** In the order in which they were written. */
  readonly #waiting: Waiting[] = [];
  #writtenBytes = 0;
  #newKey = 0;
  /** Forwarding is over: the source has ended or the session was failed. */
  #stopped = false;
  /** It was over inside a frame. */
  #endsInside = false;

  constructor(options: {
    readonly ground: RelayGround;
    /** Masked frames get a fresh key: client to server. */
    readonly rekeys: boolean;
    readonly extensions: NegotiatedExtensions;
    readonly scanner: FrameScanner;
    readonly recorder: Recorder;
    readonly checker: PayloadChecker;
    /** Inflates what passes: strict sessions with permessage-deflate only. */
    readonly compressed: CompressedChecker | null;
    /** Keeps frames back until they are whole: strict sessions only. */
    readonly hold?: FrameHold | null;
    readonly listener: RelayListener;
    readonly source: Socket;
    readonly target: Socket;
    readonly waitLimitBytes: number;
  }) {
    this.#ground = options.ground;
    this.#rekeys = options.rekeys;
    this.scanner = options.scanner;
    this.recorder = options.recorder;
    this.#listener = options.listener;
    this.#checker = options.checker;
    this.#compressed = options.compressed;
    this.#hold = options.hold ?? null;
    const inflates = options.compressed !== null;
    this.#table = options.ground.ordinary?.tableFor(options.extensions, { inflates }) ?? 0;
    this.#source = options.source;
    this.#target = options.target;
    this.#waitLimitBytes = options.waitLimitBytes;
    this.#resumeAtBytes = options.waitLimitBytes >> 2;
  }

  /** Takes bytes that lie anywhere, in pieces that fit the read area. */
  receiveElsewhere(chunk: Uint8Array): void {
    const { bytes } = this.#ground.kernel;
    for (let at = 0; at < chunk.length; at += READ_BYTES) {
      const piece = chunk.subarray(at, at + READ_BYTES);
      bytes.set(piece);
      this.receive(piece.length);
    }
  }

  /** Takes the first `length` bytes of the read area. */
  receive(length: number): void {
    if (this.#stopped) return;
    const { kernel } = this.#ground;
    const segment = this.recorder.keepChunk(kernel.bytes, length, this.scanner);
    const offset = this.recorder.keptOffset;
    if (segment !== null) segment.pins++;
    this.scanner.begin(this.streamOffset);
    this.streamOffset += length;
    if (this.#rekeys || this.scanner.heldHeaderBytes > 0) {
      this.#copy(length);
      if (segment !== null) segment.pins--;
    } else this.#pass(length, segment, offset);
    this.recorder.endChunk(this.scanner);
  }

  /** The bytes stay as they are; written from the capture's copy where there is one. */
  #pass(length: number, segment: Segment | null, offset: number): void {
    const { scanner, recorder } = this;
    const { kernel } = this.#ground;
    let cut = length;
    this.#beginChunk(length, null);
    for (let scan = this.#next(length); scan !== Scan.End; scan = this.#next(length)) {
      recorder.record(scanner);
      if (this.#inspect(-1)) {
        cut = Math.max(0, this.#faultOffset(length));
        this.#stop();
        break;
      }
    }
    if (!this.#stopped) cut -= scanner.heldHeaderBytes;
    if (this.#hold !== null) {
      this.#passHeld(this.#hold, kernel.bytes.subarray(0, cut), length);
      if (segment !== null) segment.pins--;
    } else if (segment === null || recorder.log.waitingWrites >= MOST_WAITING_WRITES) {
      this.#write(Buffer.from(kernel.bytes.subarray(0, cut)));
      if (segment !== null) segment.pins--;
    } else if (!this.#write(Buffer.from(segment.buffer, offset, cut))) this.#wait({ area: null, segment });
    else segment.pins--;
    if (this.#stopped) this.#listener.stopped(this);
  }

  /** The frames are copied, behind what waited of a header, with fresh keys where they get them. */
  #copy(length: number): void {
    const { scanner, recorder } = this;
    const { kernel, areas } = this.#ground;
    const area = areas.next;
    const { bytes } = kernel;
    const waited = scanner.heldHeaderBytes;
    /** Where the byte at offset 0 of the read area goes. */
    const target = area + waited;
    let end = target + length;
    this.#beginChunk(length, target);
    for (let scan = this.#next(length); scan !== Scan.End; scan = this.#next(length)) {
      recorder.record(scanner);
      const start = scanner.payloadStart;
      let high = 0;
      if (scan === Scan.Piece) {
        if (scanner.begins) this.#writeHeader(target + start);
        high = this.#writePayload(target, start, scanner.payloadEnd - start);
      }
      if (this.#inspect(high)) {
        end = target + this.#faultOffset(length);
        this.#stop();
        break;
      }
    }
    if (!this.#stopped) end -= scanner.heldHeaderBytes;
    if (this.#hold !== null) this.#passHeld(this.#hold, bytes.subarray(area, end), length + waited);
    else if (area === areas.spare) this.#write(Buffer.from(bytes.subarray(area, end)));
    else if (!this.#write(Buffer.from(kernel.buffer, area, end - area))) {
      areas.take();
      this.#wait({ area, segment: null });
    }
    if (this.#stopped) this.#listener.stopped(this);
  }

  #beginChunk(length: number, shift: number | null): void {
    // Without a key to change, what is copied goes the long way: the rest of a header came with it, and it is rare.
    const table = shift === null || this.#rekeys ? this.#table : NOTHING_ORDINARY;
    this.#ground.ordinary?.beginChunk({ table, length, shift, offset: this.streamOffset - length });
  }

  /** Takes what is ordinary at a stroke, then goes to the next piece of what is not. */
  #next(length: number): Scan {
    const { scanner } = this;
    this.#ground.ordinary?.take(scanner, this.recorder);
    return scanner.next(this.#ground.kernel.bytes, length);
  }

  /**
   * Writes what a strict session may write of a chunk's bytes.
   * @param length how long they would be, had the session not been failed by them
   */
  #passHeld(hold: FrameHold, bytes: Uint8Array, length: number): void {
    const { scanner } = this;
    if (this.#stopped) {
      const kept = hold.flush();
      // A frame that was kept back has not begun for the target.
      if (this.#endsInside && kept.length > 0) this.#endsInside = false;
      else this.#write(Buffer.concat([kept, bytes]));
      return;
    }
    const start = length - (this.streamOffset - scanner.streamOffset);
    const goesOn = start < 0 && scanner.inFrame;
    if (goesOn && hold.holds && hold.keep(bytes)) return;
    const kept = hold.flush();
    const begins = !goesOn && this.#mayTurnOutWrong() && hold.begin(scanner.headerLength + scanner.payloadLength);
    const keeps = begins && hold.keep(bytes.subarray(start));
    if (begins && !keeps) hold.flush();
    const passing = keeps ? bytes.subarray(0, start) : bytes;
    this.#write(kept.length === 0 ? Buffer.from(passing) : Buffer.concat([kept, passing]));
  }

  /** Whether bytes that are still to come can be what fails the frame that the scanner is in. */
  #mayTurnOutWrong(): boolean {
    const { scanner } = this;
    if (!scanner.inFrame) return false;
    const opcode = scanner.byte0 & 0x0f;
    if (opcode > 2) return opcode === Opcode.Close;
    return scanner.messageOpcode !== Opcode.Binary || scanner.messageCompressed;
  }

  /** Nothing is forwarded of the piece that the scanner stands at, nor of what follows. */
  #stop(): void {
    this.#stopped = true;
    this.#endsInside = !this.scanner.begins;
  }

  /** Where in the chunk the piece starts that the scanner stands at; below 0 where its header started before. */
  #faultOffset(length: number): number {
    const { scanner } = this;
    return scanner.begins ? scanner.streamOffset - (this.streamOffset - length) : scanner.payloadStart;
  }

  /** Copies the frame's header to end at `end`, with a fresh key in it where it has one. */
  #writeHeader(end: number): void {
    const { scanner } = this;
    const { bytes } = this.#ground.kernel;
    const { headerLength } = scanner;
    const from = scanner.payloadStart - headerLength;
    const header = from >= 0 ? bytes : scanner.heldHeader;
    const rekeyed = this.#rekeys && (scanner.byte1 & 0x80) !== 0;
    const copied = rekeyed ? headerLength - 4 : headerLength;
    let at = end - headerLength;
    for (let i = from >= 0 ? from : 0, stop = i + copied; i < stop; i++) bytes[at++] = header[i] as number;
    if (!rekeyed) return;
    const key = this.#ground.keys.next();
    this.#newKey = key;
    bytes[at] = key;
    bytes[at + 1] = key >>> 8;
    bytes[at + 2] = key >>> 16;
    bytes[at + 3] = key >>> 24;
  }

  /** Copies a piece of payload under the frame's new key; not 0 where an unmasked byte is above 0x7f. */
  #writePayload(target: number, start: number, length: number): number {
    const { scanner } = this;
    const { kernel } = this.#ground;
    if (length === 0) return 0;
    if ((scanner.byte1 & 0x80) === 0) return kernel.remask(start, target + start, length, 0, 0);
    const shift = (scanner.payloadDone & 3) << 3;
    const key = turn(swapKey(scanner.maskingKey), shift);
    const change = this.#rekeys ? key ^ turn(this.#newKey, shift) : 0;
    return kernel.remask(start, target + start, length, change, key);
  }

  /**
   * Looks at the piece that the scanner stands at. `high`: 0 where no unmasked byte is above 0x7f, -1 unknown.
   * @returns true where the session is failed by it
   */
  #inspect(high: number): boolean {
    const { scanner } = this;
    let bits = scanner.begins ? scanner.violations : 0;
    if (this.#checker.concerns(scanner)) bits |= this.#inspectPayload(high);
    if (bits !== 0 && this.#listener.violated(this, bits)) return true;
    return this.#compressed !== null && this.#inspectCompressed(this.#compressed);
  }

  #inspectCompressed(compressed: CompressedChecker): boolean {
    if (!compressed.concerns(this.scanner)) return false;
    const failure = compressed.check(this.scanner, this.#plainBytes());
    if (failure !== null) this.#listener.refused(this, failure);
    return failure !== null;
  }

  #inspectPayload(high: number): number {
    const { scanner } = this;
    if (this.#checker.acceptsAscii(scanner)) {
      const masked = (scanner.byte1 & 0x80) !== 0;
      const { payloadStart, payloadEnd } = scanner;
      const above = high < 0 && !masked ? this.#ground.kernel.highBits(payloadStart, payloadEnd - payloadStart) : high;
      if (above === 0) return 0;
    }
    const bits = this.#checker.check(scanner, this.#plainBytes());
    if (bits !== 0) this.recorder.violate(bits);
    if (this.#checker.close !== null) this.#listener.closeFramePassed(this, this.#checker.close);
    return bits;
  }

  /** The unmasked bytes of the piece that the scanner stands at, until the next piece. */
  #plainBytes(): Uint8Array {
    const { scanner } = this;
    const { kernel } = this.#ground;
    const length = scanner.payloadEnd - scanner.payloadStart;
    const key = swapKey(rotateKey(scanner.maskingKey, scanner.payloadDone));
    kernel.remask(scanner.payloadStart, PLAIN_AREA, length, key, 0);
    return kernel.bytes.subarray(PLAIN_AREA, PLAIN_AREA + length);
  }

  /** @returns false where some of it has to wait: then nobody may write over it until it has been released */
  #write(bytes: Uint8Array): boolean {
    if (bytes.length === 0) return true;
    const target = this.#target;
    this.#writtenBytes += bytes.length;
    // TLS always takes it a turn later. TCP most often at once: then nobody needs to be called in a turn of its own.
    const isLate = this.#waitLimitBytes > 0;
    if (isLate) target.write(bytes, this.#written);
    else target.write(bytes);
    const waiting = target.writableLength;
    if (waiting === 0) return true;
    if (!isLate) target.write(NOTHING, this.#written);
    if (waiting > this.#waitLimitBytes && !this.#paused) {
      this.#paused = true;
      this.#source.pause();
      this.#listener.stalled(this);
    }
    return false;
  }

  #wait(memory: { readonly area: number | null; readonly segment: Segment | null }): void {
    this.#waiting.push({ end: this.#writtenBytes, ...memory });
    if (memory.segment !== null) this.recorder.log.waitingWrites++;
  }

  /** Called for each write that had to wait when it has left the process, or has failed. */
  readonly #written = (): void => {
    const target = this.#target;
    const waiting = target.writableLength;
    // Not only when all has left: a busy TLS peer's queue may never be empty.
    this.#release(target.destroyed ? Infinity : this.#writtenBytes - waiting);
    if (this.#paused && waiting <= this.#resumeAtBytes) {
      this.#paused = false;
      this.#source.resume();
    }
  };

  /** Gives back what the first `upTo` bytes written to the target were read from. */
  #release(upTo: number): void {
    let released = 0;
    for (const { end, area, segment } of this.#waiting) {
      if (end > upTo) break;
      if (area !== null) this.#ground.areas.giveBack(area);
      if (segment !== null) {
        segment.pins--;
        this.recorder.log.waitingWrites--;
      }
      released++;
    }
    this.#waiting.splice(0, released);
  }

  /** The target has not taken enough of what it was sent: the source is stopped. */
  get paused(): boolean {
    return this.#paused;
  }

  /** The source has ended: what it left of a header goes out as it came. */
  end(): void {
    const { scanner } = this;
    if (this.#stopped) return;
    this.#stopped = true;
    this.#endsInside = scanner.inFrame || scanner.heldHeaderBytes > 0;
    if (this.#hold !== null) this.#write(this.#hold.flush());
    this.#compressed?.forget();
    if (scanner.heldHeaderBytes > 0) this.#write(Buffer.from(scanner.heldHeader.subarray(0, scanner.heldHeaderBytes)));
    this.recorder.end(scanner);
  }

  /** The proxy ends the session: nothing more is forwarded. */
  stop(): void {
    this.#stopped = true;
  }

  /** What was written so far ends with a whole frame: another may follow. */
  get atFrameBoundary(): boolean {
    if (this.#stopped) return !this.#endsInside;
    // Of a frame that is kept back nothing was written.
    return !this.scanner.inFrame || this.#hold?.holds === true;
  }

  /** Both legs are gone: nothing waits any more. */
  free(): void {
    this.#stopped = true;
    this.#hold?.flush();
    this.#compressed?.forget();
    this.#release(Infinity);
  }
}

function turn(key: number, bits: number): number {
  return bits === 0 ? key : (key >>> bits) | (key << (32 - bits));
}
