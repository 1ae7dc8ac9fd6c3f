// @ts-check
// npm run bench -- [--rounds 5] [--peers] [--only TEXT] [--measure-ms 700] [--enforce] [--frametap dist/server/cli.js]
//
// Rounds are interleaved: each round carries each cell through each proxy in turn, so that what the machine does
// meanwhile strikes them alike. Ratios are taken within a round; what is printed is their median. Every byte is
// verified by the generator. Exit code 1: content was lost or altered (with --enforce also: a goal was missed).
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readArguments } from './arguments.js';
import { flowCells } from './cells.js';
import { buildLoad } from './load.js';
import { describeMachine, memoryOf } from './machine.js';
import { evaluate, printTable } from './report.js';
import { freePort, startFrametap, startHaproxy, startPeers, startPipe } from './targets.js';
import { writeTemplates } from './templates.js';

const options = readArguments({ rounds: 5, 'measure-ms': 700, only: '', peers: false, enforce: false });
const folder = mkdtempSync(join(tmpdir(), 'frametap-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const templates = join(folder, 'templates');
writeTemplates(templates);

const load = buildLoad();
const originPort = await freePort();
const pipe = await startPipe(originPort);
const haproxy = await startHaproxy(originPort);
const reverse = await startFrametap({ cli: options.cli, reverse: originPort });
const forward = await startFrametap({ cli: options.cli, name: 'frametap (CONNECT)' });
const dashboards = [await reverse.attach(), await forward.attach()];
const peers = options.peers ? await startPeers(originPort) : [];
const targets = [pipe, ...(haproxy === null ? [] : [haproxy]), reverse, forward, ...peers];
if (haproxy === null) console.error('haproxy is not installed: its column stays empty.');
if (!load.tls) console.error('No headers of OpenSSL: the TLS cells are left out.');

/** @typedef {{ cell: string, target: string, round: number, report: Record<string, any> }} Result */
/** @type {Result[]} */
const results = [];

const cells = flowCells(templates).map((cell) => ({
  name: `${cell.name} ${cell.direction}`,
  goal: cell.goal,
  mode: 'flow',
  load: { ...cell.load, direction: cell.direction, connections: 4 },
  carriedBy: (/** @type {import('./targets.js').Target} */ target) => {
    if (cell.tls) return load.tls && (target === pipe || target === forward);
    if (peers.includes(target)) return cell.plain;
    return target !== forward || cell.name === '1 KiB';
  },
}));
const others = [
  { name: 'ping-pong 1', mode: 'pong', load: { size: 32, connections: 1 } },
  { name: 'ping-pong 64', mode: 'pong', load: { size: 32, connections: 64 } },
  { name: 'sessions', mode: 'sessions', load: { size: 32, connections: 16 } },
  { name: 'sessions TLS', mode: 'sessions', load: { size: 32, connections: 8, tls: 1 } },
].map((cell) => ({
  ...cell,
  goal: null,
  carriedBy: (/** @type {import('./targets.js').Target} */ target) =>
    'tls' in cell.load
      ? load.tls && (target === pipe || target === forward)
      : target !== forward || cell.mode === 'sessions',
}));
const chosen = [...cells, ...others].filter((cell) => cell.name.includes(options.only));

/** @param {import('./targets.js').Target} target */
const through = (target) => ({
  'origin-port': originPort,
  'proxy-port': target.port,
  'proxy-pid': target.pid,
  tunnel: target.tunnel ? 1 : 0,
});

// A capture that has not reached its budget takes fresh memory for all that it keeps: what is measured is what comes
// after, hour after hour.
for (const target of [reverse, forward]) {
  await load.run('flow', { size: 65536, connections: 4, count: 1500, ...through(target) });
}

// What a session runs is compiled over the first thousands of them, which is what the short windows below would see.
for (const cell of chosen.filter(({ mode }) => mode === 'sessions')) {
  for (const target of targets.filter(cell.carriedBy)) {
    await load.run('sessions', { ...cell.load, count: 'tls' in cell.load ? 1000 : 10_000, ...through(target) });
  }
}

for (let round = 0; round <= options.rounds; round++) {
  for (const cell of chosen) {
    for (const target of targets.filter(cell.carriedBy)) {
      const report = await load.run(cell.mode, {
        ...cell.load,
        ...through(target),
        'warmup-ms': round === 0 ? 600 : 250,
        'measure-ms': options['measure-ms'],
      });
      // The first round warms the proxies up; only its failures count.
      if (round > 0 || report['event'] === 'failed')
        results.push({ cell: cell.name, target: target.name, round, report });
      if (report['event'] === 'failed') console.error(`${cell.name} through ${target.name}: ${report['error']}`);
    }
  }
  console.error(round === 0 ? 'warmed up' : `round ${round} of ${options.rounds}`);
}

const memory = targets.map((target) => ({ target: target.name, ...memoryOf(target.pid) }));
const live = [];
for (const dashboard of dashboards) {
  dashboard.tell('\n');
  live.push(await dashboard.nextReport());
}
const machine = describeMachine();
const evaluation = evaluate({ results, cells: chosen, targets: targets.map(({ name }) => name) });
printTable({ evaluation, memory, live, machine, targets: targets.map(({ name }) => name) });

const resultsFolder = join(import.meta.dirname, 'results');
mkdirSync(resultsFolder, { recursive: true });
const date = new Date().toISOString();
const file = join(resultsFolder, `bench-${date.replaceAll(/[:.]/g, '-')}.json`);
writeFileSync(file, `${JSON.stringify({ date, machine, options, evaluation, memory, live, results }, null, 1)}\n`);
console.log(`\n${file}`);

for (const child of [...dashboards, ...targets]) await child.stop();
// What other people's proxies do to the content is told, and is no fault of this run.
const failed = results.some(
  ({ target, report }) => report['event'] === 'failed' && !peers.some(({ name }) => name === target),
);
const missed = evaluation.some((row) => row.goals.some((goal) => !goal.reached));
process.exitCode = failed || (options.enforce && missed) ? 1 : 0;
