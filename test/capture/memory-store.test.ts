import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../../src/capture/memory-store.ts';
import { ModelSession } from '../helpers/capture-model.ts';
import { encode } from '../helpers/wire-frames.ts';
import { describeStore } from './store-contract.ts';

let nowUs = 1_700_000_000_000_000;
const make = (budgetBytes: number, freed?: (bytes: number) => void): MemoryStore =>
  new MemoryStore({ budgetBytes, payloadLimitBytes: 1 << 20, clock: () => ++nowUs, ...(freed && { freed }) });

// As slow as can be: of what is deleted, one segment goes in a turn.
describeStore(
  'the store in memory',
  (options) => new MemoryStore({ ...options, clock: () => ++nowUs, compactionSliceMs: 0 }),
);

const collectGarbage = ((): (() => void) => {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
})();
async function heldBytes(): Promise<number> {
  // What tests before this one had is let go after a turn, and freed when the next collection begins.
  for (let i = 0; i < 3; i++) {
    await nextTurn();
    collectGarbage();
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const DOWN = 'server-to-client';
const frame = (length: number): Buffer => encode({ opcode: 2, payload: Buffer.alloc(length) });
const headers = [['User-Agent', 'x'.repeat(400)]] as const;
const handshake = {
  clientRequest: { method: 'GET', target: '/', httpVersion: '1.1', headers },
  serverResponse: { httpVersion: '1.1', status: 101, reason: 'Switching Protocols', headers },
};
function openSession(store: MemoryStore): void {
  const record = store.openSession({ url: 'wss://a.test/', mode: 'connect', client: { address: '::1', port: 9 } });
  record.update({ handshake });
  record.opened();
}
function endedSession(store: MemoryStore, options: { readonly frames: boolean }): void {
  const session = new ModelSession(store);
  session.record.update({ handshake });
  if (options.frames) for (const way of [DOWN, 'client-to-server'] as const) session.write(way, frame(20));
  session.record.closeFrame('client', { code: 1000, reason: '', frameIndex: 0 });
  session.close();
}

describe('the memory of the store', () => {
  for (const [what, addSession] of [
    ['sessions that have ended', (store) => endedSession(store, { frames: false })],
    ['sessions that have ended, with frames', (store) => endedSession(store, { frames: true })],
    ['sessions that are open', openSession],
  ] as const satisfies (readonly [string, (store: MemoryStore) => void])[]) {
    it(`is counted in full: ${what}`, async () => {
      const store = make(512 << 20);
      const sessions = 20_000;
      for (let i = 0; i < 100; i++) addSession(store);
      const [held, used] = [await heldBytes(), store.usedBytes];
      for (let i = 0; i < sessions; i++) addSession(store);
      const [more, counted] = [(await heldBytes()) - held, store.usedBytes - used];
      expect(more / sessions).toBeLessThan((counted / sessions) * 1.1);
      expect(counted / sessions).toBeLessThan((more / sessions) * 1.4);
      expect(store.status().sessions).toBe(sessions + 100);
    });
  }

  it('of a session that has ended is a few hundred bytes of heap: the rest lies outside', async () => {
    const store = make(512 << 20);
    for (let i = 0; i < 100; i++) endedSession(store, { frames: false });
    await heldBytes();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < 20_000; i++) endedSession(store, { frames: false });
    await heldBytes();
    expect((process.memoryUsage().heapUsed - before) / 20_000).toBeLessThan(250);
    expect(store.status().sessions).toBe(20_100);
  });

  it('goes with a clear: an emptied store costs what a new one does, and tells what it let go', () => {
    let freed = 0;
    const store = make(64 << 20, (bytes) => (freed += bytes));
    const empty = store.usedBytes;
    const session = new ModelSession(store);
    for (let i = 0; i < 300; i++) session.write(DOWN, frame(100_000));
    session.close();
    for (let i = 0; i < 3000; i++) endedSession(store, { frames: true });
    store.frames(session.id, 0, 1000);
    const full = store.usedBytes;
    expect(full).toBeGreaterThan(empty + (32 << 20));
    store.clear();
    // A block of texts that is begun stays, and so do the names of texts.
    expect(store.usedBytes - empty).toBeLessThan(1.2 * (1 << 20));
    expect(freed).toBeGreaterThan(0.95 * (full - store.usedBytes));
    expect(store.log.segments).toHaveLength(1);
  });

  it('is used again while the capture goes round: nothing is let go', () => {
    let freed = 0;
    const store = make(8 << 20, (bytes) => (freed += bytes));
    const session = new ModelSession(store);
    for (let i = 0; i < 2000; i++) session.write(DOWN, frame(30_000));
    expect(store.status().evicted.frames).toBeGreaterThan(1000);
    expect(freed).toBe(0);
    expect(store.usedBytes).toBeGreaterThan(7 << 20);
  });

  it('has a part for what finds rows: it is counted, and is a sixteenth of the budget at most', () => {
    const store = make(8 << 20);
    const sessions = Array.from({ length: 4 }, () => new ModelSession(store));
    for (let i = 0; i < 60_000; i++) (sessions[i % 4] as ModelSession).write(DOWN, frame(5));
    const before = store.usedBytes;
    let most = 0;
    for (let from = 0; from < 15_000; from += 500) {
      for (const { id } of sessions) store.frames(id, from, 1);
      most = Math.max(most, store.usedBytes - before);
    }
    expect(most).toBeGreaterThan(50_000);
    expect(most).toBeLessThan((8 << 20) / 16 + 100_000);
    nowUs += 20_000_000;
    for (let i = 0; i < 60_000; i++) (sessions[i % 4] as ModelSession).write(DOWN, frame(5));
    expect(store.usedBytes).toBeLessThanOrEqual(8 << 20);
  });

  it('has its guests in it: they are asked for room, and the oldest frames go for the rest', () => {
    const store = make(8 << 20);
    const told: string[] = [];
    const guest = {
      costBytes: 0,
      makeRoom: () => void told.push('room'),
      forget: (id: string) => void told.push(id),
      forgetAll: () => void told.push('all'),
    };
    const lodging = store.admit(guest);
    const session = new ModelSession(store);
    for (let i = 0; i < 200; i++) session.write(DOWN, frame(30_000));
    expect(store.status().evicted.frames).toBe(0);
    const before = store.usedBytes;
    guest.costBytes = 3 << 20;
    expect(store.status().memory.usedBytes).toBe(before + (3 << 20));
    lodging.grown();
    expect(told).toEqual(['room']);
    expect(store.usedBytes).toBeLessThanOrEqual(8 << 20);
    expect(store.status().evicted.frames).toBeGreaterThan(0);
    session.close();
    store.deleteSession(session.id);
    store.clear();
    expect(told).toEqual(['room', session.id, 'all']);
    const withGuest = store.usedBytes;
    lodging.leave();
    expect(store.usedBytes).toBe(withGuest - (3 << 20));
  });
});
