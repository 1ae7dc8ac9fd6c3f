import { CSPProvider } from '@base-ui/react/csp-provider';
import { useEffect, useState, useSyncExternalStore, type ReactNode } from 'react';
import { formatCounted } from './format/numbers.ts';
import { ConnectionBanner } from './shell/connection-banner.tsx';
import { EmptyState } from './shell/empty-state.tsx';
import { ClearDialog, HelpDialog } from './shell/dialogs.tsx';
import { keepPlace } from './shell/keep-place.ts';
import { listenForKeys } from './shell/keyboard.ts';
import { Splitter } from './shell/splitter.tsx';
import { SessionPane } from './session/session-pane.tsx';
import type { WrittenPlace } from './place.ts';
import { openFirst } from './sessions/first-session.ts';
import { moveSession } from './sessions/session-order.ts';
import { SessionList } from './sessions/session-list.tsx';
import { setUi, useUi } from './state.ts';
import { switchRecording, TopBar } from './top-bar/top-bar.tsx';
import { useCapture, useStatus } from './use-capture.ts';

/** `place`: what the address said when the page was opened. */
export function App({ place }: { readonly place: WrittenPlace }): ReactNode {
  const capture = useCapture();
  const session = useUi((ui) => ui.session);
  const theme = useUi((ui) => ui.theme);
  const sessionsPx = useUi((ui) => ui.sessionsPx);
  const nothing = useSyncExternalStore(capture.sessionsPulse.subscribe, () => capture.book.size === 0);
  const [settled, setSettled] = useState(false);
  const coming = useSyncExternalStore(
    capture.statusPulse.subscribe,
    () => capture.status === null || (capture.status.sessions > 0 && !settled),
  );

  useEffect(() => capture.select(session), [capture, session]);
  useEffect(() => {
    const keeping = keepPlace(capture);
    const stop = openFirst(capture, place, () => {
      setSettled(true);
      keeping.begin();
    });
    return () => {
      stop();
      keeping.stop();
    };
  }, [capture, place]);
  useEffect(() => {
    if (theme === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = theme;
  }, [theme]);
  useEffect(
    () =>
      listenForKeys({
        openDetail: () => setUi({ detailOpen: true }),
        closeDetail: () => setUi({ detailOpen: false }),
        moveSession: (by) => moveSession(capture, by),
        toggleFollow,
        togglePause: () => capture.pause(!capture.paused),
        showHelp: () => setUi({ dialog: 'help' }),
      }),
    [capture],
  );

  const empty = nothing && session === null;
  return (
    <CSPProvider disableStyleElements>
      <div className="app">
        <TopBar />
        <Banners />
        {!empty && (
          <div className="app-body">
            <SessionList widthPx={sessionsPx} />
            <Splitter
              orientation="vertical"
              label="Width of the session list"
              valuePx={sessionsPx}
              minPx={220}
              maxPx={640}
              sense={1}
              onChange={(px) => setUi({ sessionsPx: px })}
            />
            <main className="app-main">
              <SessionPane />
            </main>
          </div>
        )}
        {empty && (coming ? <main className="app-body" aria-busy /> : <EmptyState />)}
        <HelpDialog />
        <ClearDialog />
        <Notice />
      </div>
    </CSPProvider>
  );
}

/** Of the list that is shown. */
function toggleFollow(): void {
  const { tab, follow, followMessages } = useUi.getState();
  setUi(tab === 'messages' ? { followMessages: !followMessages } : { follow: !follow });
}

function Banners(): ReactNode {
  const capture = useCapture();
  useStatus(capture);
  return (
    <>
      <ConnectionBanner />
      {capture.status?.recording === false && (
        <div className="banner" role="alert">
          Recording is stopped: traffic passes through the proxy, and nothing of it is kept.
          <button type="button" className="button small" onClick={() => void switchRecording(true)}>
            Record again
          </button>
        </div>
      )}
      {capture.paused && (
        <div className="banner calm" role="status">
          The view is paused. The capture goes on
          {capture.status === null ? '' : `: ${formatCounted(capture.status.frames, 'frame')} so far`}.
          <button type="button" className="button small" onClick={() => capture.pause(false)}>
            Resume view
          </button>
        </div>
      )}
      {capture.readError !== null && (
        <div className="banner" role="alert">
          Frames could not be read: {capture.readError}
        </div>
      )}
    </>
  );
}

function Notice(): ReactNode {
  const notice = useUi((ui) => ui.notice);
  return (
    <div aria-live="polite" className={notice === null ? 'visually-hidden' : 'notice'}>
      {notice}
    </div>
  );
}
