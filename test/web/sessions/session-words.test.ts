import { describe, expect, test } from 'vitest';
import type { CloseRecord, SessionSummary } from '../../../src/contract/session.ts';
import { closeMark, splitUrl } from '../../../web/src/sessions/session-words.ts';
import { fakeSummary } from '../mock-capture.ts';

const OPEN: SessionSummary = fakeSummary(1, { frameCount: 1, firstHeldFrame: 0, seq: 1, startedMs: 0 });
const frame = (code: number | null) => ({ code, reason: '', frameIndex: 0 });
const closed = (close: Partial<CloseRecord>): SessionSummary => ({
  ...OPEN,
  state: 'closed',
  close: {
    by: 'server',
    code: null,
    reason: '',
    clean: false,
    how: 'fin',
    clientFrame: null,
    serverFrame: null,
    echoMs: null,
    clientEnding: null,
    serverEnding: 'fin',
    ...close,
  },
});
const clean = { clean: true, how: 'closing-handshake' } as const;

describe('how a session ended, in the list', () => {
  test('is said by its code, also where the API of a peer would show one that nobody sent', () => {
    const texts = [
      closed({ ...clean, code: 1000, clientFrame: frame(1000), serverFrame: frame(1000) }),
      closed({ ...clean, clientFrame: frame(null), serverFrame: frame(null) }),
      closed({ how: 'reset' }),
      closed({ by: 'client' }),
      closed({ code: 1000, serverFrame: frame(1000) }),
    ].map((session) => closeMark(session)?.text);
    expect(texts).toEqual([
      '1000 normal closure',
      '1005 no status received',
      '1006, server reset',
      '1006, client FIN',
      '1000 normal closure, server FIN',
    ]);
  });

  test('is unusual without both close frames, and with a code that says that something went wrong', () => {
    const both = { clientFrame: frame(1000), serverFrame: frame(1000) };
    const unusual = [
      closed({ ...clean, ...both, code: 1000 }),
      closed({ ...clean, ...both, code: 4321 }),
      closed({ ...clean, ...both }),
      closed({ ...clean, ...both, code: 1011 }),
      closed({ code: 1000, serverFrame: frame(1000) }),
      closed({ ...clean, ...both, code: 999 }),
    ].map((session) => closeMark(session)?.unusual);
    expect(unusual).toEqual([false, false, false, true, true, true]);
  });

  test.each([1005, 1006, 1015, 999])('says of %d on the wire that it must not be sent', (code) => {
    const both = { clientFrame: frame(code), serverFrame: frame(code) };
    expect(closeMark(closed({ ...clean, ...both, code }))).toEqual({
      text: `${code} must not be sent`,
      title: `${code} must not be sent in a close frame (RFC 6455 §7.4)`,
      unusual: true,
    });
  });

  test('of a handshake that failed is why, short, with the whole sentence behind it', () => {
    const failed = (code: string): SessionSummary => ({
      ...OPEN,
      state: 'failed',
      fault: { by: 'server', code, message: 'The whole sentence.' },
    });
    expect(closeMark(failed('upstream-refused-handshake'))).toEqual({
      text: 'refused by the server',
      title: 'The whole sentence.',
      unusual: true,
    });
    expect(closeMark(failed('upstream-certificate'))?.text).toBe('upstream certificate');
    expect(closeMark(OPEN)).toBeNull();
  });
});

test.each([
  ['wss://echo.example:8443/chat?x=1', ['wss://', 'echo.example', ':8443', '/chat?x=1']],
  ['ws://[::1]:80/', ['ws://', '[::1]', ':80', '']],
  ['ws://[::1]/a:1', ['ws://', '[::1]', '', '/a:1']],
  ['example.com:443', ['', 'example.com', ':443', '']],
  ['<b>not a URL', ['', '<b>not a URL', '', '']],
])('a URL is taken apart: %s', (url, [scheme, host, port, path]) => {
  expect(splitUrl(url)).toEqual({ scheme, host, port, path });
});
