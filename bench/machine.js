// @ts-check
// What the machine says about itself and about a process.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';

/** @param {string} program @returns {string | null} its path */
export function findProgram(program) {
  const folders = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`.split(':');
  for (const folder of folders) {
    try {
      execFileSync('test', ['-x', `${folder}/${program}`]);
      return `${folder}/${program}`;
    } catch {
      // Not in this folder.
    }
  }
  return null;
}

const taskset = findProgram('taskset');
/** The proxy has the first core, load and dashboards the second, where there are two and a way to say so. */
export const canPin = taskset !== null && availableParallelism() >= 2;
export const PROXY_CORE = 0;
export const LOAD_CORE = 1;

/** @param {number} core @param {readonly string[]} command */
export function pinned(core, command) {
  return canPin ? [String(taskset), '-c', String(core), ...command] : [...command];
}

/** @param {number} pid */
export function memoryOf(pid) {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8');
  /** @param {string} name */
  const bytes = (name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0) * 1024;
  return { residentBytes: bytes('VmRSS'), peakBytes: bytes('VmHWM') };
}

/** Starts the peak anew. @param {number} pid */
export function resetPeak(pid) {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

/** @param {number} pid */
export function descriptorsOf(pid) {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** CPU time of all threads, in microseconds. @param {number} pid */
export function cpuUsOf(pid) {
  let total = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    total += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]) / 1000;
  }
  return total;
}

export function describeMachine() {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    kernel: release(),
    node: process.version,
    pinned: canPin,
    loadAverage: loadavg()[0],
  };
}
