// @vitest-environment happy-dom
import { act } from 'react';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { SessionSummary } from '../../../src/contract/session.ts';
import { IdleTimeoutLine } from '../../../web/src/silence/idle-timeout-line.tsx';
import { IdleTimeoutSection } from '../../../web/src/silence/idle-timeout-section.tsx';
import { setUi, useUi } from '../../../web/src/state.ts';
import { render, type Rendered } from '../rendered.tsx';
import { toldCapture } from '../told-capture.ts';
import { closedBy, quietSession, quietSessions } from './quiet-sessions.ts';

let shown: Rendered | null = null;
afterEach(async () => {
  await shown?.remove();
  shown = null;
  vi.useRealTimers();
  setUi({ session: null, tab: 'frames', filter: '', filterText: '' });
});

const first = ([session]: readonly SessionSummary[]): SessionSummary => {
  if (session === undefined) throw new Error('no session');
  return session;
};

describe('the idle timeout of the Heartbeat tab', () => {
  test('is said with its evidence, and every session of it is a click away', async () => {
    const sessions = quietSessions({ endS: 59.8, survivedS: 58 }, { endS: 60.2 }, { endS: 2 }, { quietS: 1 });
    shown = await render(toldCapture(sessions).capture, <IdleTimeoutSection session={first(sessions)} pings={null} />);
    expect(shown.text()).toContain('An idle timeout of about 60 s in the server.');
    expect(shown.text()).toContain('2 of the 3 ended sessions to wss://host.example ended after 59.8 to 60.2 s');
    expect(shown.text()).toContain('Before its end this session was quiet for 59.8 s');
    expect(shown.button('session 1 · 59.8 s').getAttribute('aria-current')).toBe('true');
    const other = shown.button('session 2 · 60.2 s');
    act(() => other.click());
    expect(useUi.getState().session).toBe('2');
  });
  test('is there while the session is open, without any ping, and whatever the list of sessions shows', async () => {
    setUi({ filter: 'url:nothing', filterText: 'url:nothing' });
    const sessions = quietSessions({ quietS: 5 }, { endS: 60 }, { endS: 60.1 });
    shown = await render(toldCapture(sessions).capture, <IdleTimeoutSection session={first(sessions)} pings={null} />);
    expect(shown.text()).toContain('An idle timeout of about 60 s');
    expect(shown.text()).toContain('Nothing pings in this session: it has to say something at least every 60 s.');
    expect(shown.text()).toMatch(/This session has been quiet for 4\.\d\d s\./);
  });
  test('counts a silence that goes on by the clock of the server, and not while the view is paused', async () => {
    vi.useFakeTimers();
    const sessions = quietSessions({ quietS: 5 }, { endS: 60 }, { endS: 60.1 });
    const { capture } = toldCapture(sessions);
    const view = <IdleTimeoutSection session={first(sessions)} pings={null} />;
    shown = await render(capture, view);
    expect(shown.button('session 1 · 4.00 s')).toBeDefined();
    await act(() => vi.advanceTimersByTimeAsync(70_000));
    expect(shown.text()).toContain('No idle timeout of about 60 s for all: others lived through up to 74.0 s.');
    expect(shown.button('session 1 · 74.0 s')).toBeDefined();
    capture.pause(true);
    await act(() => vi.advanceTimersByTimeAsync(2_000));
    expect(shown.text()).toContain('An idle timeout of about 60 s');
  });
  test('is thought over again now and then, not at each change of a session', async () => {
    vi.useFakeTimers();
    const sessions = quietSessions({ endS: 60 });
    const { capture, tell } = toldCapture(sessions);
    const view = <IdleTimeoutSection session={first(sessions)} pings={null} />;
    shown = await render(capture, view);
    expect(shown.text()).toContain('Perhaps an idle timeout');
    tell([quietSession(2, { endS: 60.1 })]);
    await shown.again(<IdleTimeoutSection session={first(sessions)} pings={null} />);
    expect(shown.text()).toContain('Perhaps an idle timeout');
    await act(() => vi.advanceTimersByTimeAsync(2_000));
    expect(shown.text()).toContain('An idle timeout of about 60 s');
  });
  test('lists the newest of many, and how many more there are', async () => {
    const sessions = quietSessions(...Array.from({ length: 40 }, () => ({ endS: 60 })));
    shown = await render(toldCapture(sessions).capture, <IdleTimeoutSection session={first(sessions)} pings={null} />);
    const ended = shown.node.querySelector('[aria-label="Sessions: ended alike"]');
    expect(ended?.querySelectorAll('button')).toHaveLength(12);
    expect(ended?.textContent).toContain('session 40 · 60.0 s');
    expect(ended?.textContent).toContain('and 28 more');
  });
  test('says whether the pings come often enough', async () => {
    const sessions = quietSessions({ endS: 60 }, { endS: 60 });
    const pings = { name: 'ping frames of the client', everyMs: 75_000 };
    shown = await render(toldCapture(sessions).capture, <IdleTimeoutSection session={first(sessions)} pings={pings} />);
    expect(shown.text()).toContain('Every 75.0 s there are ping frames of the client: too seldom for it.');
  });
});

describe('the idle timeout of the Close tab', () => {
  test('is short, and leads to the evidence', async () => {
    const sessions = quietSessions({ endS: 60, survivedS: 20 }, { endS: 60.1 }, { endS: 60.2 });
    shown = await render(toldCapture(sessions).capture, <IdleTimeoutLine session={first(sessions)} />);
    expect(shown.text()).toBe(
      'Before its end this session was quiet for 60.0 s; the longest silence before that was 20.0 s.' +
        'An idle timeout of about 60 s in the server. This session ended like 2 others. See why',
    );
    const why = shown.button('See why');
    act(() => why.click());
    expect(useUi.getState().tab).toBe('heartbeat');
  });
  test('is left out where no session was quiet for long', async () => {
    const sessions = quietSessions({ endS: 0.5, survivedS: 2 });
    shown = await render(toldCapture(sessions).capture, <IdleTimeoutLine session={first(sessions)} />);
    expect(shown.text()).toBe(
      'Before its end this session was quiet for 500 ms; the longest silence before that was 2.00 s.',
    );
  });
  test('says where this session is no part of it', async () => {
    const sessions = quietSessions({ endS: 3, end: closedBy('client', 1000) }, { endS: 60 }, { endS: 60.1 });
    shown = await render(toldCapture(sessions).capture, <IdleTimeoutLine session={first(sessions)} />);
    expect(shown.text()).toContain('This session did not end so.');
  });
});
