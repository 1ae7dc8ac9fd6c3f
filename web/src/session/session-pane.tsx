import { Suspense, type KeyboardEvent, type ReactNode } from 'react';
import type { SessionSummary } from '../../../src/contract/session.ts';
import { visibleLine } from '../format/visible-text.ts';
import { FramesTab } from '../frames/frames-tab.tsx';
import { TABS, type Tab } from '../place.ts';
import { lazyView } from '../shell/lazy-view.tsx';
import { ViewBoundary } from '../shell/view-boundary.tsx';
import { setUi, useUi } from '../state.ts';
import { useCapture, useSessions } from '../use-capture.ts';
import { SessionHeader } from './session-header.tsx';
import './session-pane.css';

const MessagesTab = lazyView(() => import('../messages/messages-tab.tsx'));
const HandshakeTab = lazyView(() => import('../handshake/handshake-tab.tsx'));
const TimingTab = lazyView(() => import('../timing/timing-tab.tsx'));
const HeartbeatTab = lazyView(() => import('../heartbeat/heartbeat-tab.tsx'));
const StatisticsTab = lazyView(() => import('../statistics/statistics-tab.tsx'));
const CloseTab = lazyView(() => import('../close/close-tab.tsx'));

const TAB_NAMES: Readonly<Record<Tab, string>> = {
  frames: 'Frames',
  messages: 'Messages',
  handshake: 'Handshake',
  timing: 'Timing',
  heartbeat: 'Heartbeat',
  statistics: 'Statistics',
  close: 'Close',
};

export function SessionPane(): ReactNode {
  const capture = useCapture();
  useSessions(capture);
  const id = useUi((ui) => ui.session);
  const tab = useUi((ui) => ui.tab);
  if (id === null)
    return (
      <div className="pick">
        Choose a session on the left, or press <kbd>]</kbd>.
      </div>
    );
  const session = capture.book.get(id);
  if (session === undefined)
    return <div className="pick">This session is no longer held: it was evicted, deleted or cleared.</div>;
  return (
    <>
      <SessionHeader session={session} />
      <TabBar tab={tab} session={session} />
      <div className="tab-panel" role="tabpanel" id="session-panel" aria-labelledby={`tab-${tab}`}>
        <ViewBoundary name={`The view ${TAB_NAMES[tab]}`} shows={`${session.id} ${tab}`}>
          <Suspense fallback={<div className="loading">…</div>}>
            <TabContent key={`${capture.epoch ?? ''} ${session.id}`} tab={tab} session={session} />
          </Suspense>
        </ViewBoundary>
      </div>
    </>
  );
}

/** A session that was never open has only its handshake to show. */
function NeverOpen({ session }: { readonly session: SessionSummary }): ReactNode {
  return (
    <div className="pick">
      The handshake failed: {visibleLine(session.fault?.message ?? 'no reason is known')}{' '}
      <button type="button" className="button small" onClick={() => setUi({ tab: 'handshake' })}>
        See the handshake
      </button>
    </div>
  );
}

function TabContent({ tab, session }: { readonly tab: Tab; readonly session: SessionSummary }): ReactNode {
  if (session.state === 'failed' && session.frameCount === 0 && tab !== 'handshake' && tab !== 'timing') {
    return <NeverOpen session={session} />;
  }
  switch (tab) {
    case 'frames':
      return <FramesTab sessionId={session.id} />;
    case 'messages':
      return <MessagesTab sessionId={session.id} />;
    case 'handshake':
      return <HandshakeTab session={session} />;
    case 'timing':
      return <TimingTab session={session} />;
    case 'heartbeat':
      return <HeartbeatTab session={session} />;
    case 'statistics':
      return <StatisticsTab session={session} />;
    case 'close':
      return <CloseTab session={session} />;
  }
}

function TabBar({ tab, session }: { readonly tab: Tab; readonly session: SessionSummary }): ReactNode {
  const onKeyDown = (event: KeyboardEvent): void => {
    const at = TABS.indexOf(tab);
    const places: Readonly<Record<string, number>> = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1 };
    const place = places[event.key];
    const next = place === undefined ? undefined : TABS.at(place % TABS.length);
    if (next === undefined) return;
    event.preventDefault();
    setUi({ tab: next });
    document.getElementById(`tab-${next}`)?.focus();
  };
  return (
    <div className="tabs" role="tablist" aria-label="Views of the session" onKeyDown={onKeyDown}>
      {TABS.map((name) => (
        <button
          key={name}
          id={`tab-${name}`}
          type="button"
          role="tab"
          className="tab"
          aria-selected={name === tab}
          aria-controls="session-panel"
          tabIndex={name === tab ? 0 : -1}
          onClick={() => setUi({ tab: name })}
        >
          {TAB_NAMES[name]}
          {name === 'handshake' && session.state === 'failed' && <span className="error"> ✕</span>}
        </button>
      ))}
    </div>
  );
}
