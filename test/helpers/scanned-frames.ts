import { FrameScanner, type NegotiatedExtensions, Scan } from '../../src/protocol/frame-scanner.ts';
import { violationCodes } from '../../src/contract/violations.ts';

export interface ScannedFrame {
  readonly byte0: number;
  readonly byte1: number;
  readonly maskingKey: number;
  readonly payloadLength: number;
  readonly headerLength: number;
  readonly streamOffset: number;
  readonly violations: readonly string[];
  readonly messageOpcode: number;
  readonly messageCompressed: boolean;
  /** As on the wire. */
  payload: Buffer;
  complete: boolean;
  lost: boolean;
}

/** Runs a scanner over chunks and puts the pieces of each frame together, holding the scanner to what it promises. */
export function scan(
  chunks: readonly Uint8Array[],
  options: { readonly masked?: boolean; readonly extensions?: NegotiatedExtensions } = {},
): { readonly frames: ScannedFrame[]; readonly heldHeaderBytes: number; readonly scanner: FrameScanner } {
  const scanner = new FrameScanner({ masked: options.masked ?? false, extensions: options.extensions ?? 'none' });
  const frames: ScannedFrame[] = [];
  let offset = 0;
  for (const chunk of chunks) {
    // Like the read area: bytes behind the chunk are somebody else's.
    const area = new Uint8Array(chunk.length + 32).fill(0xee);
    area.set(chunk);
    scanner.begin(offset);
    let covered = -1;
    for (let found = scanner.next(area, chunk.length); found !== Scan.End; found = scanner.next(area, chunk.length)) {
      const { payloadStart, payloadEnd, begins, ends } = scanner;
      if (payloadStart > payloadEnd || payloadEnd > chunk.length || payloadStart < Math.max(0, covered)) {
        throw new Error(`a piece from ${payloadStart} to ${payloadEnd} after ${covered} in ${chunk.length}`);
      }
      covered = payloadEnd;
      if (begins) {
        if (scanner.payloadDone !== 0) throw new Error('a frame begins with payload behind it');
        frames.push({
          byte0: scanner.byte0,
          byte1: scanner.byte1,
          maskingKey: scanner.maskingKey,
          payloadLength: scanner.payloadLength,
          headerLength: scanner.headerLength,
          streamOffset: scanner.streamOffset,
          violations: violationCodes(scanner.violations),
          messageOpcode: scanner.messageOpcode,
          messageCompressed: scanner.messageCompressed,
          payload: Buffer.alloc(0),
          complete: false,
          lost: found === Scan.Lost,
        });
      }
      const frame = frames[frames.length - 1] as ScannedFrame;
      if (frame.payload.length !== scanner.payloadDone) throw new Error('payloadDone is not what came before');
      frame.payload = Buffer.concat([frame.payload, area.subarray(payloadStart, payloadEnd)]);
      frame.complete = ends;
    }
    offset += chunk.length;
  }
  return { frames, heldHeaderBytes: scanner.heldHeaderBytes, scanner };
}
