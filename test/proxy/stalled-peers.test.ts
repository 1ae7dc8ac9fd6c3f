import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { StalledPeers } from '../../src/proxy/stalled-peers.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function peer() {
  return { stalled: true, hasBeenReset: false, resetWhileStalled: vi.fn<() => void>() };
}

describe('stalled peers', () => {
  it('are told of their reset once, well within a second', () => {
    const peers = new StalledPeers();
    const one = peer();
    const other = peer();
    peers.watch(one);
    peers.watch(other);
    vi.advanceTimersByTime(5_000);
    one.hasBeenReset = true;
    vi.advanceTimersByTime(200);
    expect(one.resetWhileStalled).toHaveBeenCalledOnce();
    vi.advanceTimersByTime(5_000);
    expect(one.resetWhileStalled).toHaveBeenCalledOnce();
    expect(other.resetWhileStalled).not.toHaveBeenCalled();
  });

  it('are let go when they are read again, and no timer is left', () => {
    const peers = new StalledPeers();
    const one = peer();
    peers.watch(one);
    peers.watch(one);
    expect(vi.getTimerCount()).toBe(1);
    one.stalled = false;
    vi.advanceTimersByTime(200);
    expect(vi.getTimerCount()).toBe(0);
    one.hasBeenReset = true;
    vi.advanceTimersByTime(1_000);
    expect(one.resetWhileStalled).not.toHaveBeenCalled();
    one.stalled = true;
    peers.watch(one);
    vi.advanceTimersByTime(200);
    expect(one.resetWhileStalled).toHaveBeenCalledOnce();
  });
});
