// @ts-check
// npm run soak -- --minutes 5 [--memory-mib 64]: mixed sessions that open, talk, close, reset and stall, for so long;
// memory and descriptors over time as a page in bench/results/. Exit code 1: something was lost, or did not stay bounded.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { readArguments } from './arguments.js';
import { start } from './children.js';
import { cpuUsOf, describeMachine, descriptorsOf, LOAD_CORE, memoryOf, pinned } from './machine.js';
import { drawPage } from './soak-page.js';
import { freePort, startFrametap } from './targets.js';

const MIB = 1024 ** 2;
const MAX_POINTS = 1200;
const options = readArguments({ minutes: 5, 'memory-mib': 64 });
const originPort = await freePort();
const proxy = await startFrametap({
  cli: options.cli,
  reverse: originPort,
  flags: ['--memory', `${options['memory-mib']}MiB`],
});
const dashboard = await proxy.attach();
const descriptorsBefore = descriptorsOf(proxy.pid);
const script = join(import.meta.dirname, 'soak-load.js');
const load = start(pinned(LOAD_CORE, [process.execPath, script, String(proxy.port), String(originPort)]));

/** @type {Record<'seconds' | 'resident' | 'used' | 'descriptors' | 'open' | 'cpu' | 'messages', number[]>} */
const samples = { seconds: [], resident: [], used: [], descriptors: [], open: [], cpu: [], messages: [] };
const durationMs = options.minutes * 60_000;
const intervalMs = Math.max(1000, durationMs / MAX_POINTS);
const began = performance.now();
let did = await load.nextReport();
let last = { atMs: began, cpuUs: cpuUsOf(proxy.pid), messages: 0 };
const reading = (async () => {
  for (;;) {
    did = await load.nextReport();
    if (did['event'] === 'ended') return;
  }
})();

while (performance.now() - began < durationMs) {
  await wait(intervalMs);
  const atMs = performance.now();
  const seconds = (atMs - last.atMs) / 1000;
  const cpuUs = cpuUsOf(proxy.pid);
  const status = await proxy.status();
  samples.seconds.push((atMs - began) / 1000);
  samples.resident.push(memoryOf(proxy.pid).residentBytes / MIB);
  samples.used.push(status.memory.usedBytes / MIB);
  samples.descriptors.push(descriptorsOf(proxy.pid));
  samples.open.push(status.openSessions);
  samples.cpu.push((cpuUs - last.cpuUs) / 1e4 / seconds);
  samples.messages.push((did['messages'] - last.messages) / seconds);
  last = { atMs, cpuUs, messages: did['messages'] };
}
load.tell('end\n');
await reading;
await wait(3000);

const status = await proxy.status();
dashboard.tell('\n');
const seen = await dashboard.nextReport();
const limitMib = 1.3 * options['memory-mib'] + 120;
const peakMib = memoryOf(proxy.pid).peakBytes / MIB;
const descriptorsLeft = descriptorsOf(proxy.pid) - descriptorsBefore;
/** @type {[string, boolean][]} */
const findings = [
  [
    `${did['sessions']} sessions, ${did['messages']} messages verified, ${did['faults']} faults ${did['lastFault']}`,
    did['faults'] === 0,
  ],
  [
    `peak of resident memory ${peakMib.toFixed(0)} MiB of ${limitMib.toFixed(0)}, ${did['mostStalled']} clients stalled at a time`,
    peakMib <= limitMib,
  ],
  [`${status.openSessions} sessions open after the end`, status.openSessions === 0],
  [`${descriptorsLeft} descriptors more than at the start`, descriptorsLeft <= 5],
  [
    `dashboard: ${seen['rows']} rows, ${seen['gaps']} gaps told, ${seen['missingUntold']} rows missing untold`,
    seen['missingUntold'] === 0,
  ],
];
const machine = describeMachine();
const date = new Date().toISOString();
const folder = join(import.meta.dirname, 'results');
mkdirSync(folder, { recursive: true });
const file = join(folder, `soak-${date.replaceAll(/[:.]/g, '-')}.html`);
const chart = (
  /** @type {string} */ title,
  /** @type {string} */ unit,
  /** @type {[string, readonly number[], string][]} */ series,
  /** @type {number | undefined} */ limit = undefined,
) => ({
  ...{ title, unit, seconds: samples.seconds },
  series: series.map(([name, values, color]) => ({ name, values, color })),
  ...(limit === undefined ? {} : { limit }),
});
writeFileSync(
  file,
  drawPage({
    title: `Frametap soak, ${options.minutes} minutes`,
    facts: [
      `${date} · ${machine.cpu}, ${machine.cores} cores, Node ${machine.node}`,
      ...findings.map(([text, holds]) => `${holds ? 'ok' : 'FAILED'}: ${text}`),
    ],
    charts: [
      chart(
        'Memory',
        'MiB',
        [
          ['resident', samples.resident, '#06c'],
          ['capture', samples.used, '#090'],
        ],
        limitMib,
      ),
      chart('Descriptors', 'open files', [['descriptors', samples.descriptors, '#a0a']]),
      chart('Sessions', 'open', [['sessions', samples.open, '#c60']]),
      chart('CPU', '% of a core', [['proxy', samples.cpu, '#06c']]),
      chart('Messages', 'a second', [['messages', samples.messages, '#090']]),
    ],
  }),
);
for (const [text, holds] of findings) console.log(`${holds ? 'ok    ' : 'FAILED'} ${text}`);
console.log(file);
for (const child of [dashboard, load, proxy]) await child.stop();
process.exit(findings.every(([, holds]) => holds) ? 0 : 1);
