// @ts-check
// What is measured, and what is to be reached.

/** @typedef {'client-to-server' | 'server-to-client'} Direction */
/**
 * One cell. `haproxy`: our CPU a message is at most so many times haproxy's. `pipe`: the pipe's CPU a message is at
 * least so many times ours.
 * @typedef {object} FlowCell
 * @property {string} name
 * @property {Direction} direction
 * @property {Record<string, string | number>} load
 * @property {{ haproxy?: number, pipe: number }} goal
 * @property {boolean} plain also carried by the peers
 * @property {boolean} tls
 */

/** @type {readonly [name: string, load: Record<string, string | number>, toServer: [number, number], toClient: [number, number]][]} */
const PLAIN = [
  ['32 B', { size: 32 }, [3.5, 0.5], [2.5, 0.7]],
  ['1 KiB', { size: 1024 }, [2.0, 1.0], [1.5, 1.4]],
  ['64 KiB', { size: 65536 }, [1.8, 1.9], [1.5, 2.5]],
  ['1 MiB', { size: 1048576 }, [2.2, 1.7], [1.8, 2.5]],
];

/** @param {string} templates path of the compressed messages @returns {FlowCell[]} */
export function flowCells(templates) {
  /** @type {FlowCell[]} */
  const cells = [];
  const compressed = /** @type {const} */ (['1 KiB compressed', { templates, size: 1024 }, [3.5, 0.6], [3.5, 0.6]]);
  for (const [name, load, toServer, toClient] of [...PLAIN, compressed]) {
    for (const [direction, [haproxy, pipe]] of /** @type {const} */ ([
      ['client-to-server', toServer],
      ['server-to-client', toClient],
    ])) {
      cells.push({ name, direction, load, goal: { haproxy, pipe }, plain: !('templates' in load), tls: false });
    }
  }
  for (const direction of /** @type {const} */ (['client-to-server', 'server-to-client'])) {
    cells.push({
      name: '1 KiB TLS',
      direction,
      load: { size: 1024, tls: 1 },
      goal: { pipe: 0.25 },
      plain: false,
      tls: true,
    });
  }
  return cells;
}

export const GOALS = {
  /** Ping-pong over 64 connections: round trips a second against the pipe's. */
  pongRate: 0.8,
  /** One connection's median round trip against the pipe's: no slower, but for what one run differs from the next. */
  pongMedian: 1.0,
  /** New plain sessions a second against the pipe's. */
  sessionRate: 0.6,
  /** CPU of a wss session. */
  tlsSessionUs: 3000,
};
