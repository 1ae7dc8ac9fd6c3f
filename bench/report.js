// @ts-check
// From single runs to ratios, goals and a table.
import { GOALS } from './cells.js';

/** @param {readonly number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return NaN;
  return sorted.length % 2 === 1 ? Number(sorted[middle]) : (Number(sorted[middle - 1]) + Number(sorted[middle])) / 2;
}

/** How far apart the middle half of the values lies, as a part of the median. @param {readonly number[]} values */
export function spread(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (/** @type {number} */ q) => Number(sorted[Math.round((sorted.length - 1) * q)]);
  return (at(0.75) - at(0.25)) / median(sorted);
}

/**
 * @typedef {object} Row
 * @property {string} cell
 * @property {Record<string, { cpuUs: number, rate: number, latencyUs: { median: number, p99: number }, busy: number, spread: number, generator: number }>} figures
 *   by target: CPU a message in microseconds, messages a second, how busy the proxy's core was (1: all the time), the
 *   generator's CPU against the proxy's
 * @property {{ text: string, value: number, limit: number, reached: boolean }[]} goals
 * @property {string[]} faults
 */

/**
 * @param {{ results: readonly { cell: string, target: string, round: number, report: Record<string, any> }[],
 *   cells: readonly { name: string, mode: string, goal: { haproxy?: number, pipe: number } | null }[],
 *   targets: readonly string[] }} input
 * @returns {Row[]}
 */
export function evaluate({ results, cells, targets }) {
  return cells.map((cell) => {
    const own = results.filter((result) => result.cell === cell.name);
    const done = own.filter(({ report }) => report['event'] === 'done');
    /** @param {string} target @param {(report: Record<string, any>) => number} pick */
    const values = (target, pick) => done.filter((run) => run.target === target).map(({ report }) => pick(report));
    /** @type {Row['figures']} */
    const figures = {};
    for (const target of targets) {
      if (!done.some((run) => run.target === target)) continue;
      figures[target] = {
        cpuUs: median(values(target, cpuUs)),
        rate: median(values(target, rate)),
        latencyUs: {
          median: median(values(target, (report) => report['latencyUs'].median)),
          p99: median(values(target, (report) => report['latencyUs'].p99)),
        },
        busy: median(values(target, (report) => report['proxyCpuUs'] / 1e6 / report['seconds'])),
        spread: spread(values(target, cpuUs)),
        generator: median(values(target, (report) => report['generatorCpuUs'] / report['proxyCpuUs'])),
      };
    }
    /**
     * Median over the rounds of a quotient within a round.
     * @param {string} a @param {string} b @param {(report: Record<string, any>) => number} pick
     */
    const ratio = (a, b, pick) => {
      const quotients = [];
      for (const run of done.filter((candidate) => candidate.target === a)) {
        const other = done.find((candidate) => candidate.target === b && candidate.round === run.round);
        if (other !== undefined) quotients.push(pick(run.report) / pick(other.report));
      }
      return median(quotients);
    };
    return {
      cell: cell.name,
      figures,
      goals: goalsOf(cell, ratio, figures),
      faults: [
        ...new Set(
          own
            .filter(({ report }) => report['event'] === 'failed')
            .map((run) => `${run.target}: ${run.report['error']}`),
        ),
      ],
    };
  });
}

const cpuUs = (/** @type {Record<string, any>} */ report) => report['proxyCpuUs'] / report['messages'];
const rate = (/** @type {Record<string, any>} */ report) => report['messages'] / report['seconds'];

/**
 * @param {{ name: string, goal: { haproxy?: number, pipe: number } | null }} cell
 * @param {(a: string, b: string, pick: (report: Record<string, any>) => number) => number} ratio
 * @param {Row['figures']} figures
 */
function goalsOf(cell, ratio, figures) {
  /** @type {Row['goals']} */
  const goals = [];
  /** @param {string} text @param {number} value @param {number} limit @param {'most' | 'least'} sense */
  const add = (text, value, limit, sense) => {
    if (Number.isNaN(value)) return;
    goals.push({
      text: `${text} ${sense === 'most' ? '<=' : '>='} ${limit}`,
      value,
      limit,
      reached: sense === 'most' ? value <= limit : value >= limit,
    });
  };
  const ours = cell.name.includes('TLS') ? 'frametap (CONNECT)' : 'frametap';
  if (cell.goal !== null) {
    if (cell.goal.haproxy !== undefined) add('x haproxy', ratio(ours, 'haproxy', cpuUs), cell.goal.haproxy, 'most');
    add('pipe / ours', ratio('pipe', ours, cpuUs), cell.goal.pipe, 'least');
  } else if (cell.name === 'ping-pong 64') add('rate / pipe', ratio(ours, 'pipe', rate), GOALS.pongRate, 'least');
  else if (cell.name === 'ping-pong 1') {
    add(
      'median / pipe',
      ratio(ours, 'pipe', (report) => report['latencyUs'].median),
      GOALS.pongMedian,
      'most',
    );
  } else if (cell.name === 'sessions') add('rate / pipe', ratio(ours, 'pipe', rate), GOALS.sessionRate, 'least');
  else add('us a session', figures[ours]?.cpuUs ?? NaN, GOALS.tlsSessionUs, 'most');
  return goals;
}

const short = (/** @type {number} */ value) =>
  value >= 100 ? value.toFixed(0) : value >= 1 ? value.toFixed(2) : value.toFixed(3);
const percent = (/** @type {number} */ part) => `${(part * 100).toFixed(0)} %`;

/**
 * @param {{ evaluation: readonly Row[], memory: readonly { target: string, residentBytes: number, peakBytes: number }[],
 *   live: readonly Record<string, any>[], machine: Record<string, any>, targets: readonly string[] }} input
 */
export function printTable({ evaluation, memory, live, machine, targets }) {
  console.log(
    `${machine['cpu']}, ${machine['cores']} cores, Node ${machine['node']}, load ${machine['loadAverage'].toFixed(2)}${machine['pinned'] ? ', pinned' : ', NOT pinned'}`,
  );
  console.log('CPU of the proxy in microseconds a message (sessions: a session)\n');
  const lines = [['', ...targets, 'goals']];
  for (const row of evaluation) {
    const cells = targets.map((target) => {
      const figure = row.figures[target];
      if (figure === undefined) return '';
      return row.cell.startsWith('ping-pong')
        ? `${short(figure.cpuUs)} (${figure.latencyUs.median.toFixed(0)} us)`
        : short(figure.cpuUs);
    });
    const goals = row.goals.map((goal) => `${goal.reached ? 'ok' : 'MISSED'} ${short(goal.value)} (${goal.text})`);
    lines.push([row.cell, ...cells, goals.join('; ')]);
    for (const fault of row.faults) lines.push([`  FAILED ${fault}`]);
  }
  const widths =
    lines[0]?.map((_, column) =>
      Math.max(...lines.map((line) => (line.length === 1 ? 0 : (line[column] ?? '').length))),
    ) ?? [];
  for (const line of lines)
    console.log(
      line
        .map((text, column) => text.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    );
  console.log(
    `\nMessages a second: ${evaluation.map((row) => `${row.cell}: ${targets.map((target) => `${target} ${Math.round(row.figures[target]?.rate ?? 0)}`).join(', ')}`).join('\n  ')}`,
  );
  console.log(
    `\nMemory: ${memory.map((entry) => `${entry.target} ${mib(entry.residentBytes)} (peak ${mib(entry.peakBytes)})`).join(', ')}`,
  );
  console.log(
    `Dashboards: ${live.map((seen) => `${seen['rows']} rows, ${seen['gaps']} gaps told, ${seen['missingUntold']} rows missing untold`).join('; ')}`,
  );
  const noise = evaluation.map((row) => row.figures['pipe']?.spread ?? NaN).filter((value) => !Number.isNaN(value));
  const worst = Math.max(...noise);
  console.log(
    `Noise: the middle half of the pipe's own rounds lies within ${percent(median(noise))} (median of the cells), ${percent(worst)} at worst${worst > 0.2 ? ': a noisy run, repeat it' : ''}.`,
  );
  const limited = evaluation.flatMap((row) =>
    targets.filter((target) => (row.figures[target]?.generator ?? 0) > 1).map((target) => `${row.cell} (${target})`),
  );
  if (limited.length > 0) console.log(`The generator took more CPU than the proxy in: ${limited.join(', ')}.`);
  console.log(
    `How busy the pipe was: ${percent(median(evaluation.map((row) => row.figures['pipe']?.busy ?? NaN).filter((value) => !Number.isNaN(value))))} of its core.`,
  );
}

const mib = (/** @type {number} */ bytes) => `${(bytes / 1024 ** 2).toFixed(0)} MiB`;
