import type { Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { createGround, createStore, openRig, type SessionRig } from '../helpers/session-rig.ts';

const MIB = 1024 * 1024;
const rigs: SessionRig[] = [];
afterEach(() => rigs.splice(0).forEach((rig) => rig.close()));

/** One unmasked binary frame of a mebibyte. */
const FRAME = Buffer.concat([Buffer.from('827f0000000000100000', 'hex'), Buffer.alloc(MIB, 0x5a)]);

/** Writes until the peer takes no more, and stays there. */
async function stall(socket: Socket): Promise<void> {
  for (let before = -1; socket.bytesWritten - socket.writableLength !== before;) {
    before = socket.bytesWritten - socket.writableLength;
    if (socket.writableLength < MIB) socket.write(FRAME);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}

it('readers that have stopped do not empty the capture of everybody else', async () => {
  const store = createStore({ budgetBytes: 64 * MIB });
  const ground = createGround(store);
  const open = async (): Promise<SessionRig> => {
    const rig = await openRig({ store, ground });
    rigs.push(rig);
    return rig;
  };
  const fast = await open();
  fast.client.resume();
  const push = async (frames: number): Promise<void> => {
    for (let i = 0; i < frames; i++) {
      await new Promise((resolve) => fast.server.write(FRAME, resolve));
    }
  };
  for (let round = 0; round < 9; round++) {
    const slow = await Promise.all(Array.from({ length: 10 }, open));
    for (const { client } of slow) client.pause();
    await Promise.all(slow.map(({ server }) => stall(server)));
    await push(20);
  }
  await push(20);
  await expect.poll(() => store.session(fast.sessionId)?.frameCount).toBe(200);
  const session = store.session(fast.sessionId);
  expect(store.status().memory.usedBytes).toBeLessThanOrEqual(64 * MIB);
  expect(200 - (session?.firstHeldFrame ?? 200)).toBeGreaterThan(10);
}, 120_000);
