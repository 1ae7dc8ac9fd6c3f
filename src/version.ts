import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The version in package.json, which lies one folder above src/ and two above dist/server/. */
export const VERSION: string = readVersion(import.meta.dirname);

function readVersion(directory: string): string {
  const path = join(directory, 'package.json');
  if (existsSync(path)) return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
  const above = dirname(directory);
  if (above === directory) throw new Error('package.json is missing above this file');
  return readVersion(above);
}
