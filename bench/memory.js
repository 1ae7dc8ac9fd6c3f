// @ts-check
// npm run bench:memory -- [--memory-mib 64] [--only TEXT] [--quick]
//
// Memory that holds: each check starts a proxy of its own, drives it, and holds its resident memory (VmRSS, VmHWM)
// against a limit. All content is verified by the generator. Exit code 1: a check failed.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { readArguments } from './arguments.js';
import { buildLoad } from './load.js';
import { describeMachine, memoryOf, resetPeak } from './machine.js';
import { freePort, startFrametap } from './targets.js';

const MIB = 1024 ** 2;
const DIRECTIONS = /** @type {const} */ (['client-to-server', 'server-to-client']);
const options = readArguments({ 'memory-mib': 64, only: '', quick: false });
const load = buildLoad();
const originPort = await freePort();

/** @type {{ name: string, text: string, value: number, limit: number, unit: string, reached: boolean }[]} */
const findings = [];
/** @type {{ name: string, run: (name: string) => Promise<void> }[]} */
const checks = [];
/** @param {string} name @param {(name: string) => Promise<void>} run */
const check = (name, run) => checks.push({ name, run });

/** @param {string} name @param {string} text @param {number} value @param {number} limit @param {string} unit */
function hold(name, text, value, limit, unit) {
  const reached = value <= limit;
  findings.push({ name, text, value, limit, unit, reached });
  const figures = `${value.toFixed(value < 100 ? 1 : 0)} of ${limit.toFixed(0)} ${unit}`;
  console.log(`${reached ? 'ok    ' : 'FAILED'} ${name}: ${text} ${figures}`);
}

/** A forward proxy: the generator asks with CONNECT. @param {number} [memoryMib] */
const startProxy = (memoryMib = options['memory-mib']) =>
  startFrametap({ cli: options.cli, flags: ['--memory', `${memoryMib}MiB`] });

/**
 * Runs a load to its end; a failure of the content is a failed check.
 * @param {string} name @param {import('./targets.js').FrametapTarget} proxy @param {string} mode
 * @param {Record<string, string | number>} flags
 */
async function run(name, proxy, mode, flags) {
  const report = await load.run(mode, { ...through(proxy), ...flags });
  if (report['event'] !== 'done') hold(name, `content: ${report['error']};`, 1, 0, 'faults');
  return report;
}
/** @param {import('./targets.js').FrametapTarget} proxy */
const through = (proxy) => ({ 'origin-port': originPort, 'proxy-port': proxy.port, 'proxy-pid': proxy.pid, tunnel: 1 });

/** Fills the capture until it has begun to forget. @param {string} name @param {import('./targets.js').FrametapTarget} proxy */
async function fill(name, proxy) {
  for (const direction of DIRECTIONS) {
    await run(name, proxy, 'flow', { size: 1024, connections: 4, direction, 'measure-ms': 1500 });
  }
}

/** Peak against 1.3 budgets + 120 MB. @param {string} name @param {import('./targets.js').FrametapTarget} proxy */
async function holdPeak(name, proxy) {
  const budget = options['memory-mib'];
  hold(name, 'peak of resident memory', memoryOf(proxy.pid).peakBytes / MIB, 1.3 * budget + 120, 'MiB');
  const { memory } = await proxy.status();
  hold(name, 'capture by its own account', memory.usedBytes / MIB, budget, 'MiB');
}

check('10-byte frames, one a read', async (name) => {
  const proxy = await startProxy();
  const report = await run(name, proxy, 'pong', {
    size: 10,
    connections: 64,
    'measure-ms': options.quick ? 5000 : 40000,
  });
  console.log(`       ${report['sent'] * 2} frames`);
  await holdPeak(name, proxy);
  await proxy.stop();
});

check('1 MiB messages', async (name) => {
  const proxy = await startProxy();
  for (const direction of DIRECTIONS) {
    await run(name, proxy, 'flow', { size: MIB, connections: 4, direction, 'measure-ms': options.quick ? 2000 : 8000 });
  }
  await holdPeak(name, proxy);
  await proxy.stop();
});

check('short sessions one after another', async (name) => {
  const proxy = await startProxy();
  const count = options.quick ? 5_000 : 200_000;
  const report = await run(name, proxy, 'sessions', { size: 32, connections: 8, count });
  console.log(
    `       ${report['messages']} sessions, ${(report['proxyCpuUs'] / report['messages']).toFixed(0)} us of CPU each`,
  );
  await holdPeak(name, proxy);
  await proxy.stop();
});

check('sessions with 8 KiB of headers', async (name) => {
  const proxy = await startProxy();
  const count = options.quick ? 5_000 : 100_000;
  const report = await run(name, proxy, 'sessions', { size: 32, connections: 8, count, 'header-bytes': 8192 });
  console.log(
    `       ${report['messages']} sessions, ${(report['proxyCpuUs'] / report['messages']).toFixed(0)} us of CPU each`,
  );
  await holdPeak(name, proxy);
  await proxy.stop();
});

check('cleared means freed', async (name) => {
  const proxy = await startProxy(256);
  await wait(1000);
  // Before anything came: whatever a load has made the process take counts as held.
  const empty = memoryOf(proxy.pid).residentBytes;
  await fill(name, proxy);
  const full = memoryOf(proxy.pid).residentBytes;
  await proxy.api('POST', '/api/clear');
  await wait(3000);
  const { memory } = await proxy.status();
  console.log(`       ${(empty / MIB).toFixed(0)} MiB before, ${(full / MIB).toFixed(0)} MiB full`);
  hold(name, 'still held of what came', (memoryOf(proxy.pid).residentBytes - empty) / MIB, 40, 'MiB');
  hold(name, 'capture by its own account', memory.usedBytes / MIB, 5, 'MiB');
  await proxy.stop();
});

for (const tls of load.tls ? [0, 1] : [0]) {
  for (const direction of DIRECTIONS) {
    for (const sessions of [1, 100]) {
      check(`stalled ${tls === 1 ? 'TLS' : 'plain'} ${direction} x ${sessions}`, async (name) => {
        const proxy = await startProxy(32);
        await fill(name, proxy);
        const otherPort = await freePort();
        const pong = async () =>
          (await run(name, proxy, 'pong', { size: 32, connections: 1, 'origin-port': otherPort, 'measure-ms': 1500 }))[
            'latencyUs'
          ].median;
        const calmUs = await pong();
        const before = memoryOf(proxy.pid).residentBytes;
        resetPeak(proxy.pid);
        const stalled = load.begin('stall', { ...through(proxy), size: 16000, connections: sessions, direction, tls });
        const blocked = await stalled.nextReport();
        if (blocked['event'] !== 'stalled') hold(name, `content: ${blocked['error']};`, 1, 0, 'faults');
        const stalledUs = await pong();
        // The capture goes round more than once while bytes of it still wait for the peer that does not read.
        await load.run('flow', {
          ...through(proxy),
          'origin-port': otherPort,
          size: 1024,
          connections: 2,
          'measure-ms': 1500,
        });
        const grownMib = (memoryOf(proxy.pid).peakBytes - before) / MIB;
        hold(name, 'growth', grownMib, sessions === 1 ? 16 : 200, 'MiB');
        hold(name, `another session's round trip (calm: ${calmUs.toFixed(0)} us)`, stalledUs, calmUs * 2, 'us');
        stalled.tell('go on\n');
        const report = await stalled.nextReport();
        hold(
          name,
          `content after ${((blocked['bytes'] ?? 0) / MIB).toFixed(1)} MiB were taken and read: ${report['error'] ?? 'unaltered'};`,
          report['event'] === 'done' ? 0 : 1,
          0,
          'faults',
        );
        await stalled.stop();
        await proxy.stop();
      });
    }
  }
}

for (const [manner, flags] of /** @type {const} */ ([
  ['one frame', { size: 1024 * MIB, count: 1 }],
  ['16 KiB fragments', { size: 16 * 1024, count: 65536, fragments: 65536 }],
])) {
  for (const direction of DIRECTIONS) {
    check(`1 GiB message as ${manner} ${direction}`, async (name) => {
      const proxy = await startProxy();
      await fill(name, proxy);
      const before = memoryOf(proxy.pid).residentBytes;
      resetPeak(proxy.pid);
      await run(name, proxy, 'flow', { ...flags, connections: 1, direction });
      hold(name, 'growth of resident memory', (memoryOf(proxy.pid).peakBytes - before) / MIB, 64, 'MiB');
      const sessions = await (await proxy.api('GET', '/api/sessions?limit=1000')).json();
      const session = sessions.sessions.at(-1);
      const side = direction === 'client-to-server' ? session.clientToServer : session.serverToClient;
      hold(name, 'bytes that the capture did not count:', 1024 * MIB - side.bytes, 0, '');
      await proxy.stop();
    });
  }
}

for (const [tls, limitKib] of load.tls
  ? /** @type {const} */ ([
      [0, 16],
      [1, 60],
    ])
  : /** @type {const} */ ([[0, 16]])) {
  check(`idle sessions ${tls === 1 ? 'TLS' : 'plain'}`, async (name) => {
    const proxy = await startProxy();
    const sessions = options.quick ? 1000 : 5000;
    await run(name, proxy, 'sessions', { size: 32, connections: 8, count: 500, tls });
    await wait(1000);
    const before = memoryOf(proxy.pid).residentBytes;
    const idle = load.begin('idle', { ...through(proxy), connections: sessions, tls });
    const report = await idle.nextReport();
    if (report['event'] !== 'open') hold(name, `${report['error']};`, 1, 0, 'faults');
    await wait(5000);
    const each = (memoryOf(proxy.pid).residentBytes - before) / sessions / 1024;
    hold(name, `${sessions} sessions, each`, each, limitKib, 'KiB');
    await idle.stop();
    await proxy.stop();
  });
}

check('10 dashboards, one of which stops reading', async (name) => {
  const proxy = await startProxy();
  const readers = await Promise.all(Array.from({ length: 9 }, () => proxy.attach()));
  const stalled = await proxy.attach('stalled');
  const seconds = options.quick ? 5 : 30;
  const report = await run(name, proxy, 'pace', {
    ...{ size: 100, connections: 100, rate: 1000, 'warmup-ms': 0, 'measure-ms': seconds * 1000 },
  });
  console.log(
    `       ${report['received']} frames in ${seconds} s, ${(report['proxyCpuUs'] / report['messages']).toFixed(2)} us of CPU each`,
  );
  await wait(5000);
  for (const [number, reader] of readers.entries()) {
    reader.tell('\n');
    const seen = await reader.nextReport();
    hold(
      name,
      `dashboard ${number + 1}: ${seen['rows']} rows, ${seen['missing']} in ${seen['gaps']} gaps; missing untold`,
      seen['missingUntold'],
      0,
      'rows',
    );
    const untoldAtEnd = seen['gaps'] > 0 ? 0 : report['sent'] - seen['rows'];
    hold(name, `dashboard ${number + 1}: missing at the end`, untoldAtEnd, 0, 'rows');
  }
  await holdPeak(name, proxy);
  for (const child of [...readers, stalled, proxy]) await child.stop();
});

check('a dashboard that stops reading', async (name) => {
  const stalledDashboards = 10;
  /** @param {number} count */
  const peakWith = async (count) => {
    const proxy = await startProxy();
    await fill(name, proxy);
    const dashboards = await Promise.all(Array.from({ length: count }, () => proxy.attach('stalled')));
    await run(name, proxy, 'flow', { size: 100, connections: 4, 'measure-ms': options.quick ? 2000 : 8000 });
    const peak = memoryOf(proxy.pid).residentBytes;
    for (const child of [...dashboards, proxy]) await child.stop();
    return peak;
  };
  const alone = await peakWith(0);
  hold(name, 'each costs', ((await peakWith(stalledDashboards)) - alone) / stalledDashboards / MIB, 4, 'MiB');
});

for (const { name, run: runCheck } of checks.filter(({ name }) => name.includes(options.only))) {
  try {
    await runCheck(name);
  } catch (error) {
    hold(name, `${String(error)};`, 1, 0, 'faults');
  }
}
const folder = join(import.meta.dirname, 'results');
mkdirSync(folder, { recursive: true });
const date = new Date().toISOString();
const file = join(folder, `memory-${date.replaceAll(/[:.]/g, '-')}.json`);
writeFileSync(file, `${JSON.stringify({ date, machine: describeMachine(), options, findings }, null, 1)}\n`);
const failed = findings.filter(({ reached }) => !reached);
console.log(`\n${findings.length - failed.length} of ${findings.length} hold\n${file}`);
process.exit(failed.length > 0 ? 1 : 0);
