import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, it } from 'vitest';
import type { Direction } from '../../src/contract/frame.ts';
import { hasBeenReset } from '../../src/proxy/connection-error.ts';
import { createScriptKernel } from '../../src/proxy/frame-kernel.ts';
import { createRelayGround } from '../../src/proxy/relay.ts';
import {
  createGround,
  createStore,
  openRig,
  readExactly,
  readToEnd,
  sendChunks,
  type SessionRig,
} from '../helpers/session-rig.ts';
import { cutAt, eachByte, encode, parse, type WireFrame } from '../helpers/wire-frames.ts';

const DIRECTIONS: readonly Direction[] = ['client-to-server', 'server-to-client'];
const LEGS = [
  ['plain', false],
  ['TLS', true],
] as const;

/** What is left where the engine has no WebAssembly. */
const SCRIPT_GROUND = createRelayGround(createScriptKernel());

const rigs: SessionRig[] = [];
afterEach(() => {
  for (const rig of rigs.splice(0)) rig.close();
});
async function open(options: Parameters<typeof openRig>[0]): Promise<SessionRig> {
  const rig = await openRig(options);
  rigs.push(rig);
  return rig;
}

/** Writes a frame the way its direction asks for, unless it says otherwise itself. */
function write(direction: Direction, frames: readonly WireFrame[]): Buffer {
  const key = (): Uint8Array | null => (direction === 'client-to-server' ? randomBytes(4) : null);
  return Buffer.concat(frames.map((frame) => encode({ key: key(), ...frame })));
}

/** What one direction was given, and what must be seen of it. */
interface Row {
  readonly what: string;
  readonly frames: readonly WireFrame[];
  /** Violations of each frame, in order; none: all clean. */
  readonly marks?: readonly (readonly string[])[];
  readonly only?: Direction;
}

const OK: readonly string[] = [];
const BAD = Buffer.of(0x61, 0xff, 0x62);
const reserved = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15];

const ROWS: readonly Row[] = [
  { what: 'text', frames: [{ opcode: 1, payload: 'Hello, wörld €' }] },
  { what: 'an empty message', frames: [{ opcode: 1 }, { opcode: 2 }] },
  { what: 'payloads at the edges of the length forms', frames: [0, 1, 125, 126, 127, 300].map((n) => ({ opcode: 2, payload: Buffer.alloc(n, n) })) },
  { what: 'a payload of 65,535 and one of 65,536 bytes', frames: [65_535, 65_536].map((n) => ({ opcode: 2, payload: randomBytes(n) })) },
  {
    what: 'fragments with control frames between them',
    frames: [
      { opcode: 1, fin: false, payload: 'one ' },
      { opcode: 9, payload: 'ping' },
      { opcode: 0, fin: false, payload: '' },
      { opcode: 10, payload: 'unasked' },
      { opcode: 0, fin: false, payload: 'two ' },
      { opcode: 9 },
      { opcode: 0, payload: '€' },
    ],
  },
  { what: 'a character cut between fragments', frames: [{ opcode: 1, fin: false, payload: Buffer.of(0xe2, 0x82) }, { opcode: 0, payload: Buffer.of(0xac) }] },
  { what: 'pings and pongs of any payload', frames: [9, 10, 9].map((opcode, i) => ({ opcode, payload: randomBytes([0, 125, 60][i] as number) })) },
  { what: 'lengths that are not minimal', frames: [{ opcode: 1, payload: 'x', lengthBits: 16 }, { opcode: 2, payload: 'y', lengthBits: 64 }, { opcode: 9, payload: 'z', lengthBits: 16 }, { opcode: 2, lengthBits: 64 }], marks: [['non-minimal-length'], ['non-minimal-length'], ['non-minimal-length'], ['non-minimal-length']] },
  { what: 'reserved opcodes', frames: reserved.map((opcode) => ({ opcode, payload: 'r' })), marks: reserved.map(() => ['reserved-opcode']) },
  { what: 'RSV bits without an extension', frames: [1, 2, 3, 4, 5, 6, 7].map((rsv) => ({ opcode: 2, rsv, payload: 'r' })), marks: [1, 2, 3, 4, 5, 6, 7].map(() => ['rsv-without-extension']) },
  { what: 'fragmented control frames', frames: [{ opcode: 9, fin: false, payload: 'p' }, { opcode: 10, fin: false }], marks: [['fragmented-control'], ['fragmented-control']] },
  { what: 'long control frames', frames: [{ opcode: 9, payload: randomBytes(126) }, { opcode: 10, payload: randomBytes(200) }], marks: [['control-too-long'], ['control-too-long']] },
  { what: 'a continuation of nothing', frames: [{ opcode: 0, payload: 'a' }, { opcode: 0, fin: false }, { opcode: 1, payload: 'b' }], marks: [['unexpected-continuation'], ['unexpected-continuation'], OK] },
  { what: 'a message inside a message', frames: [{ opcode: 1, fin: false, payload: 'a' }, { opcode: 2, payload: 'b' }, { opcode: 0, payload: 'c' }], marks: [OK, ['interleaved-message'], ['unexpected-continuation']] },
  { what: 'an unmasked client frame', only: 'client-to-server', frames: [{ opcode: 1, payload: 'bare', key: null }, { opcode: 1, payload: 'masked' }, { opcode: 8, key: null }], marks: [['unmasked-client-frame'], OK, ['unmasked-client-frame']] },
  { what: 'a masked server frame', only: 'server-to-client', frames: [{ opcode: 1, payload: 'mäsked', key: randomBytes(4) }, { opcode: 1, payload: 'bare' }], marks: [['masked-server-frame'], OK] },
  { what: 'text that is not UTF-8', frames: [{ opcode: 1, payload: BAD }, { opcode: 1, payload: 'fine' }, { opcode: 1, fin: false, payload: Buffer.of(0xc3) }, { opcode: 0, payload: BAD }], marks: [['invalid-utf8'], OK, OK, ['invalid-utf8']] },
  { what: 'a bare close', frames: [{ opcode: 8 }] },
  { what: 'a close with code and reason', frames: [{ opcode: 8, payload: Buffer.concat([Buffer.of(0x0f, 0xa1), Buffer.from('because €')]) }] },
  { what: 'a close of one byte', frames: [{ opcode: 8, payload: Buffer.of(3) }], marks: [['close-payload-one-byte']] },
  { what: 'a close with an illegal code', frames: [{ opcode: 8, payload: Buffer.of(3, 237) }], marks: [['close-code-illegal']] },
  { what: 'a close with a reason that is not UTF-8', frames: [{ opcode: 8, payload: Buffer.concat([Buffer.of(3, 232), BAD]) }], marks: [['close-reason-invalid-utf8']] },
  { what: 'frames after close', frames: [{ opcode: 8, payload: Buffer.of(3, 232) }, { opcode: 1, payload: 'late' }, { opcode: 9 }, { opcode: 8 }], marks: [OK, ['frame-after-close'], ['frame-after-close'], ['frame-after-close']] },
]; // prettier-ignore

const sourceOf = (rig: SessionRig, direction: Direction): Socket =>
  direction === 'client-to-server' ? rig.client : rig.server;
const targetOf = (rig: SessionRig, direction: Direction): Socket =>
  direction === 'client-to-server' ? rig.server : rig.client;

/** The same bytes, but for the masking keys of masked frames, which are all new. */
function expectRelayed(sent: Buffer, received: Buffer, direction: Direction): void {
  if (direction === 'server-to-client') {
    expect(received.equals(sent)).toBe(true);
    return;
  }
  const before = parse(sent);
  const after = parse(received);
  expect(after.rest).toEqual(before.rest);
  expect(after.frames.length).toBe(before.frames.length);
  for (const [i, frame] of before.frames.entries()) {
    const relayed = after.frames[i];
    expect([relayed?.byte0, relayed?.byte1, relayed?.length]).toEqual([frame.byte0, frame.byte1, frame.length]);
    expect(relayed?.payload.equals(frame.payload)).toBe(true);
    expect(relayed?.key === null).toBe(frame.key === null);
  }
  const keysBefore = new Set(before.frames.flatMap(({ key }) => (key === null ? [] : [key.toString('hex')])));
  const keys = after.frames.flatMap(({ key }) => (key === null ? [] : [key.toString('hex')]));
  expect(new Set(keys).size).toBe(keys.length);
  expect(keys.filter((key) => keysBefore.has(key))).toEqual([]);
}

/** Payload bytes of one party that have come, once no more come because the other does not read. */
async function bytesWhenStalled(rig: SessionRig, party: 'client' | 'server'): Promise<number> {
  const name = party === 'client' ? 'clientToServer' : 'serverToClient';
  for (let before = -1; ;) {
    const bytes = rig.store.session(rig.sessionId)?.[name].bytes ?? 0;
    if (bytes > 0 && bytes === before) return bytes;
    before = bytes;
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
}

function sessionClosed(rig: SessionRig): Promise<void> {
  return new Promise((resolve) => {
    const unsubscribe = rig.store.subscribe(() => {
      if (rig.store.session(rig.sessionId)?.state !== 'closed') return;
      unsubscribe();
      resolve();
    });
  });
}

/** Sends chunks through a session of their own and holds both legs and the capture to what must come of them. */
async function relay(
  row: Row,
  direction: Direction,
  options: { tls: boolean; script?: boolean; cut: (bytes: Buffer) => Uint8Array[] },
) {
  const store = createStore();
  const rig = await open({
    tls: options.tls,
    store,
    ...(options.script === true ? { ground: { ...createGround(store), ...SCRIPT_GROUND } } : {}),
  });
  const sent = write(direction, row.frames);
  const source = sourceOf(rig, direction);
  const target = targetOf(rig, direction);
  await sendChunks(rig, source, options.cut(sent));
  expectRelayed(sent, await readExactly(target, sent.length), direction);
  // Nothing else is said on either side, and both ends are carried.
  source.end();
  expect(await readToEnd(target)).toEqual({ bytes: Buffer.alloc(0), how: 'fin' });
  target.end();
  expect(await readToEnd(source)).toEqual({ bytes: Buffer.alloc(0), how: 'fin' });

  const rows = rig.store.frames(rig.sessionId, 0, 1000) ?? [];
  expect(rows.map((frame) => frame.violations)).toEqual(row.marks ?? row.frames.map(() => []));
  expect(rows.every((frame) => frame.complete && frame.direction === direction)).toBe(true);
  const wire = rows.map((frame) => rig.store.frameBytes(rig.sessionId, frame.index, 'wire')?.bytes ?? Buffer.alloc(0));
  expect(Buffer.concat(wire).equals(sent)).toBe(true);
  const party = direction === 'client-to-server' ? 'client' : 'server';
  const found = rig.store.session(rig.sessionId)?.violations ?? [];
  expect(found.every(({ by }) => by === party)).toBe(true);
  expect(found.reduce((sum, { count }) => sum + count, 0)).toBe((row.marks ?? []).flat().length);
  rigs.splice(rigs.indexOf(rig), 1);
  rig.close();
}

/** Where to cut: everywhere in what is short, else around the start and in some places after it. */
function cutPositions(length: number, most: number): number[] {
  if (length <= most) return Array.from({ length: length - 1 }, (_, i) => i + 1);
  const early = Array.from({ length: Math.floor(most / 2) }, (_, i) => i + 1);
  const late = Array.from({ length: Math.floor(most / 2) }, (_, i) =>
    Math.floor(((i + 1) * (length - 1)) / (most / 2 + 1)),
  );
  return [...new Set([...early, ...late])];
}

describe('frames are forwarded as they are', () => {
  for (const [legs, tls] of LEGS) {
    for (const row of ROWS) {
      for (const direction of DIRECTIONS) {
        if (row.only !== undefined && row.only !== direction) continue;
        it(`${row.what}: ${direction}, ${legs} legs, whole, cut in two and byte by byte`, async () => {
          const { length } = write(direction, row.frames);
          await relay(row, direction, { tls, cut: (bytes) => [bytes] });
          for (const position of cutPositions(length, tls ? 8 : 40)) {
            await relay(row, direction, { tls, cut: (bytes) => cutAt(bytes, [position]) });
          }
          if (length < 1000) await relay(row, direction, { tls, cut: eachByte });
        });
      }
    }
  }

  for (const direction of DIRECTIONS) {
    it(`without WebAssembly as well: ${direction}`, async () => {
      for (const row of ROWS.filter(({ only }) => only === undefined || only === direction)) {
        const { length } = write(direction, row.frames);
        await relay(row, direction, { tls: false, script: true, cut: (bytes) => [bytes] });
        if (length < 1000) await relay(row, direction, { tls: false, script: true, cut: eachByte });
      }
    });
  }

  it('both directions at once keep apart', async () => {
    const rig = await open({});
    const frames = ROWS.filter((row) => row.only === undefined && !row.what.includes('close')).flatMap(
      (row) => row.frames,
    );
    const up = write('client-to-server', frames);
    const down = write('server-to-client', frames);
    for (let at = 0; at < up.length; at += 997) {
      rig.client.write(up.subarray(at, at + 997));
      rig.server.write(down.subarray(at, at + 997));
    }
    rig.server.write(down.subarray(Math.ceil(up.length / 997) * 997));
    const [atServer, atClient] = await Promise.all([
      readExactly(rig.server, up.length),
      readExactly(rig.client, down.length),
    ]);
    expectRelayed(up, atServer, 'client-to-server');
    expectRelayed(down, atClient, 'server-to-client');
  });

  it('bytes that came with the handshake go first', async () => {
    const up = write('client-to-server', [
      { opcode: 1, payload: 'early' },
      { opcode: 1, payload: 'later' },
    ]);
    const down = write('server-to-client', [
      { opcode: 1, payload: 'early' },
      { opcode: 1, payload: 'later' },
    ]);
    const rig = await open({ clientRest: up.subarray(0, 13), serverRest: down.subarray(0, 1) });
    rig.client.write(up.subarray(13));
    rig.server.write(down.subarray(1));
    expectRelayed(up, await readExactly(rig.server, up.length), 'client-to-server');
    expectRelayed(down, await readExactly(rig.client, down.length), 'server-to-client');
  });

  it('every one of many frames in one chunk gets a key of its own', async () => {
    const rig = await open({});
    const key = randomBytes(4);
    const sent = Buffer.concat(Array.from({ length: 5000 }, () => encode({ opcode: 2, payload: 'x', key })));
    rig.client.write(sent);
    expectRelayed(sent, await readExactly(rig.server, sent.length), 'client-to-server');
  });
});

/** A header that promises more than can be counted. */
function lost(direction: Direction, high = 0x0020_0000): Buffer {
  const header = Buffer.from([0x82, 127, 0, 0, 0, 0, 0, 0, 0, 9]);
  header.writeUInt32BE(high, 2);
  if (direction === 'server-to-client') return header;
  header[1] = 0xff;
  return Buffer.concat([header, Buffer.of(1, 2, 3, 4)]);
}

describe('a length over 2^53-1', () => {
  for (const [legs, tls] of LEGS) {
    for (const direction of DIRECTIONS) {
      it(`closes both legs with 1002 after all before it was delivered: ${direction}, ${legs} legs`, async () => {
        const before = write(direction, [
          { opcode: 1, payload: 'before' },
          { opcode: 9, payload: 'ping' },
        ]);
        const header = lost(direction);
        for (const position of cutPositions(header.length, tls ? 4 : 20)) {
          for (const high of [0x0020_0000, 0x8000_0000]) {
            const rig = await open({ tls });
            const source = sourceOf(rig, direction);
            const target = targetOf(rig, direction);
            const bytes = Buffer.concat([before, lost(direction, high), Buffer.from('and what cannot be followed')]);
            await sendChunks(rig, source, cutAt(bytes, [before.length + position]));
            const [received, answered] = await Promise.all([readToEnd(target), readToEnd(source)]);
            expectRelayed(before, received.bytes.subarray(0, before.length), direction);
            for (const [to, said] of [
              [target, received.bytes.subarray(before.length)],
              [source, answered.bytes],
            ] as const) {
              const { frames, rest } = parse(said);
              expect(rest.length).toBe(0);
              expect(frames).toHaveLength(1);
              expect(frames[0]?.byte0).toBe(0x88);
              expect(frames[0]?.key === null).toBe(to === rig.client);
              expect(frames[0]?.payload.readUInt16BE()).toBe(1002);
              expect(frames[0]?.payload.subarray(2).toString()).toBe('length-out-of-range (RFC 6455 §5.2)');
            }
            expect([received.how, answered.how]).toEqual(['fin', 'fin']);
            const rows = rig.store.frames(rig.sessionId, 0, 10) ?? [];
            expect(rows.map((row) => row.violations)).toEqual([[], [], ['length-out-of-range']]);
            const wire = rig.store.frameBytes(rig.sessionId, 2, 'wire')?.bytes ?? Buffer.alloc(0);
            expect(Buffer.from(wire)).toEqual(lost(direction, high));
            const by = direction === 'client-to-server' ? 'client' : 'server';
            expect(rig.store.session(rig.sessionId)).toMatchObject({
              state: 'closed',
              fault: { by, code: 'length-out-of-range' },
              close: { by: 'proxy', code: 1002, clean: false },
            });
            expect(rig.ground.running.size).toBe(0);
          }
        }
      });
    }
  }
  it('of exactly 2^53-1 is followed', async () => {
    const rig = await open({});
    const header = Buffer.from('827f001fffffffffffff', 'hex');
    rig.server.write(Buffer.concat([header, Buffer.from('the start of it')]));
    const received = await readExactly(rig.client, 25);
    expect(received.subarray(10).toString()).toBe('the start of it');
    const [row] = rig.store.frames(rig.sessionId, 0, 1) ?? [];
    expect(row).toMatchObject({ payloadLength: 2 ** 53 - 1, violations: [], complete: false });
    // What has passed is counted, not what was promised.
    expect(rig.store.session(rig.sessionId)?.serverToClient).toEqual({ frames: 1, bytes: 15 });
  });
});

describe('endings', () => {
  for (const [legs, tls] of LEGS) {
    for (const direction of DIRECTIONS) {
      const party = direction === 'client-to-server' ? 'client' : 'server';
      const opposite = DIRECTIONS.find((other) => other !== direction) as Direction;

      it(`a FIN is carried as FIN and the other direction goes on: ${direction}, ${legs} legs`, async () => {
        const rig = await open({ tls });
        const source = sourceOf(rig, direction);
        const target = targetOf(rig, direction);
        const last = write(direction, [{ opcode: 2, payload: randomBytes(100_000) }]);
        source.end(last);
        const { bytes, how } = await readToEnd(target);
        expect(how).toBe('fin');
        expectRelayed(last, bytes, direction);
        expect(rig.store.session(rig.sessionId)?.state).toBe('open');
        for (let i = 0; i < 3; i++) {
          const answer = write(opposite, [{ opcode: 1, payload: `still here ${i}` }]);
          target.write(answer);
          expectRelayed(answer, await readExactly(source, answer.length), opposite);
        }
        target.end();
        expect(await readToEnd(source)).toEqual({ bytes: Buffer.alloc(0), how: 'fin' });
        expect(rig.store.session(rig.sessionId)).toMatchObject({
          state: 'closed',
          fault: null,
          close: { by: party, code: null, how: 'fin', clean: false, clientEnding: 'fin', serverEnding: 'fin' },
        });
        expect(rig.ground.running.size).toBe(0);
      });

      it(`a reset is carried as reset within a second, after all before it: ${direction}, ${legs} legs`, async () => {
        for (const size of [20, 3_000_000]) {
          const rig = await open({ tls });
          const source = sourceOf(rig, direction);
          const target = targetOf(rig, direction);
          const sent = write(direction, [{ opcode: 2, payload: randomBytes(size) }]);
          const received = readToEnd(target);
          await new Promise<void>((resolve, reject) => {
            source.write(sent, (error) => (error ? reject(error) : resolve()));
          });
          // The peer's own system may still hold some of it: a reset would throw that away before it left.
          while (
            (rig.store.session(rig.sessionId)?.[party === 'client' ? 'clientToServer' : 'serverToClient'].bytes ?? 0) <
            size
          ) {
            await rig.chunksTaken(rig.chunkCount + 1);
          }
          const before = performance.now();
          (party === 'client' ? rig.clientRaw : rig.serverRaw).resetAndDestroy();
          const { bytes, how } = await received;
          expect(how).toBe('reset');
          expect(performance.now() - before).toBeLessThan(1000);
          expect(bytes.length).toBe(sent.length);
          expectRelayed(sent, bytes, direction);
          expect(rig.store.session(rig.sessionId)).toMatchObject({
            state: 'closed',
            close: { by: party, how: 'reset', [`${party}Ending`]: 'reset' },
          });
          expect(rig.ground.running.size).toBe(0);
        }
      });

      it(`a reset is carried within a second to who reads nothing: ${direction}, ${legs} legs`, async () => {
        const rig = await open({ tls });
        const source = sourceOf(rig, direction);
        const target = targetOf(rig, direction);
        target.pause();
        const frame = write(direction, [{ opcode: 2, payload: randomBytes(1_000_000) }]);
        for (let i = 0; i < 6; i++) source.write(frame);
        await rig.chunksTaken(3);
        const before = performance.now();
        (party === 'client' ? rig.serverRaw : rig.clientRaw).resetAndDestroy();
        const { how } = await readToEnd(source);
        expect(how).toBe('reset');
        expect(performance.now() - before).toBeLessThan(1000);
      });

      it(`a reset of a peer that is not read is carried within a second: ${direction}, ${legs} legs`, async () => {
        for (const reads of [false, true]) {
          const rig = await open({ tls });
          const target = targetOf(rig, direction);
          const frames = Array.from({ length: 60 }, () =>
            write(direction, [{ opcode: 2, payload: randomBytes(500_000) }]),
          );
          const sent = Buffer.concat(frames);
          sourceOf(rig, direction).write(sent);
          const taken = await bytesWhenStalled(rig, party);
          const before = performance.now();
          (party === 'client' ? rig.clientRaw : rig.serverRaw).resetAndDestroy();
          const closed = sessionClosed(rig);
          if (!reads) await closed;
          const { bytes, how } = await readToEnd(target);
          await closed;
          expect(how).toBe('reset');
          expect(performance.now() - before).toBeLessThan(1000);
          // All that the proxy had taken comes first, to who reads it.
          if (reads) expect(bytes.length).toBeGreaterThan(taken);
          const whole = bytes.length - (bytes.length % (frames[0] as Buffer).length);
          expectRelayed(sent.subarray(0, whole), bytes.subarray(0, whole), direction);
          expect(rig.store.session(rig.sessionId)?.close).toMatchObject({ by: party, [`${party}Ending`]: 'reset' });
          expect(rig.ground.running.size).toBe(0);
        }
      });

      it(`a reset after a FIN is carried within a second: ${direction}, ${legs} legs`, async () => {
        const rig = await open({ tls });
        const target = targetOf(rig, direction);
        sourceOf(rig, direction).end(write(direction, [{ opcode: 1, payload: 'last' }]));
        expect((await readToEnd(target)).how).toBe('fin');
        const before = performance.now();
        (party === 'client' ? rig.clientRaw : rig.serverRaw).resetAndDestroy();
        // Node reads no more after a FIN, and something written would meet the reset before it is carried.
        const targetRaw = party === 'client' ? rig.serverRaw : rig.clientRaw;
        while (!hasBeenReset(targetRaw, { finSent: false })) await new Promise((resolve) => setTimeout(resolve, 20));
        expect(performance.now() - before).toBeLessThan(1000);
        expect(rig.store.session(rig.sessionId)).toMatchObject({ state: 'closed', close: { by: party } });
        expect(rig.ground.running.size).toBe(0);
      });

      it(`a FIN inside a frame or a header is carried, and marked as truncated: ${direction}, ${legs} legs`, async () => {
        const whole = write(direction, [{ opcode: 1, payload: 'whole' }]);
        const next = write(direction, [{ opcode: 2, payload: randomBytes(300) }]);
        const headerLength = next.length - 300;
        for (let cut = 1; cut < headerLength + 3; cut++) {
          const rig = await open({ tls });
          const source = sourceOf(rig, direction);
          const target = targetOf(rig, direction);
          source.end(Buffer.concat([whole, next.subarray(0, cut)]));
          const { bytes, how } = await readToEnd(target);
          expect([how, bytes.length]).toEqual(['fin', whole.length + cut]);
          expectRelayed(whole, bytes.subarray(0, whole.length), direction);
          const start = Math.min(cut, headerLength - (party === 'client' ? 4 : 0));
          expect(bytes.subarray(whole.length, whole.length + start)).toEqual(next.subarray(0, start));
          const frames = rig.store.frames(rig.sessionId, 0, 10) ?? [];
          expect(frames.map((frame) => frame.violations)).toEqual(
            cut < headerLength ? [[]] : [[], ['truncated-frame']],
          );
          expect(rig.store.session(rig.sessionId)?.violations).toEqual([
            { code: 'truncated-frame', by: party, count: 1, firstFrame: cut < headerLength ? null : 1 },
          ]);
          target.end();
          await readToEnd(source);
        }
      });
    }
  }

  for (const direction of DIRECTIONS) {
    const party = direction === 'client-to-server' ? 'client' : 'server';
    it(`a reset that comes at once with the last bytes is none the less one: ${direction}`, async () => {
      const rig = await open({});
      const sent = write(direction, [{ opcode: 2, payload: randomBytes(1000) }]);
      sourceOf(rig, direction).write(sent);
      (party === 'client' ? rig.clientRaw : rig.serverRaw).resetAndDestroy();
      const { bytes, how } = await readToEnd(targetOf(rig, direction));
      expect(how).toBe('reset');
      expectRelayed(sent, bytes, direction);
      expect(rig.store.session(rig.sessionId)?.close).toMatchObject({ by: party, [`${party}Ending`]: 'reset' });
    });
  }

  it('who closes first, both codes and the time between them are recorded', async () => {
    const rig = await open({});
    const close = write('server-to-client', [
      { opcode: 8, payload: Buffer.concat([Buffer.of(3, 233), Buffer.from('bye')]) },
    ]);
    const echo = write('client-to-server', [{ opcode: 8, payload: Buffer.of(3, 233) }]);
    rig.server.write(close);
    expect(await readExactly(rig.client, close.length)).toEqual(close);
    rig.client.end(echo);
    await readExactly(rig.server, echo.length);
    rig.server.end();
    await Promise.all([readToEnd(rig.server), readToEnd(rig.client)]);
    expect(rig.store.session(rig.sessionId)?.close).toEqual({
      by: 'server',
      code: 1001,
      reason: 'bye',
      clean: true,
      how: 'closing-handshake',
      clientFrame: { code: 1001, reason: '', frameIndex: 1 },
      serverFrame: { code: 1001, reason: 'bye', frameIndex: 0 },
      echoMs: expect.any(Number) as number,
      clientEnding: 'fin',
      serverEnding: 'fin',
    });
  });

  it('both at the same moment end both', async () => {
    for (let i = 0; i < 20; i++) {
      const rig = await open({});
      rig.client.end();
      rig.server.end();
      const ends = await Promise.all([readToEnd(rig.client), readToEnd(rig.server)]);
      expect(ends.map(({ how }) => how)).toEqual(['fin', 'fin']);
      expect(rig.store.session(rig.sessionId)?.state).toBe('closed');
    }
  });

  it('a stopped proxy ends both legs without a word', async () => {
    const rig = await open({});
    for (const session of rig.ground.running) session.stop();
    const ends = await Promise.all([readToEnd(rig.client), readToEnd(rig.server)]);
    expect(ends).toEqual([
      { bytes: Buffer.alloc(0), how: 'fin' },
      { bytes: Buffer.alloc(0), how: 'fin' },
    ]);
    expect(rig.store.session(rig.sessionId)?.close).toMatchObject({ by: 'proxy', code: null });
  });
});

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc()');
}

describe('large frames are cut through', () => {
  for (const [legs, tls] of LEGS) {
    for (const direction of DIRECTIONS) {
      it(`the start arrives before the end is sent, and nothing piles up: ${direction}, ${legs} legs`, async () => {
        const rig = await open({ tls });
        const source = sourceOf(rig, direction);
        const target = targetOf(rig, direction);
        const payload = randomBytes(1 << 20);
        const rounds = 64;
        const header = encode({
          opcode: 2,
          payload: '',
          key: direction === 'client-to-server' ? Buffer.alloc(4) : null,
          lengthBits: 64,
        });
        header.writeBigUInt64BE(BigInt(payload.length * rounds), 2);
        source.write(header);
        const relayed = await readExactly(target, header.length);
        const key = direction === 'client-to-server' ? relayed.subarray(10) : Buffer.alloc(4);
        collectGarbage();
        const memoryBefore = process.memoryUsage();
        let same = true;
        for (let i = 0; i < rounds; i++) {
          source.write(payload);
          const part = await readExactly(target, payload.length);
          for (let at = 0; at < part.length; at += 4093)
            same &&= part[at] === ((payload[at] as number) ^ (key[at & 3] as number));
        }
        expect(same).toBe(true);
        // What this test has read is no longer wanted.
        collectGarbage();
        const memory = process.memoryUsage();
        expect(rig.store.usedBytes).toBeLessThan(24 << 20);
        expect(memory.arrayBuffers - memoryBefore.arrayBuffers).toBeLessThan(48 << 20);
        const [row] = rig.store.frames(rig.sessionId, 0, 1) ?? [];
        expect(row).toMatchObject({ payloadLength: rounds << 20, heldBytes: 16 << 20, complete: true });
      });
    }
  }
});
