import { expect, it } from 'vitest';
import { MessageColumns } from '../../src/capture/message-columns.ts';
import type { AssembledMessage } from '../../src/protocol/message-assembler.ts';

const message = (firstFrame: number): AssembledMessage => ({
  type: 'text',
  firstFrame,
  lastFrame: firstFrame + 1,
  frameCount: 2,
  wireLength: firstFrame % 7 === 0 ? 2 ** 33 + firstFrame : firstFrame * 3,
  rsv1: false,
  complete: true,
});

it('columns hold what is left of a session whose messages come and go, in memory for no more than four times as many', () => {
  const columns = new MessageColumns();
  let held: { readonly position: number; readonly firstFrame: number }[] = [];
  let frame = 0;
  for (let round = 0; round < 400; round++) {
    const count = (round * 7919) % 900;
    for (let i = 0; i < count; i++, frame += 2) {
      const position = columns.append();
      columns.write(position, 'server-to-client', message(frame), false);
      if (frame % 3 === 0) columns.setInflatedLength(position, 2 ** 34 + frame);
      held.push({ position, firstFrame: frame });
    }
    // Now and then nearly everything goes.
    const from = round % 50 === 49 ? frame - 10 : Math.max(0, frame - 2 * (5000 + ((round * 104_729) % 9000)));
    columns.dropBefore(from);
    held = held.filter(({ firstFrame }) => firstFrame >= from);
    if (round === 100) {
      columns.dropBefore(frame);
      columns.startAt(columns.end + 1000);
      held = [];
    }
    expect([columns.base, columns.end]).toEqual([
      held[0]?.position ?? columns.end,
      (held.at(-1)?.position ?? columns.base - 1) + 1,
    ]);
    for (const { position, firstFrame } of held.filter((_, at) => at % 97 === 0)) {
      expect([columns.firstFrame(position), columns.lastFrame(position)]).toEqual([firstFrame, firstFrame + 1]);
      expect(columns.wireLength(position)).toBe(message(firstFrame).wireLength);
      expect(columns.inflatedLength(position)).toBe(firstFrame % 3 === 0 ? 2 ** 34 + firstFrame : null);
      expect(columns.positionBefore(firstFrame)).toBe(position);
      expect(columns.positionBefore(firstFrame - 1)).toBe(position - 1);
    }
  }
  const longOnes = held.length * 2 * 64;
  expect(columns.bytes).toBeLessThan(4 * 21 * Math.max(held.length, 1024) + longOnes + 10_000);
});

it('take some three bytes for a short message in one frame, and little more where a few are longer or in many frames', () => {
  const columns = new MessageColumns();
  for (let at = 0; at < 200_000; at++) {
    const odd = at >= 100_000 && at < 100_003;
    const wireLength = odd ? 70_000 : at % 300;
    const lastFrame = odd ? 70_000 + at : at;
    const frameCount = odd ? 40_000 : 1;
    const single = { ...message(at), wireLength, lastFrame, frameCount };
    columns.write(columns.append(), 'client-to-server', single, false);
  }
  expect(columns.bytes / 200_000).toBeLessThan(4);
  const of = (at: number) => [
    columns.firstFrame(at),
    columns.lastFrame(at),
    columns.frameCount(at),
    columns.wireLength(at),
  ];
  expect([99_999, 100_002, 100_003, 199_999].map(of)).toEqual([
    [99_999, 99_999, 1, 99],
    [100_002, 170_002, 40_000, 70_000],
    [100_003, 100_003, 1, 103],
    [199_999, 199_999, 1, 199],
  ]);
});
