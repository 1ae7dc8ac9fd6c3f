import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type StalledPeer, StalledPeers } from '../../src/proxy/stalled-peers.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function peer() {
  const watched: StalledPeer['watched'] = null;
  return { stalled: true, hasBeenReset: false, watched, resetWhileStalled: vi.fn<() => void>() };
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

  it('are asked nothing more when they were let go', () => {
    const peers = new StalledPeers();
    const one = peer();
    const other = peer();
    for (const each of [one, other]) peers.watch(each);
    peers.letGo(one);
    peers.letGo(one);
    one.hasBeenReset = other.hasBeenReset = true;
    vi.advanceTimersByTime(200);
    expect(one.resetWhileStalled).not.toHaveBeenCalled();
    expect(other.resetWhileStalled).toHaveBeenCalledOnce();
    expect(vi.getTimerCount()).toBe(0);
  });
});
