import type { LiveMessage } from '../../src/contract/live.ts';
import type { SessionSummary } from '../../src/contract/session.ts';
import { Capture } from '../../web/src/capture/capture.ts';

type Listener = (event: { readonly data: unknown }) => void;

/** What the page knows once a server has told it of these sessions, and what it is told then. */
export interface ToldCapture {
  readonly capture: Capture;
  readonly tell: (sessions: readonly SessionSummary[]) => void;
  readonly say: (message: LiveMessage) => void;
}

export function toldCapture(sessions: readonly SessionSummary[]): ToldCapture {
  const listeners = new Map<string, Listener>();
  const say = (message: LiveMessage): void => listeners.get('message')?.({ data: JSON.stringify(message) });
  const tell = (told: readonly SessionSummary[]): void => say({ type: 'sessions', seq: 1, sessions: told });
  const capture = new Capture(
    () => ({
      binaryType: '',
      readyState: 1,
      addEventListener: (type: string, listener: Listener) => void listeners.set(type, listener),
      send: () => undefined,
      close: () => listeners.get('close')?.({ data: null }),
    }),
    () => undefined,
  );
  capture.start();
  const memory = { budgetBytes: 1, usedBytes: 0 };
  const evicted = { sessions: 0, frames: 0, bytes: 0 };
  const totals = { sessions: sessions.length, openSessions: 0, frames: 0, bytes: 0 };
  say({
    type: 'hello',
    epoch: 'first',
    seq: 0,
    status: { epoch: 'first', seq: 1, recording: true, ...totals, memory, evicted },
  });
  tell(sessions);
  return { capture, tell, say };
}
