import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');

/** Which rooms of src a room may import from, beside itself. `null`: the files that stand in src itself. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  contract: [],
  protocol: ['contract', 'errors'],
  capture: ['contract', 'protocol', 'errors', 'roster'],
  decode: ['contract', 'protocol', 'errors'],
  tls: ['errors'],
  export: ['contract', 'protocol', 'errors', 'capture (types)'],
  proxy: ['contract', 'protocol', 'errors', 'roster', 'clock', 'capture', 'tls'],
  api: ['contract', 'errors', 'capture', 'decode', 'export'],
};
/** Modules of Node with sockets, streams, compression or time, which protocol code has no business with. */
const NOT_IN_PROTOCOL = /^node:(net|tls|http|https|http2|stream|zlib|timers|fs|dns|perf_hooks|worker_threads)/;

const ENVIRONMENT = /\bprocess\.env\b|\benv\b[^;]*= process;/;

interface Import {
  readonly file: string;
  readonly room: string;
  readonly target: string;
  readonly typeOnly: boolean;
}

function filesUnder(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), 'utf8');
  const statements = text.matchAll(/^(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm);
  const room = file.split('/')[1] ?? '';
  return Array.from(statements, ([, type, target = '']) => ({
    file,
    room,
    target: target.startsWith('.') ? relative(root, join(root, dirname(file), target)) : target,
    typeOnly: type !== undefined,
  }));
}

const sources = filesUnder('src').flatMap(importsOf);
const sourceRoom = (target: string): string => (target.split('/')[1] ?? '').replace(/\.ts$/, '');

describe('who may import whom', () => {
  for (const [room, allowed] of Object.entries(MAY_IMPORT)) {
    it(`${room} imports nothing of ours but ${allowed.join(', ') || 'itself'}`, () => {
      const wrong = sources
        .filter((entry) => entry.room === room && entry.target.startsWith('src/'))
        .filter(({ target, typeOnly }) => {
          const to = sourceRoom(target);
          return to !== room && !allowed.includes(to) && !(typeOnly && allowed.includes(`${to} (types)`));
        });
      expect(wrong).toEqual([]);
    });
  }

  it('the web dashboard imports the contract alone', () => {
    const wrong = filesUnder('web')
      .flatMap(importsOf)
      .filter(({ target }) => target.startsWith('src/') && !target.startsWith('src/contract/'));
    expect(wrong).toEqual([]);
  });

  it('protocol code has no sockets, streams, compression, files or clocks', () => {
    const protocol = sources.filter(({ room }) => room === 'protocol');
    expect(protocol.filter(({ target }) => NOT_IN_PROTOCOL.test(target))).toEqual([]);
    for (const file of filesUnder('src/protocol')) {
      expect(readFileSync(join(root, file), 'utf8'), file).not.toMatch(
        /\b(Date\.now|performance\.now|setTimeout|setImmediate)\(/,
      );
    }
  });

  it('only configuration and command line read the environment', () => {
    const readers = filesUnder('src').filter((file) => ENVIRONMENT.test(readFileSync(join(root, file), 'utf8')));
    expect(readers).toEqual(['src/cli.ts']);
  });
});
