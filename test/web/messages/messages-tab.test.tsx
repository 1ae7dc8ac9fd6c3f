// @vitest-environment happy-dom
import { act } from 'react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import MessagesTab from '../../../web/src/messages/messages-tab.tsx';
import { setUi } from '../../../web/src/state.ts';
import { fakeSummary } from '../mock-capture.ts';
import { render, type Rendered } from '../rendered.tsx';
import { toldCapture } from '../told-capture.ts';

const NOTE = 'What is chosen of the frames does not choose among messages';
const UNCHOSEN = {
  filter: '',
  filterNeedsFrames: false,
  direction: 'all',
  kind: 'all',
  find: '',
  range: null,
} as const;
let shown: Rendered;

beforeEach(async () => {
  setUi(UNCHOSEN);
  vi.stubGlobal('fetch', () => Promise.resolve(Response.json({ messages: [], next: null })));
  const session = fakeSummary(1, { frameCount: 9, firstHeldFrame: 0, seq: 1, startedMs: 0 });
  shown = await render(toldCapture([session]).capture, <MessagesTab sessionId="1" />);
});
afterEach(async () => {
  await shown.remove();
  vi.unstubAllGlobals();
});

test.each([
  ['the filter', { filter: 'needle', filterNeedsFrames: true }],
  ['a direction', { direction: 'up' }],
  ['a kind', { kind: 'control' }],
  ['a search', { find: 'needle' }],
  ['a stretch of the timeline', { range: { from: 1, to: 3 } }],
] as const)('messages say that %s of the frames does not choose among them', (_what, choice) => {
  act(() => setUi(choice));
  expect(shown.text()).toContain(NOTE);
  act(() => setUi(UNCHOSEN));
  expect(shown.text()).not.toContain(NOTE);
});

test('a filter that chooses sessions alone has no need to be explained', () => {
  act(() => setUi({ filter: 'is:open', filterNeedsFrames: false }));
  expect(shown.text()).not.toContain(NOTE);
});
