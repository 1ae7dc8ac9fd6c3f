import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { constants, deflateRawSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import type { Direction } from '../../src/contract/frame.ts';
import type { NegotiatedDeflate } from '../../src/protocol/extensions.ts';
import { PeerDeflate } from '../helpers/peer-deflate.ts';
import { openRig, readExactly, readToEnd, sendChunks, type SessionRig } from '../helpers/session-rig.ts';
import { cutAt, encode, parse, type WireFrame } from '../helpers/wire-frames.ts';

const DIRECTIONS: readonly Direction[] = ['client-to-server', 'server-to-client'];
const DEFLATE: NegotiatedDeflate = {
  clientNoContextTakeover: false,
  serverNoContextTakeover: false,
  clientMaxWindowBits: 15,
  serverMaxWindowBits: 15,
};

const rigs: SessionRig[] = [];
afterEach(() => {
  for (const rig of rigs.splice(0)) rig.close();
});
async function open(options: Parameters<typeof openRig>[0] = {}): Promise<SessionRig> {
  const rig = await openRig({ strict: true, ...options });
  rigs.push(rig);
  return rig;
}

const ends = (rig: SessionRig, direction: Direction): { source: Socket; target: Socket } =>
  direction === 'client-to-server'
    ? { source: rig.client, target: rig.server }
    : { source: rig.server, target: rig.client };

const write = (direction: Direction, frames: readonly WireFrame[]): Buffer =>
  Buffer.concat(
    frames.map((frame) => encode({ key: direction === 'client-to-server' ? randomBytes(4) : null, ...frame })),
  );

/** Payloads and first bytes of the frames that came through, and the close frame at the end. */
function read(bytes: Buffer) {
  const { frames, rest } = parse(bytes);
  const last = frames.at(-1);
  const close =
    last?.byte0 === 0x88 && last.payload.length >= 2
      ? { code: last.payload.readUInt16BE(), reason: last.payload.subarray(2).toString(), masked: last.key !== null }
      : null;
  return { frames: frames.map(({ byte0, payload }) => [byte0, payload.toString('latin1')]), close, rest };
}

interface Case {
  readonly what: string;
  readonly good?: readonly WireFrame[];
  readonly bad: WireFrame;
  readonly code: 1002 | 1007 | 1009;
  readonly reason: string;
  readonly only?: Direction;
  readonly deflate?: boolean;
  /** The bad frame comes in a chunk of its own. */
  readonly apart?: boolean;
}

const BAD = Buffer.of(0x61, 0xff);
/** What more than 64 MiB of zeros are when compressed. */
const HUGE = compressed(Buffer.alloc((64 << 20) + 1));

const CASES: readonly Case[] = [
  { what: 'a reserved opcode', bad: { opcode: 3, payload: 'x' }, code: 1002, reason: 'reserved-opcode (RFC 6455 §5.2)' },
  { what: 'an RSV bit', bad: { opcode: 1, rsv: 1, payload: 'x' }, code: 1002, reason: 'rsv-without-extension (RFC 6455 §5.2)' },
  { what: 'a fragmented ping', bad: { opcode: 9, fin: false }, code: 1002, reason: 'fragmented-control (RFC 6455 §5.5)' },
  { what: 'a long ping', bad: { opcode: 9, payload: Buffer.alloc(126) }, code: 1002, reason: 'control-too-long (RFC 6455 §5.5)' },
  { what: 'a continuation of nothing', bad: { opcode: 0, payload: 'x' }, code: 1002, reason: 'unexpected-continuation (RFC 6455 §5.4)' },
  { what: 'a message inside a message', good: [{ opcode: 1, fin: false, payload: 'a' }], bad: { opcode: 2, payload: 'b' }, code: 1002, reason: 'interleaved-message (RFC 6455 §5.4)' },
  { what: 'an unmasked client frame', only: 'client-to-server', bad: { opcode: 1, payload: 'x', key: null }, code: 1002, reason: 'unmasked-client-frame (RFC 6455 §5.1)' },
  { what: 'a masked server frame', only: 'server-to-client', bad: { opcode: 1, payload: 'x', key: randomBytes(4) }, code: 1002, reason: 'masked-server-frame (RFC 6455 §5.1)' },
  { what: 'a length that is not minimal', bad: { opcode: 2, payload: 'x', lengthBits: 64 }, code: 1002, reason: 'non-minimal-length (RFC 6455 §5.2)' },
  { what: 'text that is not UTF-8', bad: { opcode: 1, payload: BAD }, code: 1007, reason: 'invalid-utf8 (RFC 6455 §8.1)' },
  { what: 'a fragment that ends text that is not UTF-8', good: [{ opcode: 1, fin: false, payload: Buffer.of(0xe2) }], bad: { opcode: 0, payload: 'x' }, code: 1007, reason: 'invalid-utf8 (RFC 6455 §8.1)' },
  { what: 'a close of one byte', bad: { opcode: 8, payload: 'x' }, code: 1002, reason: 'close-payload-one-byte (RFC 6455 §5.5.1)' },
  { what: 'an illegal close code', bad: { opcode: 8, payload: Buffer.of(3, 238) }, code: 1002, reason: 'close-code-illegal (RFC 6455 §7.4)' },
  { what: 'a close reason that is not UTF-8', bad: { opcode: 8, payload: Buffer.concat([Buffer.of(3, 232), BAD]) }, code: 1007, reason: 'close-reason-invalid-utf8 (RFC 6455 §5.5.1)' },
  { what: 'RSV1 on a continuation', deflate: true, good: [{ opcode: 2, fin: false, payload: 'x' }], bad: { opcode: 0, rsv: 4, payload: 'x' }, code: 1002, reason: 'rsv1-on-continuation (RFC 7692 §6.1)' },
  { what: 'RSV1 on a ping', deflate: true, bad: { opcode: 9, rsv: 4 }, code: 1002, reason: 'rsv1-on-control (RFC 7692 §6.1)' },
  { what: 'bytes that cannot be inflated', deflate: true, bad: { opcode: 2, rsv: 4, payload: Buffer.of(0xff, 0xff, 0xff) }, code: 1007, reason: 'inflate-failed (RFC 7692 §7.2.2)' },
  { what: 'compressed text that is not UTF-8', deflate: true, bad: { opcode: 1, rsv: 4, payload: compressed(BAD) }, code: 1007, reason: 'message-invalid-utf8 (RFC 6455 §8.1)' },
  { what: 'a message over 64 MiB when inflated', deflate: true, good: [{ opcode: 2, rsv: 4, fin: false, payload: HUGE.subarray(0, 60_000) }], bad: { opcode: 0, payload: HUGE.subarray(60_000) }, apart: true, code: 1009, reason: 'message too big (RFC 6455 §7.4.1)' },
]; // prettier-ignore

function compressed(message: Uint8Array): Buffer {
  const bytes = deflateRawSync(message, { finishFlush: constants.Z_SYNC_FLUSH });
  return bytes.subarray(0, bytes.length - 4);
}

describe('with --strict a violation fails the connection', () => {
  for (const direction of DIRECTIONS) {
    for (const tls of [false, true]) {
      for (const row of CASES) {
        if (row.only !== undefined && row.only !== direction) continue;
        it(`${row.what}: ${row.code} to both, after all valid frames; ${direction}, ${tls ? 'TLS' : 'plain'} legs`, async () => {
          const extensions = row.deflate === true ? 'permessage-deflate' : 'none';
          const rig = await open({ tls, extensions, ...(row.deflate === true ? { deflate: DEFLATE } : {}) });
          const { source, target } = ends(rig, direction);
          const good: WireFrame[] = [
            { opcode: 1, payload: 'fine €' },
            { opcode: 9, payload: 'p' },
            ...(row.good ?? []),
          ];
          const valid = write(direction, good);
          const bad = write(direction, [row.bad, { opcode: 1, payload: 'never seen' }]);
          let first: Buffer = Buffer.alloc(0);
          if (row.apart === true) {
            source.write(valid);
            first = await readExactly(target, valid.length);
            source.write(bad);
          } else source.write(Buffer.concat([valid, bad]));
          const [received, answered] = await Promise.all([readToEnd(target), readToEnd(source)]);

          const there = read(Buffer.concat([first, received.bytes]));
          expect(there.frames.slice(0, -1)).toEqual(read(valid).frames);
          expect(there.close).toEqual({ code: row.code, reason: row.reason, masked: direction === 'client-to-server' });
          const here = read(answered.bytes);
          expect(here.frames).toHaveLength(1);
          expect(here.close).toEqual({ code: row.code, reason: row.reason, masked: direction === 'server-to-client' });
          expect([received.how, answered.how, there.rest.length, here.rest.length]).toEqual(['fin', 'fin', 0, 0]);

          const by = direction === 'client-to-server' ? 'client' : 'server';
          const [name] = row.reason.split(' ') as [string];
          const session = rig.store.session(rig.sessionId);
          expect(session).toMatchObject({ state: 'closed', fault: { by, code: 'protocol-violation' } });
          expect(session?.fault?.message).toContain(row.reason);
          const rows = rig.store.frames(rig.sessionId, 0, 100) ?? [];
          expect(rows).toHaveLength(good.length + 1);
          const marked = { code: name, by, count: 1, firstFrame: good.length };
          expect(session?.violations).toEqual(row.code === 1009 ? [] : [marked]);
          expect(session?.close).toMatchObject({ by: 'proxy', code: row.code, reason: row.reason, clean: false });
          expect(session?.close?.[`${by}Frame`] !== null).toBe(row.bad.opcode === 8);
          expect(rig.ground.running.size).toBe(0);
        });
      }
    }
  }

  for (const direction of DIRECTIONS) {
    it(`wherever the bytes are cut, a bad frame never begins to pass: ${direction}`, async () => {
      const valid = write(direction, [{ opcode: 1, payload: 'ok' }]);
      for (const bad of [
        write(direction, [{ opcode: 1, payload: Buffer.concat([Buffer.alloc(20, 'a'), BAD]) }]),
        write(direction, [{ opcode: 8, payload: Buffer.of(3, 237, 0x61, 0x62) }]),
        write(direction, [{ opcode: 11, payload: 'abc' }]),
      ]) {
        for (let position = 0; position <= bad.length; position++) {
          const rig = await open();
          const { source, target } = ends(rig, direction);
          const [first = valid, ...rest] = cutAt(Buffer.concat([valid, bad]), [valid.length + position]);
          await sendChunks(rig, source, [first]);
          for (const chunk of rest) source.write(chunk);
          const [received, answered] = await Promise.all([readToEnd(target), readToEnd(source)]);
          const there = read(received.bytes);
          expect(there.frames).toHaveLength(2);
          expect(there.frames[0]).toEqual([0x81, 'ok']);
          expect([1002, 1007]).toContain(there.close?.code);
          expect(read(answered.bytes).close?.code).toBe(there.close?.code);
        }
      }
    });
    it(`a text of megabytes that is none at its end is never begun: ${direction}`, async () => {
      const rig = await open();
      const { source, target } = ends(rig, direction);
      const valid = { opcode: 2, payload: Buffer.alloc(3 << 20, 'b') };
      source.write(write(direction, [valid, { opcode: 1, payload: Buffer.concat([Buffer.alloc(5 << 20, 'a'), BAD]) }]));
      const [received, answered] = await Promise.all([readToEnd(target), readToEnd(source)]);
      const there = read(received.bytes);
      expect(there.frames.map(([byte0, text]) => [byte0, String(text).length])).toEqual([
        [0x82, 3 << 20],
        [0x88, expect.any(Number) as number],
      ]);
      expect(there.close?.code).toBe(1007);
      expect(read(answered.bytes).close?.code).toBe(1007);
      expect(rig.ground.held.total).toBe(0);
    });
    it.each([
      ['over 16 MiB', 16 << 20, 0],
      ['beyond what all sessions may keep back', 1 << 20, 64 << 20],
    ])(`in a text %s, its sender hears why and its receiver sees the end: ${direction}`, async (_, length, held) => {
      const rig = await open();
      rig.ground.held.total += held;
      const { source, target } = ends(rig, direction);
      const frame = write(direction, [{ opcode: 1, payload: Buffer.concat([Buffer.alloc(length, 'a'), BAD]) }]);
      source.write(frame.subarray(0, -2));
      const received = await readExactly(target, frame.length - 2);
      expect(received.subarray(0, 10)).toEqual(frame.subarray(0, 10));
      source.write(frame.subarray(-2));
      const [rest, answered] = await Promise.all([readToEnd(target), readToEnd(source)]);
      expect(rest).toEqual({ bytes: Buffer.alloc(0), how: 'fin' });
      expect(read(answered.bytes).close?.code).toBe(1007);
      expect(rig.store.frames(rig.sessionId, 0, 1)?.[0]?.violations).toEqual(['invalid-utf8']);
      expect(rig.ground.held.total).toBe(held);
      rig.ground.held.total -= held;
    });
    it(`bytes, which cannot turn out wrong, are not kept back: ${direction}`, async () => {
      const rig = await open();
      const { source, target } = ends(rig, direction);
      const frame = write(direction, [{ opcode: 2, payload: Buffer.alloc(1000, 'b') }]);
      source.write(frame.subarray(0, 500));
      await readExactly(target, 500);
      source.end(frame.subarray(500));
      expect((await readToEnd(target)).bytes).toHaveLength(frame.length - 500);
    });
    it(`who was being sent a frame that was kept back is sent a close frame in its place: ${direction}`, async () => {
      const rig = await open();
      const { source, target } = ends(rig, direction);
      source.write(write(direction, [{ opcode: 1, payload: 'not all of it' }]).subarray(0, -5));
      await rig.chunksTaken(1);
      const back = direction === 'client-to-server' ? 'server-to-client' : 'client-to-server';
      target.write(write(back, [{ opcode: 3 }]));
      const [kept, told] = await Promise.all([readToEnd(target), readToEnd(source)]);
      const close = { code: 1002, reason: 'reserved-opcode (RFC 6455 §5.2)' };
      expect(read(kept.bytes)).toMatchObject({ frames: [[0x88, expect.any(String)]], close, rest: Buffer.alloc(0) });
      expect(read(told.bytes).close).toMatchObject(close);
      expect(rig.store.session(rig.sessionId)?.fault?.message).toBe(
        'A peer broke the protocol and --strict is on. reserved-opcode (RFC 6455 §5.2)',
      );
    });
    it(`what a peer leaves of a frame is passed on when it ends: ${direction}`, async () => {
      const rig = await open();
      const { source, target } = ends(rig, direction);
      const frame = write(direction, [{ opcode: 2, payload: 'unfinished' }]);
      source.end(frame.subarray(0, -3));
      const received = await readToEnd(target);
      expect([received.bytes.length, received.how]).toEqual([frame.length - 3, 'fin']);
    });
  }
  it('after a close frame: who has been sent one is sent no second', async () => {
    const rig = await open();
    const close = encode({ opcode: 8, payload: Buffer.of(3, 232) });
    rig.server.write(Buffer.concat([close, encode({ opcode: 1, payload: 'late' })]));
    const [received, answered] = await Promise.all([readToEnd(rig.client), readToEnd(rig.server)]);
    expect(received).toEqual({ bytes: close, how: 'fin' });
    expect(read(answered.bytes).close).toMatchObject({ code: 1002, reason: 'frame-after-close (RFC 6455 §5.5.1)' });
    expect(rig.store.session(rig.sessionId)?.close).toMatchObject({
      by: 'proxy',
      code: 1002,
      clean: false,
      serverFrame: { code: 1000 },
      serverEnding: null,
    });
  });
  it('what came with the 101 is delivered, also where what came with the request is wrong', async () => {
    const greeting = write('server-to-client', [{ opcode: 1, payload: 'welcome' }]);
    const rig = await open({ serverRest: greeting, clientRest: write('client-to-server', [{ opcode: 3 }]) });
    const { frames, close } = read((await readToEnd(rig.client)).bytes);
    expect(frames[0]).toEqual([0x81, 'welcome']);
    expect(close?.code).toBe(1002);
    expect(rig.store.frames(rig.sessionId, 0, 9)).toMatchObject([{ opcode: 3 }, { opcode: 1 }]);
  });
  it('a peer that neither reads nor ends is let go', async () => {
    const rig = await open();
    rig.server.pause();
    rig.client.write(write('client-to-server', [{ opcode: 3 }]));
    await readToEnd(rig.client);
    const { how } = await readToEnd(rig.server);
    expect(how).toBe('fin');
  });
});

describe('with --strict what is valid passes', () => {
  for (const direction of DIRECTIONS) {
    it(`frames of all kinds, with and without compression: ${direction}`, async () => {
      const rig = await open({ extensions: 'permessage-deflate', deflate: DEFLATE });
      const { source, target } = ends(rig, direction);
      const texts = ['hello €', 'hello again, hello €', '', 'x'.repeat(100_000)];
      const payloads = await new PeerDeflate().compressAll(texts);
      const frames: WireFrame[] = [
        ...payloads.map((payload) => ({ opcode: 1, rsv: 4, payload })),
        { opcode: 1, payload: 'plain ß' },
        { opcode: 9, payload: 'ping' },
        { opcode: 8, payload: Buffer.of(3, 232) },
      ];
      const bytes = write(direction, frames);
      for (let at = 0; at < bytes.length; at += 37) source.write(bytes.subarray(at, at + 37));
      const received = await readExactly(target, bytes.length);
      expect(read(received).frames).toEqual(read(bytes).frames);
      expect(rig.store.session(rig.sessionId)).toMatchObject({ state: 'open', fault: null, violationCount: 0 });
    });
    it(`fragments of compressed messages, with a context of their own each: ${direction}`, async () => {
      const deflate = { ...DEFLATE, clientNoContextTakeover: true, serverNoContextTakeover: true };
      const rig = await open({ extensions: 'permessage-deflate', deflate });
      const { source, target } = ends(rig, direction);
      const frames = ['first €', 'second €'].flatMap((text): WireFrame[] => {
        const payload = compressed(Buffer.from(text));
        return [
          { opcode: 1, rsv: 4, fin: false, payload: payload.subarray(0, 2) },
          { opcode: 9, payload: 'between' },
          { opcode: 0, fin: false },
          { opcode: 0, payload: payload.subarray(2) },
        ];
      });
      const bytes = write(direction, frames);
      source.write(bytes);
      expect(read(await readExactly(target, bytes.length)).frames).toEqual(read(bytes).frames);
      expect(rig.store.session(rig.sessionId)?.fault).toBeNull();
    });
  }
});

describe('without --strict', () => {
  it('what cannot be inflated passes as it is', async () => {
    const rig = await open({ strict: false, extensions: 'permessage-deflate', deflate: DEFLATE });
    const bytes = encode({ opcode: 1, rsv: 4, payload: Buffer.of(0xff, 0xff) });
    rig.server.write(bytes);
    expect(await readExactly(rig.client, bytes.length)).toEqual(bytes);
    expect(rig.store.session(rig.sessionId)).toMatchObject({ state: 'open', fault: null });
  });
});
