import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameBit } from '../../src/contract/frame-bits.ts';
import { MessageAssembler, type AssembledMessage } from '../../src/protocol/message-assembler.ts';

const FIN = 0x80;
const RSV1 = 0x40;
const [CONT, TEXT, BINARY, CLOSE, PING, PONG] = [0, 1, 2, 8, 9, 10] as const;

function assemble(frames: readonly (readonly [firstByte: number, length: number])[]): {
  ended: AssembledMessage[];
  open: AssembledMessage | null;
} {
  const assembler = new MessageAssembler();
  const ended: AssembledMessage[] = [];
  for (const [index, [firstByte, length]] of frames.entries()) {
    assembler.push(firstByte | FrameBit.Complete, index, length, (message) => ended.push(message));
  }
  return { ended, open: assembler.open };
}

describe('a message assembler', () => {
  it('makes a message of one frame', () => {
    expect(assemble([[FIN | RSV1 | BINARY, 7]])).toEqual({
      ended: [
        {
          type: 'binary',
          firstFrame: 0,
          lastFrame: 0,
          frameCount: 1,
          wireLength: 7,
          rsv1: true,
          complete: true,
        },
      ],
      open: null,
    });
  });

  it('joins fragments, and lets control frames pass between them', () => {
    const { ended, open } = assemble([
      [TEXT, 3],
      [FIN | PING, 4],
      [CONT, 0],
      [FIN | PONG, 4],
      [FIN | CONT, 2],
      [FIN | CLOSE, 2],
    ]);
    expect(ended).toMatchObject([{ type: 'text', firstFrame: 0, lastFrame: 4, frameCount: 3, wireLength: 5 }]);
    expect(open).toBeNull();
  });

  it('leaves out a continuation that continues nothing', () => {
    const { ended } = assemble([
      [FIN | CONT, 3],
      [CONT, 3],
      [FIN | TEXT, 1],
    ]);
    expect(ended).toMatchObject([{ firstFrame: 2, lastFrame: 2 }]);
  });

  it('ends a fragmented message, incomplete, where another begins', () => {
    const { ended, open } = assemble([
      [TEXT, 3],
      [CONT, 1],
      [BINARY, 9],
    ]);
    expect(ended).toMatchObject([{ firstFrame: 0, lastFrame: 1, wireLength: 4, complete: false }]);
    expect(open).toMatchObject({ type: 'binary', firstFrame: 2, lastFrame: 2, complete: false });
  });

  it('leaves out frames with a reserved opcode', () => {
    const { ended } = assemble([
      [TEXT, 3],
      [FIN | 3, 3],
      [FIN | 0xb, 3],
      [FIN | CONT, 1],
    ]);
    expect(ended).toMatchObject([{ firstFrame: 0, lastFrame: 3, frameCount: 2, complete: true }]);
  });

  it('calls a message whose last frame is still arriving incomplete', () => {
    const ended: AssembledMessage[] = [];
    new MessageAssembler().push(FIN | TEXT, 0, 100, (message) => ended.push(message));
    expect(ended).toMatchObject([{ wireLength: 100, complete: false }]);
  });

  it('gives each text or binary frame to exactly one message, in order, whatever comes', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(255), fc.nat(5))), (frames) => {
        const { ended, open } = assemble(frames);
        const firsts = [...ended, ...(open === null ? [] : [open])].map((message) => message.firstFrame);
        const starts = frames.flatMap(([byte], index) => ([TEXT, BINARY].includes((byte & 15) as 1) ? [index] : []));
        expect(firsts).toEqual(starts);
      }),
    );
  });
});
