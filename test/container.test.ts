import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../src/config.ts';
import { OPTION_KEYS, variableOf } from '../src/options.ts';

const read = (name: string): Promise<string> => readFile(join(import.meta.dirname, '..', name), 'utf8');
const variablesIn = (text: string): Record<string, string> =>
  Object.fromEntries(
    [...text.matchAll(/^\s*(?:ENV )?(FRAMETAP_\w+)[=:] ?'?([^\s'\\]+)/gm)].map(([, name = '', value = '']) => [
      name,
      value,
    ]),
  );

describe('the container', () => {
  it('sets only variables that there are', async () => {
    const known = OPTION_KEYS.map(variableOf);
    const image = variablesIn((await read('Dockerfile')).replaceAll(/^ENV NODE_ENV.*$/gm, ''));
    const compose = variablesIn(await read('docker-compose.yml'));
    expect(Object.keys(image)).toHaveLength(5);
    expect(known).toEqual(expect.arrayContaining([...Object.keys(image), 'FRAMETAP_PROXY_AUTH']));
    expect(known).toEqual(expect.arrayContaining(Object.keys(compose)));
  });

  it('is an open proxy only by the word of who publishes its ports, on loopback', async () => {
    const image = variablesIn(await read('Dockerfile'));
    const compose = await read('docker-compose.yml');
    await expect(loadConfig({ flags: {}, env: image })).rejects.toMatchObject({ code: 'open-proxy-refused' });
    const config = await loadConfig({ flags: {}, env: { ...image, ...variablesIn(compose) } });
    expect(config).toMatchObject({ host: '0.0.0.0', port: 8080, uiPort: 8081, certs: '/certs', allowOpenProxy: true });
    expect([...compose.matchAll(/- '([^']*:\d+)'/g)].map(([, port]) => port)).toEqual([
      `127.0.0.1:${config.port}:${config.port}`,
      `127.0.0.1:${config.uiPort}:${config.uiPort}`,
    ]);
  });

  it('is built without CA, captures and history', async () => {
    const lines = (await read('.dockerignore')).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    expect(lines[0]).toBe('*');
    expect(lines.slice(1)).not.toContain('!certs');
    const copied = [...(await read('Dockerfile')).matchAll(/^COPY (?!--)(.*) \S+$/gm)].flatMap(([, names = '']) =>
      names.split(' '),
    );
    expect(
      lines
        .slice(1)
        .map((line) => line.slice(1))
        .sort(),
    ).toEqual(copied.sort());
  });
});
