// @ts-check
// Filters over one session of a million frames, and of as many messages: first results, the whole, and the longest hold
// of the event loop.
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
const { TimeSlice } = await load('capture/time-slice.js');
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
  'op:text',
  'op:ping',
  'len>10000',
  `"n\\":${last},"`,
  `text~/"n":${last.slice(0, -1)}\\d,/`,
  `json.n>=${frames - 10}`,
];
/**
 * How many pass, step by step.
 * @type {Record<string, (filter: string) => AsyncGenerator<number>>}
 */
const searches = {
  async *frames(filter) {
    for await (const { indexes } of searchSteps(source, record.id, parseFilter(filter))) yield indexes.length;
  },
  async *messages(filter) {
    const slice = new TimeSlice();
    for (let from = 0, end = 1; from < end;) {
      if (slice.over) await slice.pause();
      const step = await source.messages.search(record.id, parseFilter(filter), { from, limit: 50_000, rows: false });
      yield step.indexes.length;
      ({ next: from, end } = step);
    }
  },
};
for (const [among, search] of Object.entries(searches)) {
  const columns = ['found', 'first', 'all', 'hold'].map((name) => name.padStart(9));
  console.log(`${`filter among ${among}`.padEnd(28)} ${columns.join(' ')}`);
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
    for await (const count of search(filter)) {
      firstMs ||= performance.now() - startMs;
      found += count;
    }
    const allMs = performance.now() - startMs;
    clearInterval(timer);
    const figures = [firstMs, allMs, holdMs].map((ms) => `${ms.toFixed(0)} ms`.padStart(9));
    console.log(`${filter.padEnd(28)} ${String(found).padStart(9)} ${figures.join(' ')}`);
  }
}
process.exit();
