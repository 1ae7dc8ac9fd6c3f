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
  options['help'] = { type: 'boolean' };
  const values = parse(options);
  if (values['help'] === true) {
    const shown = Object.entries(defaults).map(([name, value]) =>
      value === false ? `[--${name}]` : `[--${name} ${value === '' ? name.toUpperCase() : value}]`,
    );
    console.log(`node ${process.argv[1]} ${shown.join(' ')} [--frametap ${DEFAULT_CLI}]`);
    process.exit(0);
  }
  /** @type {Record<string, unknown>} */
  const read = { cli: values['frametap'] ?? DEFAULT_CLI };
  for (const [name, value] of Object.entries(defaults)) {
    const given = values[name];
    if (given === undefined) read[name] = value;
    else read[name] = typeof value === 'number' ? Number(given) : given;
  }
  return /** @type {T & { cli: string }} */ (read);
}

/** @param {import('node:util').ParseArgsConfig['options']} options @returns {Record<string, unknown>} */
function parse(options) {
  try {
    return parseArgs({ options, strict: true }).values;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}. See --help.`);
    process.exit(64);
  }
}
