// @vitest-environment happy-dom
import { act } from 'react';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Capture } from '../../../web/src/capture/capture.ts';
import { ConnectionBanner } from '../../../web/src/shell/connection-banner.tsx';
import { FakeLiveServer } from '../capture/fake-live-server.ts';
import { render, type Rendered } from '../rendered.tsx';

let shown: Rendered | null = null;
beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(async () => {
  await shown?.remove();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** A page whose server was started anew, and answers a plain question like this. */
async function afterRestart(answer: () => Promise<Response>): Promise<Rendered> {
  const server = new FakeLiveServer();
  const capture = new Capture(server.open, () => undefined);
  shown = await render(capture, <ConnectionBanner />);
  capture.start();
  await act(() => vi.advanceTimersByTimeAsync(10));
  expect(shown.text()).toBe('');
  vi.stubGlobal('fetch', answer);
  server.refusing = true;
  server.restart();
  await act(() => vi.advanceTimersByTimeAsync(6000));
  capture.stop();
  return shown;
}

describe('a page that is open over a restart', () => {
  test('whose login is not known any more is told to open the new address', async () => {
    const error = { code: 'unauthorized', message: 'The token is missing or wrong.' };
    const banner = await afterRestart(() => Promise.resolve(Response.json({ error }, { status: 401 })));
    expect(banner.text()).toContain('started anew, or the login has ended: open the address that it printed');
    expect(banner.text()).not.toContain('by itself');
  });
  test('is told that it goes on by itself while nothing answers', async () => {
    const banner = await afterRestart(() => Promise.reject(new TypeError('fetch failed')));
    expect(banner.text()).toContain('it goes on by itself when Frametap answers again');
  });
});
