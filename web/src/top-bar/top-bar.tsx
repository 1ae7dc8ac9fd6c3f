import { Activity, Keyboard, Monitor, Moon, Pause, Play, Sun, Trash2 } from 'lucide-react';
import { useSyncExternalStore, type ReactNode } from 'react';
import { setRecording } from '../capture/api.ts';
import { formatCount, formatMemory, formatCounted } from '../format/numbers.ts';
import { say } from '../shell/copy.ts';
import { setUi, useUi } from '../state.ts';
import { useCapture, useStatus } from '../use-capture.ts';
import { ExportMenu } from './export-menu.tsx';
import { FilterField } from './filter-field.tsx';
import './top-bar.css';

export function TopBar(): ReactNode {
  return (
    <header className="top-bar">
      <span className="brand">
        <Activity size={15} aria-hidden /> frametap
      </span>
      <CaptureState />
      <FilterField />
      <PauseButton />
      <button
        type="button"
        className="button"
        aria-label="Clear"
        title="Forget everything captured"
        onClick={() => setUi({ dialog: 'clear' })}
      >
        <Trash2 size={13} aria-hidden /> <span className="word">Clear</span>
      </button>
      <ExportMenu />
      <ThemeButton />
      <button
        type="button"
        className="button plain icon"
        aria-label="Keyboard shortcuts"
        title="Keyboard shortcuts (?)"
        onClick={() => setUi({ dialog: 'help' })}
      >
        <Keyboard size={15} aria-hidden />
      </button>
    </header>
  );
}

function CaptureState(): ReactNode {
  const capture = useCapture();
  useStatus(capture);
  const { status, liveState } = capture;
  const state = liveState !== 'live' ? liveState : status?.recording === false ? 'stopped' : 'capturing';
  const word = {
    lost: 'reconnecting',
    refused: 'not logged in',
    connecting: 'connecting',
    stopped: 'not recording',
    capturing: 'capturing',
  }[state];
  return (
    <div className="capture-state">
      <button
        type="button"
        className={`button plain state-button ${state}`}
        disabled={status === null || liveState !== 'live'}
        title={status?.recording === false ? 'Resume recording' : 'Stop recording: traffic passes, nothing is kept'}
        onClick={() => void switchRecording(status?.recording === false)}
      >
        <span className="state-dot" aria-hidden />
        {word}
      </button>
      {status !== null && (
        <span className="totals">
          <SessionCount told={status.sessions} />
          <span>
            <b>{formatCount(status.frames)}</b> {status.frames === 1 ? 'frame' : 'frames'}
          </span>
          <Memory used={status.memory.usedBytes} budget={status.memory.budgetBytes} evicted={status.evicted.frames} />
        </span>
      )}
    </div>
  );
}

/** The status comes once a second, and the list may know of more by then. */
function SessionCount({ told }: { readonly told: number }): ReactNode {
  const capture = useCapture();
  const listed = useSyncExternalStore(capture.sessionsPulse.subscribe, () => capture.book.size);
  const count = Math.max(told, listed);
  return (
    <span>
      <b>{formatCount(count)}</b> {count === 1 ? 'session' : 'sessions'}
    </span>
  );
}

function Memory(props: { readonly used: number; readonly budget: number; readonly evicted: number }): ReactNode {
  const share = props.budget === 0 ? 0 : Math.min(1, props.used / props.budget);
  const title =
    props.evicted === 0
      ? 'Memory that the capture takes. The oldest frames go when the budget is used up.'
      : `${formatCounted(props.evicted, 'frame')} ${props.evicted === 1 ? 'was' : 'were'} evicted: the oldest go first when the budget is used up. Raise it with --memory.`;
  return (
    <span className="memory" title={title}>
      <span className="memory-bar" aria-hidden>
        <span className={share > 0.9 ? 'full' : ''} style={{ width: `${share * 100}%` }} />
      </span>
      <span className="memory-text">
        {formatMemory(props.used)} of {formatMemory(props.budget)}
        {props.evicted > 0 && ' · '}
      </span>
      {props.evicted > 0 && <span className="evicted">{formatCount(props.evicted)} evicted</span>}
    </span>
  );
}

export async function switchRecording(recording: boolean): Promise<void> {
  try {
    await setRecording(recording);
    say(recording ? 'Recording again' : 'Recording stopped: traffic passes, nothing is kept');
  } catch (error) {
    say(`Recording could not be switched: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function PauseButton(): ReactNode {
  const capture = useCapture();
  useStatus(capture);
  const { paused } = capture;
  return (
    <button
      type="button"
      className="button"
      aria-label="Pause view"
      aria-pressed={paused}
      title="Holds the view still; the capture goes on (p)"
      onClick={() => capture.pause(!paused)}
    >
      {paused ? <Play size={13} aria-hidden /> : <Pause size={13} aria-hidden />}
      <span className="word">{paused ? 'Resume view' : 'Pause view'}</span>
    </button>
  );
}

function ThemeButton(): ReactNode {
  const theme = useUi((ui) => ui.theme);
  const next = theme === 'system' ? 'light' : theme === 'light' ? 'dark' : 'system';
  const Icon = theme === 'system' ? Monitor : theme === 'light' ? Sun : Moon;
  return (
    <button
      type="button"
      className="button plain icon"
      aria-label={`Colours: ${theme}. Switch to ${next}`}
      title={`Colours: ${theme}`}
      onClick={() => setUi({ theme: next })}
    >
      <Icon size={15} aria-hidden />
    </button>
  );
}
