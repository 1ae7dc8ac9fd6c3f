import { describe, expect, test } from 'vitest';
import { roundTripPoints } from '../../../web/src/heartbeat/round-trip-points.ts';

const beat = (timeS: number, rttMs: number | null) => ({ frame: 0, timeUs: timeS * 1e6, rttMs });

describe('the points of the round trips', () => {
  test('are those of answered pings by their time, each side and frames and messages apart', () => {
    const points = roundTripPoints([
      { kind: 'ping', by: 'server', beats: [beat(10, 4), beat(30, null), beat(40, 6)] },
      { kind: 'ping', by: 'client', beats: [beat(25, 9)] },
      { kind: 'message', by: 'client', beats: [beat(20, 50)] },
    ]);
    expect(points).toEqual([
      [10, 20, 25, 40],
      [null, null, 9, null],
      [4, null, null, 6],
      [null, 50, null, null],
      [null, null, null, null],
    ]);
  });
  test('have some seconds around them where there is one alone, so that its time can be read', () => {
    expect(roundTripPoints([{ kind: 'ping', by: 'client', beats: [beat(10, 4)] }])).toEqual([
      [5, 10, 15],
      [null, 4, null],
      [null, null, null],
      [null, null, null],
      [null, null, null],
    ]);
  });
  test('are none where no ping was answered', () => {
    expect(roundTripPoints([{ kind: 'ping', by: 'client', beats: [beat(10, null)] }])).toEqual([[], [], [], [], []]);
  });
});
