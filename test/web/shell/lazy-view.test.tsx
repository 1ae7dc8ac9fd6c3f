// @vitest-environment happy-dom
import { act, Suspense, type ReactNode } from 'react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Capture } from '../../../web/src/capture/capture.ts';
import { lazyView } from '../../../web/src/shell/lazy-view.tsx';
import { ViewBoundary } from '../../../web/src/shell/view-boundary.tsx';
import { render } from '../rendered.tsx';

beforeEach(() => void vi.spyOn(console, 'error').mockImplementation(() => undefined));
afterEach(() => void vi.restoreAllMocks());

test('a view whose code could not be fetched is fetched again when it is tried again', async () => {
  let fetches = 0;
  const Total = lazyView(async () => {
    fetches += 1;
    await Promise.resolve();
    if (fetches === 1) throw new Error('the server is away');
    return { default: ({ count }: { readonly count: number }): ReactNode => <p>{count} in all</p> };
  });
  const capture = new Capture(
    () => new WebSocket('ws://127.0.0.1:9'),
    () => undefined,
  );
  const shown = await render(
    capture,
    <ViewBoundary name="The view Total" shows="total">
      <Suspense fallback="…">
        <Total count={42} />
      </Suspense>
    </ViewBoundary>,
  );
  await vi.waitFor(() => expect(shown.text()).toContain('The view Total could not be shown: the server is away'));
  await act(async () => {
    shown.button('Try again').click();
    await Promise.resolve();
  });
  await vi.waitFor(() => expect(shown.text()).toBe('42 in all'));
  expect(fetches).toBe(2);
  await shown.remove();
});
