import { describe, expect, test } from 'vitest';
import { guessIdleTimeout, type IdleTimeout } from '../../../web/src/silence/idle-timeout.ts';
import { evidenceWords, pingWords, verdictWords } from '../../../web/src/silence/idle-words.ts';
import { closedBy, cutBy, NOW_US, quietSessions, type QuietSession } from './quiet-sessions.ts';

function guess(...sessions: readonly QuietSession[]): IdleTimeout {
  const found = guessIdleTimeout(quietSessions(...sessions), 'wss://host.example/chat', { nowUs: NOW_US });
  if (found === null) throw new Error('no origin');
  return found;
}
const said = (...sessions: readonly QuietSession[]) => [
  verdictWords(guess(...sessions)),
  evidenceWords(guess(...sessions)),
];

describe('the guess in words', () => {
  test('says how many ended after how long, by what, and what was survived', () => {
    const reset = cutBy('server', 'reset');
    expect(
      said(
        { endS: 59.8, survivedS: 58 },
        { endS: 60.2 },
        { endS: 60, end: reset },
        { endS: 12, end: closedBy('client', 1000) },
      ),
    ).toEqual([
      "An idle timeout of about 60 s at the server's side.",
      '3 of the 4 ended sessions to wss://host.example ended after 59.8 to 60.2 s of silence, the longest of their ' +
        "lives: 2 by a close 1001 from the server, 1 by a reset from the server's side. The longest silence survived " +
        'is 58.0 s.',
    ]);
  });
  test('says whose it is by how it ends them', () => {
    const both = (end: QuietSession['end']): string =>
      verdictWords(guess(...[30, 30.1, 30.2].map((endS) => ({ endS, ...(end && { end }) }))));
    expect(both(closedBy('server', 1001))).toBe('An idle timeout of about 30 s in the server.');
    expect(both(closedBy('client', null))).toBe('An idle timeout of about 30 s in the client.');
    expect(both(cutBy('server', 'fin'))).toBe(
      "An idle timeout of about 30 s at the server's side: the server, or a proxy on the way.",
    );
    expect(both(cutBy('client', 'reset'))).toBe(
      "An idle timeout of about 30 s at the client's side: the client, or a proxy on the way.",
    );
  });
  test('is careful with one alone', () => {
    expect(said({ endS: 4.5, end: closedBy('server', null) })).toEqual([
      'Perhaps an idle timeout of about 4.5 s in the server.',
      'The one ended session to wss://host.example ended after 4.50 s of silence, the longest of its life, by an empty ' +
        'close frame from the server.',
    ]);
  });
  test('says what speaks against it', () => {
    expect(verdictWords(guess({ endS: 60 }, { endS: 60.1 }, { survivedS: 75 }))).toBe(
      'No idle timeout of about 60 s for all: others lived through up to 75.0 s.',
    );
  });
  test('gives a lower bound where nothing ended by silence', () => {
    expect(said({ endS: 1, survivedS: 45 }, { quietS: 12 })).toEqual([
      'If there is an idle timeout, it is at least 45.0 s.',
      '1 session to wss://host.example has ended, 1 is open; none was clearly ended by a silence. The longest silence ' +
        'survived is 45.0 s.',
    ]);
    expect(said({ endS: 45, end: closedBy('client', 1000), survivedS: 5 })).toEqual([
      'If there is an idle timeout, it is at least 45.0 s.',
      '1 session to wss://host.example has ended, 0 are open; none was clearly ended by a silence. The longest silence ' +
        'survived is 5.00 s. One was quiet for 45.0 s before its end.',
    ]);
  });
  test('says nothing where nothing was quiet', () => {
    expect(said({ quietS: 0.2 })[0]).toBe('Nothing is known of an idle timeout: none was quiet yet.');
  });
  test('shows what could hide in a host', () => {
    const url = 'wss://ho\u202est/';
    const found = guessIdleTimeout(quietSessions({ url }), url, { nowUs: NOW_US });
    expect(found === null ? '' : evidenceWords(found)).not.toContain('\u202e');
  });
});

describe('the pings', () => {
  const every = (s: number) => ({ name: 'ping frames of the client', everyMs: s * 1000 });
  test('come often enough for a timeout, just so, or not', () => {
    const timeout = guess({ endS: 60 }, { endS: 60.1 });
    expect(pingWords(every(25), timeout)).toBe('Every 25.0 s there are ping frames of the client: often enough.');
    expect(pingWords(every(57), timeout)).toContain('only just often enough');
    expect(pingWords(every(90), timeout)).toContain('too seldom');
    expect(pingWords(null, timeout)).toBe(
      'Nothing pings in this session: it has to say something at least every 60 s.',
    );
  });
  test('are weighed against what was survived where no timeout is known', () => {
    const bound = guess({ survivedS: 45 });
    expect(pingWords(every(25), bound)).toContain('often enough for all that is known');
    expect(pingWords(every(90), bound)).toContain('is not known');
    expect(pingWords(null, bound)).toBeNull();
  });
});
