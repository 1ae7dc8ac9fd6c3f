import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { Capture } from './capture/capture.ts';
import { readPlace } from './place.ts';
import { NOTHING_SELECTED, openSession, setUi } from './state.ts';
import { CaptureContext } from './use-capture.ts';
import './theme.css';
import './app.css';

const capture = new Capture(
  () => {
    const url = new URL('/api/live', location.href);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    return new WebSocket(url);
  },
  () => openSession(null),
);
// Whether the session is of this run of the server is known only when that has answered.
const place = readPlace(location.hash);
setUi({ ...place, session: null, ...NOTHING_SELECTED });
capture.start();

const root = document.getElementById('root');
if (root !== null) {
  createRoot(root).render(
    <StrictMode>
      <CaptureContext value={capture}>
        <App place={place} />
      </CaptureContext>
    </StrictMode>,
  );
}
