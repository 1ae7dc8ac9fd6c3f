// @ts-check
// npm run bench:micro -- [--only TEXT]: nanoseconds a frame of the parts, without sockets. The least of many
// repetitions is printed: what the part costs where nobody disturbs it.
import { Buffer } from 'node:buffer';
import { randomFillSync } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers';
import { readArguments } from './arguments.js';

const options = readArguments({ only: '' });
const server = dirname(resolve(options.cli));
/** @type {(path: string) => Promise<any>} */
const load = (path) => import(`${server}/${path}`);
const { MemoryStore } = await load('capture/memory-store.js');
const { Recorder } = await load('capture/recorder.js');
const { FrameScanner, Scan } = await load('protocol/frame-scanner.js');
const { PayloadChecker } = await load('protocol/payload-checker.js');
const { createFrameKernel, createScriptKernel } = await load('proxy/frame-kernel.js');
const { createRelayGround, Relay } = await load('proxy/relay.js');
const { encodeBatch } = await load('api/live-batch.js');

const READ_BYTES = 64 * 1024;
const STREAM_BYTES = 4 * 1024 * 1024;
const SIZES = [32, 125, 1024, 64 * 1024, 1024 * 1024];

/** A stream of text frames. @param {number} size @param {boolean} masked */
function streamOf(size, masked) {
  const header = [0x81, (masked ? 0x80 : 0) | (size < 126 ? size : size < 65536 ? 126 : 127)];
  const long = Buffer.alloc(8);
  long.writeBigUInt64BE(BigInt(size));
  if (size >= 126) header.push(...long.subarray(size < 65536 ? 6 : 0));
  const frame = Buffer.concat([Buffer.from(header), Buffer.alloc((masked ? 4 : 0) + size, 'a')]);
  const frames = Math.max(1, Math.floor(STREAM_BYTES / frame.length));
  const bytes = Buffer.concat(Array.from({ length: frames }, () => frame));
  for (let at = 0; masked && at < bytes.length; at += frame.length) {
    const key = randomFillSync(bytes.subarray(at + header.length, at + header.length + 4));
    for (let i = 0; i < size; i++) bytes[at + header.length + 4 + i] = 97 ^ Number(key[i & 3]);
  }
  return { bytes, frames };
}

const createStore = () =>
  new MemoryStore({
    budgetBytes: 256 * 1024 ** 2,
    payloadLimitBytes: 16 * 1024 ** 2,
    clock: () => (performance.timeOrigin + performance.now()) * 1000,
  });
const openSession = (/** @type {any} */ store) =>
  store.openSession({ url: 'ws://bench.test/', mode: 'reverse', client: { address: '127.0.0.1', port: 1 } });

/** Until the oldest goes: memory that is new to the process costs more than all the rest. @param {any} store @param {() => void} repeat */
function fill(store, repeat) {
  while (store.status().evicted.frames === 0) repeat();
}

/** The least time of a repetition, in nanoseconds a frame. @param {number} frames @param {() => number | void} repeat */
async function measure(frames, repeat) {
  let least = Infinity;
  const until = performance.now() + 700;
  for (let i = 0; i < 30 || performance.now() < until; i++) {
    const start = performance.now();
    const spentMs = repeat();
    least = Math.min(least, ((spentMs ?? performance.now() - start) * 1e6) / frames);
    // The store tells its readers between turns.
    if (i % 8 === 0) await new Promise((done) => setImmediate(done));
  }
  return least;
}

/** @param {{ bytes: Buffer }} stream @param {(start: number, length: number) => void} visit */
function eachRead({ bytes }, visit) {
  for (let at = 0; at < bytes.length; at += READ_BYTES) visit(at, Math.min(READ_BYTES, bytes.length - at));
}

/** @param {string} part @param {string} what @param {() => Promise<number>} run */
async function show(part, what, run) {
  if (!`${part} ${what}`.includes(options.only)) return;
  const ns = await run();
  console.log(`${part.padEnd(28)} ${what.padEnd(28)} ${ns.toFixed(ns < 100 ? 1 : 0).padStart(9)} ns a frame`);
}

for (const size of SIZES) {
  for (const masked of [true, false]) {
    const what = `${size} B ${masked ? 'client-to-server' : 'server-to-client'}`;
    const stream = streamOf(size, masked);

    await show('scanner', what, () => {
      const scanner = new FrameScanner({ masked, extensions: 'none' });
      return measure(stream.frames, () => {
        eachRead(stream, (start, length) => {
          const chunk = stream.bytes.subarray(start, start + length);
          scanner.begin(start);
          while (scanner.next(chunk, length) !== Scan.End) continue;
        });
      });
    });

    await show('store append', what, () => {
      const store = createStore();
      const scanner = new FrameScanner({ masked, extensions: 'none' });
      const recorder = new Recorder(store, openSession(store), masked ? 'client-to-server' : 'server-to-client');
      const repeat = () =>
        eachRead(stream, (start, length) => {
          const chunk = stream.bytes.subarray(start, start + length);
          recorder.keepChunk(chunk, length, scanner);
          scanner.begin(start);
          while (scanner.next(chunk, length) !== Scan.End) recorder.record(scanner);
          recorder.endChunk(scanner);
        });
      fill(store, repeat);
      return measure(stream.frames, repeat);
    });

    await show('whole relay, no sockets', what, () => {
      const ground = {
        ...createRelayGround(),
        store: createStore(),
      };
      const socket = { writableLength: 0, destroyed: false, write: () => true, pause() {}, resume() {} };
      const relay = new Relay({
        ground,
        rekeys: masked,
        extensions: 'none',
        compressed: null,
        scanner: new FrameScanner({ masked, extensions: 'none' }),
        recorder: new Recorder(
          ground.store,
          openSession(ground.store),
          masked ? 'client-to-server' : 'server-to-client',
        ),
        checker: new PayloadChecker({ readsText: true }),
        listener: { closeFramePassed() {}, violated: () => false, stopped() {} },
        source: socket,
        target: socket,
        waitLimitBytes: 0,
      });
      const repeat = () => {
        let spentMs = 0;
        eachRead(stream, (start, length) => {
          ground.kernel.bytes.set(stream.bytes.subarray(start, start + length));
          const from = performance.now();
          relay.receive(length);
          spentMs += performance.now() - from;
        });
        return spentMs;
      };
      fill(ground.store, repeat);
      return measure(stream.frames, repeat);
    });
  }
}

for (const [name, kernel] of [
  ['masking, WebAssembly', createFrameKernel()],
  ['masking, script', createScriptKernel()],
]) {
  for (const size of [32, 1024, 64 * 1024]) {
    await show(name, `${size} B`, () =>
      measure(1000, () => {
        for (let i = 0; i < 1000; i++) kernel.remask(0, 512 * 1024, size, 0x12345678 ^ i, 0x5a5a5a5a);
      }),
    );
  }
}

for (const size of [32, 1024]) {
  const store = createStore();
  const recorder = new Recorder(store, openSession(store), 'client-to-server');
  const scanner = new FrameScanner({ masked: true, extensions: 'none' });
  const { bytes } = streamOf(size, true);
  const rows = 5000;
  const chunk = bytes.subarray(0, Math.min(bytes.length, 4 * 1024 ** 2));
  recorder.keepChunk(chunk, chunk.length, scanner);
  scanner.begin(0);
  for (let i = 0; i < rows && scanner.next(chunk, chunk.length) !== Scan.End; i++) recorder.record(scanner);
  recorder.endChunk(scanner);
  const upTo = store.status().seq;
  const { rowCount } = encodeBatch(store, { since: 0, upTo, choice: 'all' });
  await show('live batch encoding', `${size} B`, () =>
    measure(rowCount, () => {
      encodeBatch(store, { since: 0, upTo, choice: 'all' });
    }),
  );
}
