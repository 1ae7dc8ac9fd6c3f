import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Deadlines } from '../../src/proxy/deadlines.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('deadlines', () => {
  it('expire each at its own time, in order, on one timer', () => {
    const deadlines = new Deadlines(100);
    const expired: string[] = [];
    deadlines.start(() => expired.push('first'));
    vi.advanceTimersByTime(60);
    deadlines.start(() => expired.push('second'));
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(40);
    expect(expired).toEqual(['first']);
    vi.advanceTimersByTime(59);
    expect(expired).toEqual(['first']);
    vi.advanceTimersByTime(2);
    expect(expired).toEqual(['first', 'second']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('that are cancelled do not expire, and those after them still do', () => {
    const deadlines = new Deadlines(100);
    const expired: string[] = [];
    const first = deadlines.start(() => expired.push('first'));
    deadlines.start(() => expired.push('second'));
    deadlines.cancel(first);
    vi.advanceTimersByTime(101);
    expect(expired).toEqual(['second']);
    deadlines.cancel(first);
  });

  it('may be started anew by one that expires', () => {
    const deadlines = new Deadlines(100);
    let rounds = 0;
    const again = (): void => {
      if (++rounds < 3) deadlines.start(again);
    };
    deadlines.start(again);
    vi.advanceTimersByTime(310);
    expect(rounds).toBe(3);
  });
});
