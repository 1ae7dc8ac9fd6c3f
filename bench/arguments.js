// @ts-check
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const DEFAULT_CLI = join(import.meta.dirname, '..', 'dist', 'server', 'cli.js');

/**
 * Numbers, switches and texts of the command line, by their defaults.
 * @template {Record<string, number | boolean | string>} T
 * @param {T} defaults
 * @returns {T & { cli: string }} `cli`: the built command line, `--frametap <path>`
 */
export function readArguments(defaults) {
  /** @type {import('node:util').ParseArgsConfig['options']} */
  const options = { frametap: { type: 'string' } };
  for (const [name, value] of Object.entries(defaults))
    options[name] = { type: value === false ? 'boolean' : 'string' };
  const { values } = parseArgs({ options, strict: true });
  /** @type {Record<string, unknown>} */
  const read = { cli: values['frametap'] ?? DEFAULT_CLI };
  for (const [name, value] of Object.entries(defaults)) {
    const given = values[name];
    if (given === undefined) read[name] = value;
    else read[name] = typeof value === 'number' ? Number(given) : given;
  }
  return /** @type {T & { cli: string }} */ (read);
}
