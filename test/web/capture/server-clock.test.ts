// @vitest-environment happy-dom
import { describe, expect, test } from 'vitest';
import { parseIsoMicros } from '../../../web/src/capture/iso-time.ts';
import { ServerClock } from '../../../web/src/capture/server-clock.ts';
import { fakeSummary } from '../mock-capture.ts';
import { toldCapture } from '../told-capture.ts';

const summary = (id: number, startedMs: number) =>
  fakeSummary(id, { frameCount: 1, firstHeldFrame: 0, seq: 1, startedMs });

describe('the time of the server', () => {
  test('is not known before a session has told of it', () => {
    expect(new ServerClock().nowUs).toBeNull();
    expect(toldCapture([]).capture.knownUntilUs).toBeNull();
  });
  test('is the newest that has come, and what has passed here since', () => {
    let nowMs = 5_000;
    const clock = new ServerClock(() => nowMs);
    clock.hear([summary(3, 60_000), summary(4, 90_000), summary(1, 0)]);
    const newest = parseIsoMicros(summary(4, 90_000).closedAt ?? '');
    expect(clock.heardUs).toBe(newest);
    nowMs += 250;
    expect(clock.nowUs).toBe(newest + 250_000);
    clock.hear([summary(3, 60_000)]);
    expect(clock.nowUs).toBe(newest + 250_000);
    clock.hear([summary(4, 100_000)]);
    expect(clock.nowUs).toBe(newest + 10_000_000);
  });
  test('stands still for a view that is paused', () => {
    const { capture, tell } = toldCapture([summary(4, 90_000)]);
    capture.pause(true);
    const paused = capture.knownUntilUs;
    tell([summary(4, 100_000)]);
    expect(capture.knownUntilUs).toBe(paused);
    capture.pause(false);
    expect(capture.knownUntilUs ?? 0).toBeGreaterThanOrEqual((paused ?? 0) + 10_000_000);
  });
});
