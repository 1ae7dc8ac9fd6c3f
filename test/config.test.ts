import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isLoopback, loadConfig, type Config, type ConfigSources } from '../src/config.ts';
import { OPTION_KEYS, OPTIONS, optionsPage, type OptionKey } from '../src/options.ts';
import { openAuthority } from '../src/tls/authority.ts';

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'frametap-config-'));
});
afterAll(() => rm(home, { recursive: true, force: true }));

const load = (flags: ConfigSources['flags'] = {}, env: ConfigSources['env'] = {}): Promise<Config> =>
  loadConfig({ flags, env });
async function fileOf(content: unknown): Promise<string> {
  const path = join(home, 'frametap.json');
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

describe('the configuration', () => {
  it('has the documented defaults and a fresh token of 128 bits', async () => {
    const config = await load();
    expect(config).toMatchObject({
      port: 8080,
      uiPort: 8081,
      host: '127.0.0.1',
      uiHost: '127.0.0.1',
      proxyAuth: null,
      reverse: null,
      certs: join(homedir(), '.frametap', 'certs'),
      passthrough: [],
      memoryBytes: 268_435_456,
      payloadLimitBytes: 16_777_216,
      upstreamCaPem: null,
      protos: [],
      strict: false,
    });
    expect([...config.given]).toEqual([]);
    expect(Buffer.from(config.uiToken, 'base64url')).toHaveLength(16);
    expect((await load()).uiToken).not.toBe(config.uiToken);
    expect(Object.isFrozen(config)).toBe(true);
  });

  it('takes flags before variables before the file before defaults', async () => {
    const file = await fileOf({ port: 1, 'ui-port': 2, memory: '3MiB' });
    const config = await load({ port: '7', config: file }, { FRAMETAP_PORT: '8', FRAMETAP_UI_PORT: '9' });
    expect(config).toMatchObject({ port: 7, uiPort: 9, memoryBytes: 3 * 1024 ** 2, host: '127.0.0.1' });
    expect([...config.given].sort()).toEqual(['config', 'memoryBytes', 'port', 'uiPort']);
  });

  it('finds the file by its variable too', async () => {
    const path = await fileOf({ strict: true, passthrough: ['*.bank.example', 'b.example'] });
    expect(await load({}, { FRAMETAP_CONFIG: path })).toMatchObject({
      strict: true,
      passthrough: ['*.bank.example', 'b.example'],
    });
  });

  it('takes an empty variable as not given', async () => {
    expect((await load({}, { FRAMETAP_PORT: '', FRAMETAP_STRICT: '' })).given.size).toBe(0);
  });

  it('names variables with its prefix that are no option', async () => {
    const { unknownVariables } = await loadConfig({
      flags: {},
      env: { FRAMETAP_PROT: '1', FRAMETAP_PORT: '2', PORT: '3' },
    });
    expect(unknownVariables).toEqual(['FRAMETAP_PROT']);
  });

  it('lets a flag turn on what a variable turns off', async () => {
    expect((await load({}, { FRAMETAP_STRICT: 'on' })).strict).toBe(true);
    expect((await load({}, { FRAMETAP_STRICT: '0' })).strict).toBe(false);
    expect((await load({ strict: true }, { FRAMETAP_STRICT: '0' })).strict).toBe(true);
  });
});

describe('values', () => {
  it.each([
    ['256MiB', 268_435_456],
    ['1.5 GiB', 1_610_612_736],
    ['2m', 2_097_152],
    ['500MB', 500_000_000],
    ['1048576', 1_048_576],
    [1_048_576, 1_048_576],
  ])('the size %s is %d bytes', async (text, bytes) => {
    expect((await load({ memoryBytes: text })).memoryBytes).toBe(bytes);
  });

  it.each([
    ['ws://localhost:3000', { url: 'ws://localhost:3000', secure: false, host: 'localhost', port: 3000 }],
    ['wss://example.com/', { url: 'wss://example.com', secure: true, host: 'example.com', port: 443 }],
    ['http://[::1]:9', { url: 'http://[::1]:9', secure: false, host: '::1', port: 9 }],
    ['HTTPS://Example.com', { url: 'https://example.com', secure: true, host: 'example.com', port: 443 }],
    ['ws://a.example', { url: 'ws://a.example', secure: false, host: 'a.example', port: 80 }],
  ])('the origin %s is read', async (text, origin) => {
    expect((await load({ reverse: text })).reverse).toEqual(origin);
  });

  it('splits proxy credentials at the first colon', async () => {
    expect((await load({ proxyAuth: 'ada:love:lace' })).proxyAuth).toEqual({ user: 'ada', password: 'love:lace' });
  });

  it('takes several globs, parted by commas in a variable', async () => {
    expect((await load({ passthrough: ['a.example', '*.B.example'] })).passthrough).toEqual([
      'a.example',
      '*.b.example',
    ]);
    expect((await load({}, { FRAMETAP_PASSTHROUGH: 'a.example, b.example' })).passthrough).toEqual([
      'a.example',
      'b.example',
    ]);
  });

  it('knows the home folder where no shell has written it out', async () => {
    expect((await load({}, { FRAMETAP_CERTS: '~/ca' })).certs).toBe(join(homedir(), 'ca'));
  });

  const wrong: readonly (readonly [OptionKey, unknown])[] = [
    ['port', '65536'],
    ['port', '-1'],
    ['port', '80a'],
    ['port', ''],
    ['uiPort', '1.5'],
    ['host', 'http://x'],
    ['host', '127.0.0.1:80'],
    ['proxyAuth', 'nocolon'],
    ['proxyAuth', ':password'],
    ['proxyAuth', 'user:'],
    ['reverse', 'localhost:3000'],
    ['reverse', 'ftp://example.com'],
    ['reverse', 'ws://example.com/path'],
    ['reverse', 'ws://example.com/?q'],
    ['reverse', 'ws://user@example.com'],
    ['reverse', 'ws://example.com:0'],
    ['memoryBytes', 'much'],
    ['memoryBytes', '5 parsecs'],
    ['memoryBytes', '12'],
    ['uiToken', 'a b'],
    ['uiToken', ''],
    ['passthrough', ['a b']],
    ['certs', ''],
  ];
  it.each(wrong)('--%s %j is refused as a wrong command line, by name, without the value', async (key, value) => {
    await expect(load({ [key]: value })).rejects.toMatchObject({
      code: 'usage',
      exitCode: 64,
      message: expect.stringMatching(new RegExp(`^--${OPTIONS[key].name}: expected [^0-9]`)) as string,
    });
  });

  it('names the variable or the key in the file that is wrong', async () => {
    await expect(load({}, { FRAMETAP_UI_PORT: 'x' })).rejects.toMatchObject({
      code: 'config-invalid',
      exitCode: 78,
      message: expect.stringMatching(/^FRAMETAP_UI_PORT: expected a port/) as string,
    });
    const file = await fileOf({ 'ui-port': true });
    await expect(load({ config: file })).rejects.toMatchObject({
      code: 'config-invalid',
      message: expect.stringContaining('"ui-port" in ') as string,
    });
  });
});

describe('the file', () => {
  it('may hold every option but itself, by its name', async () => {
    for (const key of OPTION_KEYS) {
      const { name } = OPTIONS[key];
      const attempt = load({ config: await fileOf({ [name]: null }) });
      const expected = key === 'config' ? /no options: "config"/ : new RegExp(`"${name}" in .*: expected`);
      await expect(attempt, name).rejects.toMatchObject({ code: 'config-invalid' });
      await expect(attempt, name).rejects.toThrowError(expected);
    }
  });

  it.each([
    ['an unknown key', '{"prot": 1}', /no options: "prot"/],
    ['text that is no JSON', '{', /is no JSON/],
    ['a list', '[]', /one JSON object/],
  ])('is refused for %s', async (_, content, message) => {
    const attempt = load({ config: await fileOf(content) });
    await expect(attempt).rejects.toMatchObject({ code: 'config-invalid', exitCode: 78 });
    await expect(attempt).rejects.toThrowError(message);
  });

  it('is refused where it cannot be read', async () => {
    await expect(load({ config: join(home, 'none.json') })).rejects.toThrowError(/cannot be read/);
  });
});

describe('a proxy that others could use', () => {
  it.each(['0.0.0.0', '::', '192.0.2.1', 'example.com', '::ffff:192.0.2.1'])('is refused on %s', async (host) => {
    await expect(load({ host })).rejects.toMatchObject({ code: 'open-proxy-refused', exitCode: 78 });
  });
  it('may be opened with credentials, or on the user’s word', async () => {
    expect((await load({ host: '0.0.0.0', proxyAuth: 'a:b' })).host).toBe('0.0.0.0');
    expect((await load({ host: '0.0.0.0', allowOpenProxy: true })).host).toBe('0.0.0.0');
  });
  it.each(['127.0.0.1', '127.9.9.9', '::1', '[::1]', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1', 'localhost'])(
    'is none on %s',
    async (host) => {
      expect(isLoopback((await load({ host })).host)).toBe(true);
    },
  );
});

describe('options that do not go together', () => {
  it('are refused', async () => {
    await expect(load({ keepHost: true })).rejects.toMatchObject({ code: 'config-invalid' });
    await expect(load({ port: '9000', uiPort: '9000' })).rejects.toMatchObject({ code: 'config-invalid' });
    expect((await load({ port: '0', uiPort: '0' })).port).toBe(0);
  });
});

describe('--upstream-ca', () => {
  it('is read at the start, every certificate of it', async () => {
    const one = await openAuthority({ directory: join(home, 'one') });
    const two = await openAuthority({ directory: join(home, 'two') });
    const path = join(home, 'bundle.pem');
    await writeFile(path, `# bundle\n${one.certificatePem}\n${two.certificatePem}`);
    expect((await load({ upstreamCa: path })).upstreamCaPem).toBe(one.certificatePem + two.certificatePem);
  });

  it.each([
    ['missing', null, /cannot be read/],
    ['no PEM', 'hello', /no certificate/],
    ['damaged', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----', /damaged/],
  ])('is refused where it is %s', async (_, content, message) => {
    const path = join(home, 'upstream.pem');
    await rm(path, { force: true });
    if (content !== null) await writeFile(path, content);
    const attempt = load({ upstreamCa: path });
    await expect(attempt).rejects.toMatchObject({ code: 'config-invalid', exitCode: 78 });
    await expect(attempt).rejects.toThrowError(message);
  });
});

describe('--proto', () => {
  it('is read at the start, each file of it', async () => {
    const paths = ['a.proto', 'b.proto'].map((name) => join(home, name));
    for (const path of paths) await writeFile(path, `message M {} // ${path}`);
    const protos = paths.map((name) => ({ name, text: `message M {} // ${name}` }));
    expect((await load({ proto: paths })).protos).toEqual(protos);
    expect((await load({}, { FRAMETAP_PROTO: paths.join(', ') })).protos).toEqual(protos);
    expect((await load({ config: await fileOf({ proto: paths }) })).protos).toEqual(protos);
    expect((await load({ config: await fileOf({ proto: paths[0] }) })).protos).toEqual(protos.slice(0, 1));
  });

  it('knows a file by its path from the working folder', async () => {
    const [own] = (await load({ proto: [join('test', 'config.test.ts')] })).protos;
    expect(own?.name).toBe('test/config.test.ts');
  });

  it('is refused where a file cannot be read', async () => {
    const attempt = load({ proto: [join(home, 'none.proto')] });
    await expect(attempt).rejects.toMatchObject({ code: 'config-invalid', exitCode: 78 });
    await expect(attempt).rejects.toThrowError(/^--proto: .*none\.proto cannot be read/);
  });
});

describe('docs/options.md', () => {
  it('is the page that the schema makes (vitest -u writes it)', async () => {
    const path = join(import.meta.dirname, '..', 'docs', 'options.md');
    const page = await format(optionsPage(), { ...(await resolveConfig(path)), parser: 'markdown' });
    await expect(page).toMatchFileSnapshot(path);
  });
});
