// @vitest-environment happy-dom
import { act } from 'react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { MessagePage } from '../../../src/contract/api.ts';
import MessagesTab from '../../../web/src/messages/messages-tab.tsx';
import { setUi } from '../../../web/src/state.ts';
import { fakeMessage, fakeSummary } from '../mock-capture.ts';
import { render, type Rendered } from '../rendered.tsx';
import { toldCapture } from '../told-capture.ts';

const UNCHOSEN = {
  filter: '',
  filterNeedsFrames: false,
  direction: 'all',
  kind: 'all',
  find: '',
  range: null,
  findFault: null,
  followMessages: false,
} as const;
let shown: Rendered;
let asked: URLSearchParams[];
/** What the server says to a filter. */
let answerTo: (filter: string) => Response;

const pageOf = (indexes: readonly number[]): Response => {
  const messages = indexes.map((index) => fakeMessage(index, 0));
  return Response.json({
    messages,
    next: null,
    messageCount: 9,
    firstHeldMessage: 0,
    growing: [],
    unreadable: 0,
  } satisfies MessagePage);
};

beforeEach(async () => {
  setUi(UNCHOSEN);
  asked = [];
  answerTo = () => pageOf([2, 4]);
  vi.stubGlobal('fetch', (path: string) => {
    const { pathname, searchParams } = new URL(path, 'http://frametap');
    if (!pathname.endsWith('/messages')) return Promise.reject(new Error(`not expected: ${pathname}`));
    asked.push(searchParams);
    const filter = searchParams.get('filter') ?? '';
    const whole = filter === '' && !searchParams.has('fromFrame');
    return Promise.resolve(whole ? pageOf([0, 1, 2, 3, 4, 5, 6, 7, 8]) : answerTo(filter));
  });
  const session = fakeSummary(1, { frameCount: 30, firstHeldFrame: 0, seq: 1, startedMs: 0 });
  const { capture } = toldCapture([session]);
  shown = await render(capture, <MessagesTab sessionId="1" />);
});
afterEach(async () => {
  await shown.remove();
  vi.unstubAllGlobals();
});

const until = (expectation: () => void): Promise<void> => act(() => vi.waitFor(expectation));

test.each([
  ['the filter', { filter: 'needle', filterNeedsFrames: true }, { filter: '(needle)' }],
  ['a direction', { direction: 'up' }, { filter: 'dir:up' }],
  ['a search', { find: 'two words' }, { filter: 'text:"two words"' }],
  ['a stretch of the timeline', { range: { from: 1, to: 13 } }, { fromFrame: '1', toFrame: '13' }],
] as const)('%s chooses among messages, and all are listed again without it', async (_what, choice, query) => {
  await until(() => expect(shown.text()).not.toContain('No messages'));
  expect(shown.text()).not.toContain(' of 9');
  act(() => setUi(choice));
  await until(() => expect(shown.text()).toContain('2 of 9'));
  expect(Object.fromEntries(asked.at(-1) ?? [])).toMatchObject(query);
  act(() => setUi(UNCHOSEN));
  await until(() => expect(shown.text()).not.toContain(' of 9'));
});

test.each([
  ['sessions alone', { filter: 'is:open', filterNeedsFrames: false }],
  ['the kind of frames', { kind: 'control' }],
] as const)('what chooses %s does not choose among messages', async (_what, choice) => {
  act(() => setUi(choice));
  await until(() => expect(asked.length).toBeGreaterThan(0));
  expect(asked.every((query) => !query.has('filter'))).toBe(true);
  expect(shown.text()).not.toContain(' of 9');
});

test('where no message passes, that is said', async () => {
  answerTo = () => pageOf([]);
  act(() => setUi({ find: 'nowhere' }));
  await until(() => expect(shown.text()).toContain('None of the 9 messages passes the filter.'));
});

test('what is wrong with what is looked for is said', async () => {
  answerTo = () =>
    Response.json({ error: { code: 'invalid-filter', message: 'At character 6: expected less.' } }, { status: 400 });
  act(() => setUi({ find: '/(/' }));
  await until(() => expect(shown.text()).toContain('At character 6: expected less.'));
});
