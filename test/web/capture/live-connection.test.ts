import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { LiveMessage } from '../../../src/contract/live.ts';
import { LiveConnection, type LiveState } from '../../../web/src/capture/live-connection.ts';
import { RowStore } from '../../../web/src/capture/row-store.ts';
import { fakeFrame } from '../mock-capture.ts';
import { missingIn } from '../rows.ts';
import { FakeLiveServer } from './fake-live-server.ts';

function rig() {
  const server = new FakeLiveServer();
  const rows = new RowStore(100_000);
  const epochs: { epoch: string; restarted: boolean }[] = [];
  const messages: LiveMessage[] = [];
  const states: LiveState[] = [];
  const connection = new LiveConnection(server.open, {
    onEpoch: (epoch, { restarted }) => {
      epochs.push({ epoch, restarted });
      rows.clear();
    },
    onMessage: (message) => messages.push(message),
    onBatch: (batch) => rows.applyBatch(batch, 1),
    onState: (state) => states.push(state),
    isRefused: () => Promise.resolve(server.refusing),
  });
  return { server, rows, epochs, messages, states, connection };
}

describe('the live connection', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('asks for sessions at first, and for the rows of a session once it is followed, from there on', async () => {
    const { server, connection, rows } = rig();
    server.frames = 50;
    connection.start();
    await vi.runAllTimersAsync();
    expect(server.hellos).toEqual([{ type: 'hello', epoch: null, since: 0, frames: 'none' }]);
    connection.follow(['1']);
    expect(server.hellos.at(-1)).toEqual({ type: 'hello', epoch: 'first', since: 50, frames: ['1'] });
    server.grow(20);
    expect(missingIn(rows, 0, 50)).toEqual({ from: 0, to: 50 });
    expect(missingIn(rows, 50, 70)).toBeNull();
  });

  test('cut 1,000 times while frames come, has every row once it is connected again', async () => {
    const { server, connection, rows, epochs } = rig();
    connection.start();
    await vi.runAllTimersAsync();
    connection.follow(['1']);
    let seed = 42;
    const random = (below: number): number => (seed = (seed * 1103515245 + 12345) % 2147483648) % below;
    for (let cut = 0; cut < 1000; cut += 1) {
      server.grow(random(30), 1 + random(9));
      server.cut();
      server.frames += random(20);
      await vi.advanceTimersByTimeAsync(6000);
    }
    server.grow(5);
    expect(epochs).toHaveLength(1);
    expect(rows.end).toBe(server.frames);
    expect(missingIn(rows, 0, server.frames)).toBeNull();
    for (let index = 0; index < server.frames; index += 97) {
      expect(rows.at(index)).toMatchObject({ index, seq: index + 1, bits: fakeFrame(index).bits });
    }
  });

  test('after a restart of the server starts afresh and follows nothing', async () => {
    const { server, connection, rows, epochs, states } = rig();
    connection.start();
    await vi.runAllTimersAsync();
    connection.follow(['1']);
    server.grow(30);
    server.restart();
    await vi.advanceTimersByTimeAsync(6000);
    expect(epochs).toEqual([
      { epoch: 'first', restarted: false },
      { epoch: 'first+', restarted: true },
    ]);
    expect(server.hellos.at(-1)?.frames).toBe('none');
    expect(rows.end).toBe(0);
    expect(states).toEqual(['live', 'lost', 'live']);
  });

  test('says that it is refused where the server answers and does not let it in, until it does', async () => {
    const { server, connection, states } = rig();
    connection.start();
    await vi.runAllTimersAsync();
    server.refusing = true;
    server.restart();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(states).toEqual(['live', 'lost', 'refused']);
    server.refusing = false;
    await vi.advanceTimersByTimeAsync(6000);
    expect(states).toEqual(['live', 'lost', 'refused', 'live']);
  });

  test('after a clear goes on with the same session, from the beginning of the new log', async () => {
    const { server, connection, rows, epochs } = rig();
    connection.start();
    await vi.runAllTimersAsync();
    connection.follow(['1']);
    server.grow(30);
    server.clear();
    expect(epochs.at(-1)).toEqual({ epoch: 'first+', restarted: false });
    server.grow(3);
    expect(rows.end).toBe(3);
  });

  test('waits longer from one failed attempt to the next, and five seconds at most', async () => {
    const opened: number[] = [];
    const refusing = new LiveConnection(
      () => {
        opened.push(Date.now());
        const listeners: (() => void)[] = [];
        queueMicrotask(() => listeners.forEach((listener) => listener()));
        return {
          binaryType: '',
          readyState: 3,
          addEventListener: (type: string, listener: never) => {
            if (type === 'close') listeners.push(listener);
          },
          send: () => undefined,
          close: () => undefined,
        };
      },
      {
        onEpoch: () => undefined,
        onMessage: () => undefined,
        onBatch: () => undefined,
        onState: () => undefined,
        isRefused: () => Promise.resolve(false),
      },
    );
    refusing.start();
    await vi.advanceTimersByTimeAsync(30_000);
    refusing.stop();
    const waits = opened.slice(1).map((at, i) => at - (opened[i] ?? 0));
    expect(waits.slice(0, 6)).toEqual([250, 500, 1000, 2000, 4000, 5000]);
    expect(Math.max(...waits)).toBe(5000);
  });
});
