import { execFileSync } from 'node:child_process';
import { compileFunction } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { copyAs, shellQuote, toBase64, type CopySource } from '../../../web/src/detail/copy-as.ts';

const source = (text: string, more: Partial<CopySource> = {}): CopySource => ({
  bytes: new TextEncoder().encode(text),
  isText: true,
  toServer: true,
  facts: { index: 3 },
  session: {
    url: 'wss://echo.example/a/../chat*?filter[a]=1&b={1,2}',
    subprotocol: 'chat',
    handshake: {
      clientRequest: {
        method: 'GET',
        target: '/chat',
        httpVersion: '1.1',
        headers: [
          ['Host', 'echo.example'],
          ['Origin', "https://it's.example"],
          ['X-Empty', ''],
          ['X-Note', '</script> \u2028'],
          ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
          ['Sec-WebSocket-Protocol', 'chat'],
        ],
      },
      serverRequest: null,
      serverResponse: null,
      clientResponse: null,
    },
  },
  ...more,
});
const HOSTILE = `it's "quoted" $(touch x) \`id\` \\ \n </script> \u2028 é`;

describe('copy as', () => {
  test('hex and Base64 are those of the bytes', () => {
    expect(copyAs('hex', source('Hé'))).toBe('48 c3 a9');
    expect(copyAs('base64', source('Hé'))).toBe(Buffer.from('Hé').toString('base64'));
    const large = Uint8Array.from({ length: 100_000 }, (_, at) => at & 255);
    expect(toBase64(large)).toBe(Buffer.from(large).toString('base64'));
  });

  test('a shell reads a quoted word back as it was', () => {
    for (const word of [HOSTILE, '', 'plain', '-n', "'"]) {
      expect(execFileSync('sh', ['-c', `printf %s ${shellQuote(word)}`], { encoding: 'utf8' })).toBe(word);
    }
  });

  test('JSON has the text where the payload is UTF-8, else Base64', () => {
    expect(JSON.parse(copyAs('json', source('hi')))).toEqual({ index: 3, payload: { encoding: 'utf8', data: 'hi' } });
    expect(JSON.parse(copyAs('json', source('', { bytes: Uint8Array.of(0xff) })))).toEqual({
      index: 3,
      payload: { encoding: 'base64', data: '/w==' },
    });
  });

  test('curl makes the opening handshake with the headers of the client', () => {
    const command = copyAs('curl', source('hi'));
    expect(command).toContain("'https://echo.example/a/../chat*?filter[a]=1&b={1,2}'");
    expect(command).toContain(String.raw`-H 'Origin: https://it'\''s.example'`);
    expect(command).toContain("-H 'Sec-WebSocket-Protocol: chat'");
    expect(command).toContain("-H 'X-Empty;'");
    expect(command.match(/Sec-WebSocket-Key/g)).toHaveLength(1);
    expect(command).not.toContain('Host:');
  });

  test('curl takes the URL as it is: no pattern, no dot segment resolved', () => {
    const echo = (url: string): string => {
      const command = copyAs('curl', { ...source('hi'), session: { ...source('hi').session, url } });
      return execFileSync('sh', ['-c', `curl() { printf '%s ' "$@"; }; ${command}`], { encoding: 'utf8' });
    };
    const said = echo('ws://echo.example/a/../b?c=[1-3]').split(' ');
    expect(said).toEqual(expect.arrayContaining(['--globoff', '--path-as-is', 'http://echo.example/a/../b?c=[1-3]']));
  });

  test("websocat's input is the payload to the byte", () => {
    for (const bytes of [new TextEncoder().encode(HOSTILE), Uint8Array.of(0, 255, 10, 39, 37, 92)]) {
      const isText = bytes[0] !== 0;
      const [feed = ''] = copyAs('websocat', source('', { bytes, isText })).split(' | websocat');
      expect(new Uint8Array(execFileSync('sh', ['-c', feed]))).toEqual(bytes);
    }
  });

  test('websocat is told to send the payload as one message', () => {
    expect(copyAs('websocat', source('one line'))).not.toContain('--no-line');
    expect(copyAs('websocat', source('two\nlines'))).toContain(' --text --no-line ');
    const bytes = new Uint8Array(100_000);
    expect(copyAs('websocat', source('', { bytes, isText: false }))).toContain(' --binary --buffer-size 100000 ');
  });

  test('the snippets are scripts that hold the payload as it was', () => {
    for (const format of ['ws', 'playwright'] as const) {
      const script = copyAs(format, source(HOSTILE));
      const literal = /send\(("(?:[^"\\]|\\.)*")\)/.exec(script);
      expect(JSON.parse((literal?.[1] ?? '').replaceAll('<\\/', '</'))).toBe(HOSTILE);
      expect(script).not.toContain('</script>');
      expect(script).not.toContain('\u2028');
    }
  });

  test("Playwright's script routes the captured URL, and no other that a pattern would match", async () => {
    for (const toServer of [true, false]) {
      const routed: ((url: URL) => boolean)[] = [];
      const page = { routeWebSocket: (matches: (url: URL) => boolean) => routed.push(matches) };
      const script = copyAs('playwright', source('x', { toServer }));
      await (compileFunction(`return (async () => {${script}})()`, ['page']) as (to: object) => Promise<void>)(page);
      const [matches] = routed;
      // As the browser resolves it.
      expect(matches?.(new URL(source('x').session.url))).toBe(true);
      expect(matches?.(new URL('wss://echo.example/chatter?filter[a]=1&b={1,2}'))).toBe(false);
      expect(matches?.(new URL('wss://echo.example/chat*?filter[a]=1&b=1'))).toBe(false);
    }
  });
});
