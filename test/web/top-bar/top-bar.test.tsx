// @vitest-environment happy-dom
import { act } from 'react';
import { expect, test } from 'vitest';
import { TopBar } from '../../../web/src/top-bar/top-bar.tsx';
import { fakeSummary } from '../mock-capture.ts';
import { render } from '../rendered.tsx';
import { toldCapture } from '../told-capture.ts';

const summary = (id: number) => fakeSummary(id, { frameCount: 1, firstHeldFrame: 0, seq: id, startedMs: 0 });

test('counts the sessions that the list has, without waiting for the next status', async () => {
  const { capture, tell } = toldCapture([summary(1)]);
  const shown = await render(capture, <TopBar />);
  const totals = (): string => shown.node.querySelector('.totals')?.textContent ?? '';
  expect(totals()).toContain('1 session');
  tell([summary(2)]);
  await act(() => new Promise((resolve) => setTimeout(resolve, 50)));
  expect(totals()).toContain('2 sessions');
  await shown.remove();
});
