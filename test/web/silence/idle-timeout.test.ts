import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { guessIdleTimeout } from '../../../web/src/silence/idle-timeout.ts';
import { originOf, pathOf } from '../../../web/src/silence/origin.ts';
import { NOW_US, quietSessions, type QuietSession } from './quiet-sessions.ts';

const guess = (url: string, ...sessions: readonly QuietSession[]) =>
  guessIdleTimeout(quietSessions(...sessions), url, { nowUs: NOW_US });
const at = (url: string, ...endsS: readonly number[]): QuietSession[] => endsS.map((endS) => ({ url, endS }));

describe('an origin', () => {
  test('is scheme, host and port, without the port that is the scheme’s own', () => {
    expect(originOf('wss://Host.Example:443/chat?x=1')).toBe('wss://host.example');
    expect(originOf('ws://host.example:80')).toBe('ws://host.example');
    expect(originOf('ws://host.example:443/')).toBe('ws://host.example:443');
    expect(originOf('ws://[::1]:8080/a')).toBe('ws://[::1]:8080');
    expect(originOf('ws://user:word@host.example/a@b')).toBe('ws://host.example');
    expect(originOf('host.example:443')).toBeNull();
  });
  test('is what the URL standard says', () => {
    const label = fc.stringMatching(/^[a-zA-Z]{1,8}$/);
    const url = fc.tuple(
      fc.constantFrom('ws', 'wss'),
      label,
      fc.option(fc.integer({ min: 1, max: 65535 })),
      fc.webPath(),
    );
    fc.assert(
      fc.property(url, ([scheme, host, port, path]) => {
        const text = `${scheme}://${host}.example${port === null ? '' : `:${port}`}${path}`;
        expect(originOf(text)).toBe(new URL(text).origin);
        expect(pathOf(text)).toBe(path === '' ? '/' : path);
      }),
    );
  });
});

describe('the guess for a session', () => {
  test('is from all sessions to its origin, whatever their path, query and spelling', () => {
    const found = guess(
      'wss://host.example/chat?token=1',
      { url: 'wss://host.example/chat?token=2', endS: 60 },
      { url: 'wss://HOST.example:443/feed', endS: 60.1 },
      { url: 'wss://other.example/chat', endS: 60.2 },
      { url: 'ws://host.example/chat', endS: 60.3 },
    );
    expect(found).toMatchObject({ place: 'wss://host.example', verdict: 'timeout', ended: 2 });
  });
  test('is from those to its path where they agree and all together do not', () => {
    const chat = at('wss://host.example/chat?n=1', 60, 60.1, 60.2);
    const feed = at('wss://host.example/feed', 300, 300.4, 299.9);
    expect(guess('wss://host.example/chat', ...chat, ...feed)).toMatchObject({
      place: 'wss://host.example/chat',
      verdict: 'timeout',
      ended: 3,
      cluster: { aboutMs: 60_100 },
    });
    expect(guess('wss://host.example/feed', ...chat, ...feed)).toMatchObject({ cluster: { aboutMs: 300_000 } });
    expect(guess('wss://host.example/new', ...chat, ...feed)).toMatchObject({ place: 'wss://host.example' });
  });
  test('is from the origin where the path says the same from fewer, or too few of it have ended', () => {
    const chat = at('wss://host.example/chat', 60, 60.1, 60.2);
    expect(guess('wss://host.example/chat', ...chat, ...at('wss://host.example/feed', 60.3))).toMatchObject({
      place: 'wss://host.example',
      ended: 4,
    });
    const few = at('wss://host.example/chat', 60, 60.1);
    const others = at('wss://host.example/feed', 300, 300.1);
    expect(guess('wss://host.example/chat', ...few, ...others)).toMatchObject({ place: 'wss://host.example' });
  });
  test('is none for what is no URL', () => {
    expect(guess('host.example:443', ...at('wss://host.example/', 60))).toBeNull();
  });
});
