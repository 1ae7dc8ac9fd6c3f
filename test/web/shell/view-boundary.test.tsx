// @vitest-environment happy-dom
import { act, type ReactNode } from 'react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Capture } from '../../../web/src/capture/capture.ts';
import { ViewBoundary } from '../../../web/src/shell/view-boundary.tsx';
import { render } from '../rendered.tsx';

beforeEach(() => void vi.spyOn(console, 'error').mockImplementation(() => undefined));
afterEach(() => void vi.restoreAllMocks());

const capture = (): Capture =>
  new Capture(
    () => new WebSocket('ws://127.0.0.1:9'),
    () => undefined,
  );
let broken = true;
function View(): ReactNode {
  if (broken) throw new Error('no such column');
  return <p>forty-two</p>;
}
const page = (shows: string): ReactNode => (
  <>
    <p>beside it</p>
    <ViewBoundary name="The view Statistics" shows={shows}>
      <View />
    </ViewBoundary>
  </>
);

test('a view that throws says so in its place, and is shown when it is tried again', async () => {
  const shown = await render(capture(), page('statistics'));
  expect(shown.text()).toContain('beside it');
  expect(shown.node.querySelector('[role=alert]')?.textContent).toContain(
    'The view Statistics could not be shown: no such column',
  );
  broken = false;
  act(() => shown.button('Try again').click());
  expect(shown.text()).toBe('beside itforty-two');
  await shown.remove();
});

test('a fault is forgotten when something else is shown', async () => {
  broken = true;
  const shown = await render(capture(), page('statistics'));
  broken = false;
  await shown.again(page('statistics'));
  expect(shown.text()).toContain('could not be shown');
  await shown.again(page('close'));
  expect(shown.text()).toBe('beside itforty-two');
  await shown.remove();
});
