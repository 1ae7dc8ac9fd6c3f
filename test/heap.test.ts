import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Collector } from '../src/heap.ts';

const MIB = 2 ** 20;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('the collector', () => {
  it('collects in a turn of its own, once enough was let go', () => {
    const collect = vi.fn();
    const collector = new Collector(collect);
    for (let i = 0; i < 15; i++) collector.freed(MIB);
    vi.runAllTimers();
    expect(collect).not.toHaveBeenCalled();
    collector.freed(MIB);
    collector.freed(100 * MIB);
    expect(collect).not.toHaveBeenCalled();
    vi.runAllTimers();
    expect(collect).toHaveBeenCalledTimes(1);
  });

  it('rests between two collections, and forgets nothing that was let go meanwhile', () => {
    const collect = vi.fn();
    const collector = new Collector(collect);
    collector.freed(20 * MIB);
    vi.advanceTimersByTime(1);
    collector.freed(20 * MIB);
    vi.advanceTimersByTime(1900);
    expect(collect).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(200);
    expect(collect).toHaveBeenCalledTimes(2);
    vi.advanceTimersByTime(10_000);
    expect(collect).toHaveBeenCalledTimes(2);
  });

  it('really frees what nobody holds, also in a process that does nothing', async () => {
    vi.useRealTimers();
    const collector = new Collector();
    const before = process.memoryUsage().arrayBuffers;
    const hold = (): number => new ArrayBuffer(64 * MIB).byteLength;
    collector.freed(hold());
    await vi.waitFor(() => expect(process.memoryUsage().arrayBuffers).toBeLessThan(before + MIB), 10_000);
  });
});
