// @ts-check
// Filters over one session of a million frames: first results, the whole, and the longest hold of the event loop.
import { dirname, resolve } from 'node:path';
import { readArguments } from './arguments.js';

const { cli, frames } = readArguments({ frames: 1_000_000 });
const server = dirname(resolve(cli));
/** @type {(path: string) => Promise<any>} */
const load = (path) => import(`${server}/${path}`);
const { MemoryStore } = await load('capture/memory-store.js');
const { MessagePlane } = await load('capture/message-plane.js');
const { Recorder } = await load('capture/recorder.js');
const { parseFilter } = await load('capture/filter.js');
const { searchSteps } = await load('capture/frame-search.js');
const { FrameScanner } = await load('protocol/frame-scanner.js');
const { PayloadChecker } = await load('protocol/payload-checker.js');
const { createRelayGround, Relay } = await load('proxy/relay.js');

const MIB = 1024 ** 2;
const reader = new MemoryStore({
  budgetBytes: 1024 * MIB,
  payloadLimitBytes: 16 * MIB,
  clock: () => Date.now() * 1000,
});
const record = reader.openSession({ url: 'ws://bench/', mode: 'reverse', client: { address: '', port: 0 } });
record.opened();
const socket = { writableLength: 0, destroyed: false, write: () => true };
const listener = { violated: () => false, refused() {}, stopped() {}, closeFramePassed() {} };
const relay = new Relay({
  ground: createRelayGround(),
  rekeys: false,
  extensions: 'none',
  scanner: new FrameScanner({ masked: false, extensions: 'none' }),
  recorder: new Recorder(reader, record, 'server-to-client'),
  checker: new PayloadChecker({ readsText: true }),
  compressed: null,
  listener,
  source: socket,
  target: socket,
  waitLimitBytes: 0,
});
for (let n = 0; n < frames; n++) {
  const payload = Buffer.from(`{"op":"tick","n":${n},"px":${(n * 7919) % 100_003}}`);
  relay.receiveElsewhere(Buffer.concat([Buffer.from([0x81, payload.length]), payload]));
}

const source = { reader, messages: new MessagePlane(reader) };
const last = String(frames - 1);
const filters = [
  'op:ping',
  'len>10000',
  `"n\\":${last},"`,
  `text~/"n":${last.slice(0, -1)}\\d,/`,
  `json.n>=${frames - 10}`,
];
console.log(
  `${'filter'.padEnd(28)} ${'found'.padStart(7)} ${'first'.padStart(9)} ${'all'.padStart(9)} ${'hold'.padStart(9)}`,
);
for (const filter of filters) {
  let holdMs = 0;
  let turnMs = performance.now();
  const timer = setInterval(() => {
    holdMs = Math.max(holdMs, performance.now() - turnMs);
    turnMs = performance.now();
  }, 1);
  const startMs = performance.now();
  let firstMs = 0;
  let found = 0;
  for await (const step of searchSteps(source, record.id, parseFilter(filter))) {
    firstMs ||= performance.now() - startMs;
    found += step.indexes.length;
  }
  const allMs = performance.now() - startMs;
  clearInterval(timer);
  const figures = [firstMs, allMs, holdMs].map((ms) => `${ms.toFixed(0)} ms`.padStart(9));
  console.log(`${filter.padEnd(28)} ${String(found).padStart(7)} ${figures.join(' ')}`);
}
process.exit();
