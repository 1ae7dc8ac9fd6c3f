import { expect, test } from 'vitest';
import { findSessions, restAfter, type FetchHits, type SessionHits } from '../../../web/src/capture/session-matches.ts';
import { fakeSummary } from '../mock-capture.ts';

/** Even ids up to 30 pass; a page looks at ten sessions. */
const fetch: FetchHits = (_filter, after) => {
  const from = Number(after) + 1;
  const ids = Array.from({ length: 10 }, (_, at) => from + at).filter((id) => id % 2 === 0);
  const sessions = ids.map((id) => fakeSummary(id, { frameCount: 1, firstHeldFrame: 0, seq: id, startedMs: 0 }));
  return Promise.resolve({ sessions, next: from + 9 < 30 ? String(from + 9) : null, needsFrames: true });
};

test('sessions that pass are told page by page, with how far the search has come', async () => {
  const told: SessionHits[] = [];
  await findSessions('x', {
    before: [],
    onHits: (hits) => told.push(hits),
    signal: new AbortController().signal,
    fetch,
  });
  expect(told.map(({ ids, searchedTo }) => [ids.length, searchedTo])).toEqual([
    [5, '10'],
    [10, '20'],
    [15, null],
  ]);
});

test('what passed before stands until the search has come there', async () => {
  const told: SessionHits[] = [];
  await findSessions('x', {
    before: ['1', '2', '15', '29'],
    onHits: (hits) => told.push(hits),
    signal: new AbortController().signal,
    fetch,
  });
  expect(told[0]?.ids).toEqual(['2', '4', '6', '8', '10', '15', '29']);
  expect(told.at(-1)?.ids).not.toContain('29');
});

test('a search that took long is not begun again for a long time', () => {
  expect([0, 300, 5000].map(restAfter)).toEqual([1500, 1500, 20_000]);
});

test('a search that was given up tells nothing more', async () => {
  const abort = new AbortController();
  const told: SessionHits[] = [];
  await findSessions('x', {
    before: [],
    onHits: (hits) => {
      told.push(hits);
      abort.abort();
    },
    signal: abort.signal,
    fetch,
  });
  expect(told).toHaveLength(1);
});
