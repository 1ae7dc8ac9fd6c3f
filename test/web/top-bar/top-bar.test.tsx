// @vitest-environment happy-dom
import { act } from 'react';
import { expect, test } from 'vitest';
import { TopBar } from '../../../web/src/top-bar/top-bar.tsx';
import { setUi } from '../../../web/src/state.ts';
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

test('a fault is marked in the filter that was tried, also while one goes on writing', async () => {
  const { capture } = toldCapture([]);
  const shown = await render(capture, <TopBar />);
  await act(() => {
    setUi({ filterText: 'op:text', filterFault: { text: 'dir:up op:j', message: 'At character 11', position: 10 } });
    return Promise.resolve();
  });
  const fault = shown.node.querySelector('.filter-fault');
  expect(fault?.querySelector('pre')?.textContent).toBe('dir:up op:j');
  expect(fault?.querySelector('mark')?.textContent).toBe('j');
  setUi({ filterText: '', filterFault: null });
  await shown.remove();
});
