// @vitest-environment happy-dom
import { act } from 'react';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { FrameRow } from '../../../src/contract/frame.ts';
import type { SessionSummary } from '../../../src/contract/session.ts';
import HeartbeatTab from '../../../web/src/heartbeat/heartbeat-tab.tsx';
import { HEARTBEAT_FILTER } from '../../../web/src/heartbeat/ping-sign.ts';
import { setUi, useUi } from '../../../web/src/state.ts';
import { render, type Rendered } from '../rendered.tsx';
import { quietSession } from '../silence/quiet-sessions.ts';
import { toldCapture } from '../told-capture.ts';
import { DOWN, frame, PING, PONG, TEXT, UP } from './beat-frames.ts';

// A canvas is drawn in a browser alone.
vi.mock('../../../web/src/statistics/chart.tsx', () => ({
  Chart: ({ label }: { readonly label: string }) => <div role="img" aria-label={label} />,
}));

let shown: Rendered | null = null;
afterEach(async () => {
  await shown?.remove();
  vi.unstubAllGlobals();
  setUi({ tab: 'frames', frame: null });
});

const asked: string[] = [];
let sessionId = 100;

const nextFrame = (): Promise<void> => new Promise((resolve) => requestAnimationFrame(() => resolve()));

/** The tab of a session that has these frames; the server is asked for no others. */
async function open(rows: readonly FrameRow[], changes: Partial<SessionSummary> = {}): Promise<Rendered> {
  vi.stubGlobal('fetch', (path: string) => {
    asked.push(path);
    return Promise.resolve(
      Response.json({ frames: rows, next: null, frameCount: 9, firstHeldFrame: 0, growing: [], unreadable: 0 }),
    );
  });
  // What was read of a session is kept: each test has its own.
  const session = { ...quietSession((sessionId += 1), { quietS: 1, survivedS: 25 }), ...changes };
  const { capture } = toldCapture([session]);
  shown = await render(capture, <HeartbeatTab session={session} />);
  while (shown.node.querySelector('.walk-note')?.textContent !== '') await act(nextFrame);
  return shown;
}
const cells = ({ node }: Rendered): string[][] =>
  [...node.querySelectorAll('tbody tr')].map((row) => [...row.children].map(({ textContent }) => textContent));

describe('the Heartbeat tab', () => {
  test('has a row for each kind and side: how many, answered, missed, percentiles, and how often', async () => {
    const beats = Array.from({ length: 10 }, (_, at) => [
      frame(PING, DOWN, `${at}`, at * 1000),
      frame(PONG, UP, `${at}`, at * 1000 + 10 + at),
    ]);
    const tab = await open([
      ...beats.flat(),
      frame(TEXT, UP, '{"type":"ping"}', 20_000),
      frame(TEXT, DOWN, '{"type":"pong"}', 20_500),
    ]);
    expect(cells(tab)).toEqual([
      ['ping frames of the server', '10', '10', '0', '14 ms', '18 ms', '19 ms', '19 ms', '1.00 s'],
      ['ping messages of the client', '1', '1', '0', '500 ms', '500 ms', '500 ms', '500 ms', '–'],
    ]);
    expect(tab.node.querySelector('[role="img"]')).not.toBeNull();
    expect(tab.text()).toContain(
      'Every 1.00 s there are ping frames of the server: often enough for all that is known.',
    );
    expect(asked.at(-1)).toContain(new URLSearchParams({ filter: HEARTBEAT_FILTER }).toString());
  });
  test('lists what was missed, as many as the table says, and leads to each', async () => {
    const pings = [frame(PING, UP, 'a', 0), frame(PING, UP, 'b', 1000), frame(PING, UP, 'c', 2000)];
    const rows = [...pings, frame(PONG, DOWN, 'b', 1500)];
    const open3 = await open(rows);
    expect(cells(open3)[0]?.slice(1, 4)).toEqual(['3', '1', '1']);
    const lost = `frame ${pings[0]?.index}`;
    expect(open3.text()).toContain(
      `Without an answer: ping frames of the client${lost}For one of them the pong to a later`,
    );
    const button = open3.button(lost);
    act(() => button.click());
    expect(useUi.getState()).toMatchObject({ tab: 'frames', frame: pings[0]?.index });
    await open3.remove();
    const over = await open(rows, { state: 'closed', closedAt: '2023-11-14T22:13:20.000000Z' });
    expect(cells(over)[0]?.slice(1, 4)).toEqual(['3', '1', '2']);
    expect(over.button(`frame ${pings[2]?.index}`)).toBeDefined();
  });
  test('knows what is one-way, and pongs that nobody asked for', async () => {
    const pong = frame(PONG, UP, '', 0);
    const tab = await open([pong, ...[0, 1, 2].map((at) => frame(TEXT, DOWN, '{"type":"ping"}', at * 3000))]);
    expect(cells(tab)).toEqual([['ping messages of the server, one-way', '3', '–', '–', '–', '–', '–', '–', '3.00 s']]);
    expect(tab.text()).not.toContain('Without an answer');
    expect(tab.text()).toContain('One pong of the client came without a ping');
    expect(tab.button(`frame ${pong.index}`)).toBeDefined();
    expect(tab.node.querySelector('[role="img"]')).toBeNull();
  });
  test('says what engine.io has announced', async () => {
    const tab = await open([frame(TEXT, DOWN, '0{"sid":"x","pingInterval":25000,"pingTimeout":20000}', 0)]);
    expect(tab.text()).toContain('engine.io has announced a ping every 25.0 s, and waits 20.0 s for the answer.');
  });
  test('without pings still says what is known of an idle timeout', async () => {
    const tab = await open([]);
    expect(tab.text()).toContain('No pings');
    expect(tab.text()).toContain('If there is an idle timeout, it is at least 25.0 s.');
  });
});
