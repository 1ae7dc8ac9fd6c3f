import { createHash, randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { MemoryStore } from '../../src/capture/memory-store.ts';
import type { Direction } from '../../src/contract/frame.ts';
import { createGround, createStore, openRig, type SessionRig } from '../helpers/session-rig.ts';
import { encode } from '../helpers/wire-frames.ts';

const DIRECTIONS: readonly Direction[] = ['client-to-server', 'server-to-client'];
const PAYLOAD_BYTES = 40_000;
/** Enough to fill the systems' own buffers of both connections many times over. */
const ENOUGH_BYTES = 64 << 20;
/** What is sent on while the stalled side reads now and then. */
const MORE_BYTES = 12 << 20;
/** What one stalled session may cost us. */
const MAX_HELD_BYTES = 16 << 20;

const rigs: SessionRig[] = [];
afterEach(() => {
  for (const rig of rigs.splice(0)) rig.close();
});

const ends = (rig: SessionRig, direction: Direction): { source: Socket; target: Socket } =>
  direction === 'client-to-server'
    ? { source: rig.client, target: rig.server }
    : { source: rig.server, target: rig.client };

/** Sends frames as fast as they are taken, until told to stop; remembers what was in them. */
class Sender {
  readonly hash = createHash('sha256');
  payloadBytes = 0;
  readonly #socket: Socket;
  readonly #masked: boolean;
  readonly #payload = randomBytes(PAYLOAD_BYTES);
  #counter = 0;

  constructor(socket: Socket, direction: Direction) {
    this.#socket = socket;
    this.#masked = direction === 'client-to-server';
  }
  /** Resolves when all has been handed to the system, or when nothing more has been taken for `patienceMs`. */
  async send(total: number, patienceMs = Infinity): Promise<'sent' | 'blocked'> {
    while (this.payloadBytes < total) {
      this.#payload.writeUInt32BE(this.#counter++);
      this.hash.update(this.#payload);
      this.payloadBytes += PAYLOAD_BYTES;
      const frame = encode({ opcode: 2, payload: this.#payload, key: this.#masked ? randomBytes(4) : null });
      if (this.#socket.write(frame)) continue;
      if ((await this.#drained(patienceMs)) === 'blocked') return 'blocked';
    }
    return 'sent';
  }
  #drained(patienceMs: number): Promise<'drained' | 'blocked'> {
    return new Promise((resolve) => {
      const drained = (): void => {
        clearTimeout(timer);
        resolve('drained');
      };
      const timer = Number.isFinite(patienceMs)
        ? setTimeout(() => {
            this.#socket.off('drain', drained);
            resolve('blocked');
          }, patienceMs)
        : undefined;
      this.#socket.once('drain', drained);
    });
  }
}

/** Unmasks and hashes the payloads of frames of one length as they come, without keeping them. */
class Receiver {
  readonly hash = createHash('sha256');
  payloadBytes = 0;
  readonly #waiting: { readonly total: number; readonly resolve: () => void }[] = [];
  #held: Buffer[] = [];
  #heldLength = 0;

  constructor(socket: Socket, direction: Direction) {
    const frameLength = 4 + (direction === 'client-to-server' ? 4 : 0) + PAYLOAD_BYTES;
    socket.on('data', (chunk: Buffer) => {
      this.#held.push(chunk);
      this.#heldLength += chunk.length;
      if (this.#heldLength < frameLength) return;
      const bytes = Buffer.concat(this.#held);
      let at = 0;
      for (; bytes.length - at >= frameLength; at += frameLength) this.#take(bytes.subarray(at, at + frameLength));
      this.#held = [bytes.subarray(at)];
      this.#heldLength = bytes.length - at;
      for (const { resolve } of this.#waiting.filter(({ total }) => total <= this.payloadBytes)) resolve();
    });
  }
  #take(frame: Buffer): void {
    const start = frame.length - PAYLOAD_BYTES;
    if (frame.readUInt16BE(0) >> 8 !== 0x82) throw new Error('no frame starts here');
    const payload = frame.subarray(start);
    if (start === 8) for (let i = 0; i < payload.length; i++) payload[i]! ^= frame[4 + (i & 3)] as number;
    this.hash.update(payload);
    this.payloadBytes += payload.length;
  }
  received(total: number): Promise<void> {
    if (this.payloadBytes >= total) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ total, resolve }));
  }
}

for (const [legs, tls] of [
  ['plain', false],
  ['TLS', true],
] as const) {
  for (const direction of DIRECTIONS) {
    describe(`a side that stops reading: ${direction}, ${legs} legs`, () => {
      it('stops the other; on resume all arrives unaltered while others use the same memory', async () => {
        const store = createStore({ budgetBytes: 1 << 20, payloadLimitBytes: 1 << 20 });
        const ground = createGround(store);
        const stalled = await Promise.all([1, 2, 3].map(() => openRig({ store, ground, tls })));
        const busy = await Promise.all([true, false].map((overTls) => openRig({ store, ground, tls: overTls })));
        rigs.push(...stalled, ...busy);

        // Others write and are read all the time, in both directions, so that every area and segment is used again.
        let stop = false;
        const traffic = busy.flatMap((rig) =>
          DIRECTIONS.map(async (way) => {
            const { source, target } = ends(rig, way);
            const sender = new Sender(source, way);
            const receiver = new Receiver(target, way);
            target.resume();
            for (let total = 1 << 20; !stop; total += 1 << 20) {
              await sender.send(total);
              await receiver.received(sender.payloadBytes);
            }
            return { sender, receiver };
          }),
        );

        const lines = stalled.map((rig) => {
          const { source, target } = ends(rig, direction);
          target.pause();
          return { rig, target, sender: new Sender(source, direction) };
        });
        const before = process.memoryUsage();
        const outcomes = await Promise.all(lines.map(({ sender }) => sender.send(ENOUGH_BYTES, 1000)));
        expect(outcomes).toEqual(lines.map(() => 'blocked'));
        const accepted = lines.map(({ sender }) => sender.payloadBytes);
        // What the systems' socket buffers hold on both connections is in it, and is not ours.
        for (const bytes of accepted) expect(bytes).toBeLessThan(MAX_HELD_BYTES + (8 << 20));
        expect(process.memoryUsage().arrayBuffers - before.arrayBuffers).toBeLessThan(3 * MAX_HELD_BYTES);
        expect(store.usedBytes).toBeLessThan(16 << 20);
        const recycledBefore = store.status().evicted.frames;

        const receivers = lines.map(({ target }) => new Receiver(target, direction));
        // Again and again: stop in the middle of what is queued, go on a little later.
        const stutter = setInterval(() => {
          for (const { target } of lines) {
            if (target.isPaused()) target.resume();
            else target.pause();
          }
        }, 20);
        await Promise.all(lines.map(({ sender }) => sender.send(sender.payloadBytes + MORE_BYTES / 4)));
        clearInterval(stutter);
        for (const { target } of lines) target.resume();
        const rest = await Promise.all(lines.map(({ sender }) => sender.send(sender.payloadBytes + MORE_BYTES)));
        expect(rest).toEqual(lines.map(() => 'sent'));
        await Promise.all(
          receivers.map((receiver, i) => receiver.received((lines[i] as (typeof lines)[0]).sender.payloadBytes)),
        );
        for (const [i, receiver] of receivers.entries()) {
          expect(receiver.payloadBytes).toBe(lines[i]?.sender.payloadBytes);
          expect(receiver.hash.digest('hex')).toBe(lines[i]?.sender.hash.digest('hex'));
        }
        stop = true;
        for (const { sender, receiver } of await Promise.all(traffic)) {
          expect(receiver.hash.digest('hex')).toBe(sender.hash.digest('hex'));
          expect(receiver.payloadBytes).toBeGreaterThan(1 << 20);
        }
        expect(store.status().evicted.frames).toBeGreaterThan(recycledBefore + 100);
        expect(store.usedBytes).toBeLessThanOrEqual(1 << 20);
      }, 60_000);
    });
  }
}

describe('a busy peer over TLS', () => {
  it('whose queue is never empty holds no more memory than what waits', async () => {
    const store = new MemoryStore({ budgetBytes: 1 << 20, payloadLimitBytes: 1 << 20, clock: () => Date.now() * 1000 });
    const rig = await openRig({ store, ground: createGround(store), tls: true });
    rigs.push(rig);
    const receiver = new Receiver(rig.client, 'server-to-client');
    rig.client.resume();
    const sender = new Sender(rig.server, 'server-to-client');
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, store.usedBytes);
    }, 1);
    await sender.send(200 << 20);
    await receiver.received(sender.payloadBytes);
    clearInterval(watch);
    expect(receiver.hash.digest('hex')).toBe(sender.hash.digest('hex'));
    expect(most).toBeLessThan(4 << 20);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 << 20);
  }, 60_000);
});
