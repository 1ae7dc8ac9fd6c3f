import { describe, expect, test } from 'vitest';
import { isoMicros } from '../../../src/contract/time.ts';
import { sizeClass, Survey } from '../../../web/src/statistics/survey.ts';
import { fakeRow } from '../mock-capture.ts';
import { listed } from '../rows.ts';

describe('a survey', () => {
  test('adds up what the rows say, in pages of any size', () => {
    const rows = listed(0, 1000);
    const survey = new Survey();
    for (let at = 0; at < rows.length; at += 37) survey.take(rows.slice(at, at + 37));
    const up = rows.filter((row) => row.direction === 'client-to-server');
    expect(survey.up.frames).toBe(up.length);
    expect(survey.up.bytes).toBe(up.reduce((sum, row) => sum + row.payloadLength, 0));
    expect(survey.down.frames).toBe(rows.length - up.length);
    expect(survey.down.opcodes[10]).toBe(rows.filter((row) => row.opcode === 10).length);
    expect(survey.violated).toBe(rows.filter((row) => row.violations.length > 0).length);
  });
  test('keeps every frame in a timeline of bounded length, from milliseconds to weeks', () => {
    const survey = new Survey();
    const row = fakeRow(1, 0);
    const startUs = 1_700_000_000_000_000;
    const times = [0, 1000, 2_000_000, 3_600_000_000, 1_209_600_000_000];
    survey.take(times.map((at, index) => ({ ...row, index, time: isoMicros(startUs + at) })));
    const { timeline } = survey;
    const counted =
      timeline.up.reduce((sum, each) => sum + each, 0) + timeline.down.reduce((sum, each) => sum + each, 0);
    expect(counted).toBe(times.length);
    expect(timeline.length).toBeLessThanOrEqual(512);
    const bucket = Math.floor(1_209_600_000_000 / timeline.bucketUs);
    expect(timeline.firstFrame[bucket]).toBe(4);
    expect(timeline.firstFrame[0]).toBe(0);
  });
  test('sorts lengths into powers of two', () => {
    expect([0, 1, 2, 3, 4, 125, 126, 65_536].map(sizeClass)).toEqual([0, 1, 2, 2, 3, 7, 7, 17]);
  });
});
