import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { weighSilences } from '../../../web/src/silence/idle-evidence.ts';
import { closedBy, cutBy, NOW_US, quietSessions, type QuietSession } from './quiet-sessions.ts';

const weigh = (...sessions: readonly QuietSession[]) => weighSilences(quietSessions(...sessions), { nowUs: NOW_US });
const ended = (...endsS: readonly number[]): QuietSession[] => endsS.map((endS) => ({ endS, survivedS: 20 }));

describe('an idle timeout', () => {
  test('is seen where several ended alike in the longest silence of their lives', () => {
    const found = weigh(...ended(59.8, 60.2, 60), { endS: 3, survivedS: 58 }, { survivedS: 30 });
    expect(found).toMatchObject({
      verdict: 'timeout',
      ended: 4,
      open: 1,
      survived: { id: '4', ms: 58_000 },
      lived: { id: '2', ms: 60_200 },
      cluster: { by: 'server', aboutMs: 60_000, contradictedBy: [] },
    });
    expect(found.cluster?.ends.map(({ id, ms }) => [id, ms])).toEqual([
      ['1', 59_800],
      ['3', 60_000],
      ['2', 60_200],
    ]);
  });
  test('knows by whom and how each was ended', () => {
    const ends: readonly QuietSession[] = [
      { endS: 60, end: closedBy('server', 1001) },
      { endS: 60.1, end: closedBy('server', null) },
      { endS: 60.2, end: cutBy('server', 'reset') },
      { endS: 60.3, end: cutBy('server', 'fin') },
      { endS: 60.4, end: cutBy('server', 'timeout') },
    ];
    expect(weigh(...ends).cluster?.ends.map(({ by, how, code }) => [by, how, code])).toEqual([
      ['server', 'close', 1001],
      ['server', 'close', null],
      ['server', 'reset', null],
      ['server', 'fin', null],
      ['server', 'timeout', null],
    ]);
  });
  test('is perhaps one where a server ended only one so', () => {
    expect(weigh(...ended(60))).toMatchObject({ verdict: 'perhaps', cluster: { aboutMs: 60_000 } });
    expect(weigh(...ended(60), { survivedS: 75 })).toMatchObject({ verdict: 'none', cluster: null });
  });
  test('of a client takes more: a page is closed at any time', () => {
    const byClient = (...endsS: readonly number[]) => endsS.map((endS) => ({ endS, end: closedBy('client', 1001) }));
    expect(weigh(...byClient(60)).verdict).toBe('none');
    expect(weigh(...byClient(60, 60.1)).verdict).toBe('perhaps');
    expect(weigh(...byClient(60, 60.1, 60.2))).toMatchObject({ verdict: 'timeout', cluster: { by: 'client' } });
    expect(weigh(...byClient(60, 60.1, 60.2, 11, 22, 33, 44)).verdict).toBe('none');
  });
  test('is contradicted by what lived through a longer silence: open, ended by anybody, or broken again', () => {
    const longer: readonly QuietSession[] = [
      { survivedS: 75 },
      { quietS: 75 },
      { endS: 75, end: closedBy('client', 1000) },
      { endS: 75, end: cutBy('client', 'reset') },
      { endS: 75, end: { by: 'proxy' } },
      { endS: 1, survivedS: 75 },
    ];
    for (const one of longer) {
      const found = weigh(...ended(60, 60.1, 60.2), one);
      expect(found, JSON.stringify(one)).toMatchObject({ verdict: 'contradicted', lived: { id: '4', ms: 75_000 } });
      expect(found.cluster?.contradictedBy).toEqual([{ id: '4', ms: 75_000 }]);
    }
  });
  test('is not contradicted by what ended sooner, or by a silence that is hardly longer', () => {
    expect(weigh(...ended(60, 60.1), { endS: 30, end: closedBy('client', 1000) }).verdict).toBe('timeout');
    expect(weigh(...ended(60, 60.1), { survivedS: 61 }).verdict).toBe('timeout');
  });
  test('is none where ends are scattered, come after what was survived before, or soon', () => {
    expect(weigh(...ended(25, 38, 52, 77, 110)).verdict).toBe('none');
    expect(weigh({ endS: 60, survivedS: 90 }, { endS: 60, survivedS: 61 })).toMatchObject({
      verdict: 'none',
      survived: { ms: 90_000 },
    });
    expect(weigh({ endS: 1 }, { endS: 1.01 }, { endS: 1.02 }).verdict).toBe('none');
  });
  test('may be as short as is asked for', () => {
    const sessions = quietSessions({ endS: 0.5 }, { endS: 0.52 });
    expect(weighSilences(sessions, { nowUs: null, minIdleMs: 300 })).toMatchObject({
      verdict: 'timeout',
      cluster: { aboutMs: 520 },
    });
  });
});

describe('silences that go on', () => {
  test('count as survived where the time is known, and not where it is not', () => {
    const sessions = quietSessions({ survivedS: 10, quietS: 45 });
    expect(weighSilences(sessions, { nowUs: NOW_US })).toMatchObject({ survived: { id: '1', ms: 45_000 }, open: 1 });
    expect(weighSilences(sessions, { nowUs: null }).survived).toEqual({ id: '1', ms: 10_000 });
    expect(weighSilences(sessions, { nowUs: NOW_US - 3600e6 }).survived).toEqual({ id: '1', ms: 10_000 });
  });
  test('of sessions that were never open are none', () => {
    const [session] = quietSessions({});
    const failed = session === undefined ? [] : [{ ...session, state: 'failed' as const, silence: null }];
    expect(weighSilences(failed, { nowUs: NOW_US })).toEqual({
      verdict: 'none',
      cluster: null,
      ended: 0,
      open: 0,
      survived: null,
      lived: null,
    });
  });
});

describe('whatever the sessions', () => {
  const seconds = fc.double({ min: 0, max: 300, noNaN: true });
  const end = fc.constantFrom(
    closedBy('server', 1001),
    closedBy('client', 1000),
    cutBy('server', 'reset'),
    cutBy('client', 'fin'),
    { by: 'proxy' as const },
  );
  const anySession: fc.Arbitrary<QuietSession> = fc.oneof(
    fc.record({ endS: seconds, survivedS: seconds, end }),
    fc.record({ survivedS: seconds, quietS: seconds }),
  );

  test('a cluster holds only ends after the longest silence of a life, close together, by one side', () => {
    fc.assert(
      fc.property(fc.array(anySession, { maxLength: 40 }), (all) => {
        const { cluster, verdict } = weigh(...all);
        if (cluster === null) return verdict === 'none';
        const { ends, by, aboutMs } = cluster;
        const sources = ends.map(({ id }) => all[Number(id) - 1]);
        const [shortest = 0] = ends.map(({ ms }) => ms);
        const longest = ends.at(-1)?.ms ?? 0;
        expect(sources.every((one) => (one?.endS ?? 0) > (one?.survivedS ?? 0) && (one?.endS ?? 0) >= 4)).toBe(true);
        expect(ends.every((one) => one.by === by)).toBe(true);
        expect(longest - shortest).toBeLessThanOrEqual(2 * Math.max(2_000, longest * 0.05));
        expect(aboutMs >= shortest && aboutMs <= longest).toBe(true);
        return true;
      }),
    );
  });
  test('nothing that is thought a timeout was lived through by a clearly longer silence', () => {
    fc.assert(
      fc.property(fc.array(anySession, { maxLength: 25 }), (all) => {
        const { cluster, verdict, lived } = weigh(...all);
        if (cluster === null || verdict === 'contradicted') return;
        expect(lived?.ms).toBeLessThanOrEqual((cluster.ends.at(-1)?.ms ?? 0) + Math.max(2_000, cluster.aboutMs * 0.05));
      }),
    );
  });
  test('the order in which they stand makes no difference', () => {
    fc.assert(
      fc.property(fc.array(anySession, { maxLength: 20 }), (all) => {
        const { verdict, cluster, survived } = weigh(...all);
        const turned = weigh(...[...all].reverse());
        expect(turned.verdict).toBe(verdict);
        expect(turned.cluster?.ends.map(({ ms }) => ms)).toEqual(cluster?.ends.map(({ ms }) => ms));
        expect(turned.survived?.ms).toBe(survived?.ms);
      }),
    );
  });
  test('a timeout is found among sessions that end by other reasons before it', () => {
    const timeoutS = fc.double({ min: 20, max: 200, noNaN: true });
    const jitter = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 4, maxLength: 20 });
    const share = fc.array(fc.double({ min: 0, max: 0.9, noNaN: true }), { maxLength: 20 });
    fc.assert(
      fc.property(timeoutS, jitter, share, (limitS, late, early) => {
        const byTimeout = late.map((ms) => ({
          endS: limitS + ms,
          survivedS: limitS / 2,
          end: cutBy('server', 'reset'),
        }));
        const before = early.map((part) => ({ endS: limitS * part, end: closedBy('client', 1000) }));
        const { verdict, cluster } = weigh(...byTimeout, ...before);
        expect(verdict).toBe('timeout');
        expect(cluster?.ends.length).toBe(late.length);
        expect(Math.abs((cluster?.aboutMs ?? 0) / 1000 - limitS)).toBeLessThanOrEqual(1);
      }),
    );
  });
});
