import type { Socket } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FrameRow } from '../../src/contract/frame.ts';
import { Recorder } from '../../src/capture/recorder.ts';
import { FrameScanner, type NegotiatedExtensions } from '../../src/protocol/frame-scanner.ts';
import { PayloadChecker } from '../../src/protocol/payload-checker.ts';
import { createFrameKernel, createScriptKernel, type FrameKernel } from '../../src/proxy/frame-kernel.ts';
import { MaskingKeys } from '../../src/proxy/masking-keys.ts';
import { createRelayGround, Relay } from '../../src/proxy/relay.ts';
import { createStore } from '../helpers/session-rig.ts';

const wasm = createFrameKernel();
const script = createScriptKernel();

/** One frame by RFC 6455 §5.2, any header bits, in the length form that is asked for. */
function frame(spec: {
  readonly byte0: number;
  readonly payload: Uint8Array;
  readonly key: number | null;
  readonly form: number;
}): Buffer {
  const { byte0, payload, key, form } = spec;
  const least = payload.length < 126 ? 7 : payload.length < 65536 ? 16 : 64;
  const bits = Math.max(least, form);
  const head = Buffer.alloc(bits === 7 ? 2 : bits === 16 ? 4 : 10);
  head[0] = byte0;
  head[1] = (key === null ? 0 : 0x80) | (bits === 7 ? payload.length : bits === 16 ? 126 : 127);
  if (bits === 16) head.writeUInt16BE(payload.length, 2);
  if (bits === 64) head.writeBigUInt64BE(BigInt(payload.length), 2);
  if (key === null) return Buffer.concat([head, payload]);
  const keyBytes = Buffer.alloc(4);
  keyBytes.writeInt32BE(key);
  return Buffer.concat([head, keyBytes, payload.map((byte, i) => byte ^ (keyBytes[i & 3] ?? 0))]);
}

/** What one relay makes of the chunks: the rows that it records and the bytes that it writes. */
function relayed(
  kernel: FrameKernel,
  chunks: readonly Uint8Array[],
  session: { readonly masked: boolean; readonly extensions: NegotiatedExtensions },
): { rows: FrameRow[]; written: Buffer; violated: number[] } {
  const store = createStore({ budgetBytes: 64 * 1024 * 1024 });
  const record = store.openSession({ url: 'ws://x/', mode: 'connect', client: { address: '', port: 0 } });
  record.opened();
  const written: Buffer[] = [];
  const violated: number[] = [];
  const socket = {
    writableLength: 0,
    destroyed: false,
    write: (bytes: Uint8Array) => written.push(Buffer.from(bytes)) > 0,
  } as unknown as Socket;
  const { masked, extensions } = session;
  const relay = new Relay({
    ground: createRelayGround(kernel, new MaskingKeys((keys) => keys.fill(0x0badcafe))),
    rekeys: masked,
    extensions,
    scanner: new FrameScanner({ masked, extensions }),
    recorder: new Recorder(store, record, masked ? 'client-to-server' : 'server-to-client'),
    checker: new PayloadChecker({ readsText: extensions !== 'unknown' }),
    compressed: null,
    listener: {
      violated: (_relay, bits) => violated.push(bits) < 0,
      refused: () => undefined,
      stopped: () => undefined,
      stalled: () => undefined,
      closeFramePassed: () => undefined,
    },
    source: socket,
    target: socket,
    waitLimitBytes: 0,
  });
  for (const chunk of chunks) relay.receiveElsewhere(chunk);
  return { rows: store.frames(record.id, 0, 100_000) ?? [], written: Buffer.concat(written), violated };
}

const payloads = fc.oneof(
  fc.uint8Array({ maxLength: 140 }),
  fc.string({ maxLength: 60 }).map((text) => Buffer.from(text)),
  fc.constantFrom(125, 126, 127, 1000, 65535, 65536, 70000).map((length) => Buffer.alloc(length, 'plain text ')),
);
/** Mostly ordinary frames, now and then anything. */
const byte0s = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(0x81, 0x82, 0x89, 0x8a) },
  { weight: 2, arbitrary: fc.constantFrom(0xc1, 0xc2, 0x01, 0x02, 0x00, 0x80, 0x88) },
  { weight: 1, arbitrary: fc.nat(255) },
);
const frames = fc.array(
  fc.record({
    byte0: byte0s,
    payload: payloads,
    key: fc.option(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), { freq: 12 }),
    form: fc.constantFrom(7, 7, 7, 7, 16, 64),
  }),
  { minLength: 1, maxLength: 40 },
);

describe('frames that are taken many at a time', () => {
  for (const masked of [true, false]) {
    for (const extensions of ['none', 'permessage-deflate', 'unknown'] as const) {
      it(`are recorded and written as frame by frame: ${masked ? 'to the server' : 'to the client'}, ${extensions}`, () => {
        fc.assert(
          fc.property(frames, fc.array(fc.integer({ min: 1, max: 3000 }), { maxLength: 12 }), (specs, cuts) => {
            const bytes = Buffer.concat(
              specs.map((spec) => frame(masked ? { ...spec, key: spec.key ?? 7 } : { ...spec, key: null })),
            );
            const chunks: Buffer[] = [];
            let at = 0;
            for (const cut of cuts) chunks.push(bytes.subarray(at, (at += cut)));
            chunks.push(bytes.subarray(at));
            const some = chunks.filter((chunk) => chunk.length > 0);
            const session = { masked, extensions };
            const fast = relayed(wasm, some, session);
            const slow = relayed(script, some, session);
            expect(fast.rows).toEqual(slow.rows);
            expect(fast.violated).toEqual(slow.violated);
            expect(fast.written.equals(slow.written)).toBe(true);
          }),
          { numRuns: 60 },
        );
      });
    }
  }

  it('go on through more frames than fit one task, one segment and one batch of keys', () => {
    const one = frame({ byte0: 0x82, payload: Buffer.from('0123'), key: 0x01020304, form: 7 });
    const chunks = Array.from({ length: 40 }, () => Buffer.concat(Array<Buffer>(6000).fill(one)));
    const session = { masked: true, extensions: 'none' } as const;
    const fast = relayed(wasm, chunks, session);
    expect(fast.rows.length).toBe(100_000);
    expect(fast.written.length).toBe(40 * 6000 * one.length);
    expect(fast.written.equals(relayed(script, chunks, session).written)).toBe(true);
    expect(fast.rows.every((row, i) => row.index === i && row.payloadLength === 4 && row.complete)).toBe(true);
  });

  it('have keys of their own, each used once', () => {
    let given = 0;
    const keys = new MaskingKeys((batch) => batch.forEach((_, i) => (batch[i] = ++given)));
    const one = frame({ byte0: 0x82, payload: Buffer.alloc(0), key: 0x01020304, form: 7 });
    const store = createStore();
    const record = store.openSession({ url: 'ws://x/', mode: 'connect', client: { address: '', port: 0 } });
    const written: Buffer[] = [];
    const socket = { writableLength: 0, write: (b: Uint8Array) => written.push(Buffer.from(b)) } as unknown as Socket;
    const relay = new Relay({
      ground: createRelayGround(wasm, keys),
      rekeys: true,
      extensions: 'none',
      scanner: new FrameScanner({ masked: true, extensions: 'none' }),
      recorder: new Recorder(store, record, 'client-to-server'),
      checker: new PayloadChecker({ readsText: true }),
      compressed: null,
      listener: {
        violated: () => false,
        refused: () => undefined,
        stopped: () => undefined,
        stalled: () => undefined,
        closeFramePassed: () => undefined,
      },
      source: socket,
      target: socket,
      waitLimitBytes: 0,
    });
    for (let i = 0; i < 9; i++) relay.receiveElsewhere(Buffer.concat(Array<Buffer>(5000).fill(one)));
    const bytes = Buffer.concat(written);
    const seen = new Set<number>();
    for (let at = 0; at < bytes.length; at += 6) seen.add(bytes.readInt32LE(at + 2));
    expect(seen.size).toBe(45_000);
  });
});
