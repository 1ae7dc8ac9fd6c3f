import { ArrowDownToLine } from 'lucide-react';
import { useEffect, useState, type ReactNode } from 'react';
import { formatCount } from '../format/numbers.ts';
import type { DirectionChoice, KindChoice } from '../place.ts';
import { setUi, useUi } from '../state.ts';
import { useCapture, useFrames } from '../use-capture.ts';

const DIRECTIONS: readonly (readonly [DirectionChoice, string])[] = [
  ['all', 'All'],
  ['up', '↑ to server'],
  ['down', '↓ to client'],
];
const KINDS: readonly (readonly [KindChoice, string])[] = [
  ['all', 'All'],
  ['data', 'data'],
  ['control', 'control'],
];
const PAUSE_MS = 250;

export function FrameTools(): ReactNode {
  const direction = useUi((ui) => ui.direction);
  const kind = useUi((ui) => ui.kind);
  const follow = useUi((ui) => ui.follow);
  return (
    <div className="frame-tools">
      <Choice
        label="Direction"
        options={DIRECTIONS}
        value={direction}
        onChange={(value) => setUi({ direction: value })}
      />
      <Choice label="Kind of frame" options={KINDS} value={kind} onChange={(value) => setUi({ kind: value })} />
      <FindField />
      <MatchCount />
      <button
        type="button"
        className="button small"
        aria-pressed={follow}
        title="Stay at the newest frame (f)"
        onClick={() => setUi({ follow: !follow })}
      >
        <ArrowDownToLine size={12} aria-hidden /> follow
      </button>
    </div>
  );
}

function Choice<T extends string>(props: {
  readonly label: string;
  readonly options: readonly (readonly [T, string])[];
  readonly value: T;
  readonly onChange: (value: T) => void;
}): ReactNode {
  return (
    <div className="choice" role="group" aria-label={props.label}>
      {props.options.map(([value, name]) => (
        <button key={value} type="button" aria-pressed={value === props.value} onClick={() => props.onChange(value)}>
          {name}
        </button>
      ))}
    </div>
  );
}

function FindField(): ReactNode {
  const find = useUi((ui) => ui.find);
  const fault = useUi((ui) => ui.findFault);
  const [text, setText] = useState(find);
  const [shown, setShown] = useState(find);
  if (find !== shown) {
    setShown(find);
    setText(find);
  }
  useEffect(() => {
    if (text === find) return;
    const timer = setTimeout(() => setUi({ find: text }), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text, find]);
  return (
    <input
      className={`field mono find ${fault === null ? '' : 'wrong'}`}
      type="text"
      spellCheck={false}
      placeholder="text or /regex/ in this session"
      aria-label="Find in this session"
      aria-invalid={fault !== null}
      title={fault?.message}
      value={text}
      onChange={(event) => setText(event.target.value)}
      onKeyDown={(event) => {
        if (event.key === 'Escape') {
          setText('');
          if (text === '') event.currentTarget.blur();
        }
      }}
    />
  );
}

/** How many frames pass, and how far has been searched. */
function MatchCount(): ReactNode {
  const capture = useCapture();
  useFrames(capture);
  const fault = useUi((ui) => ui.findFault);
  if (fault !== null) return <span className="match-count error">{fault.message}</span>;
  const { matches } = capture;
  if (matches === null) return <span className="match-count" />;
  const searching = matches.scanned < capture.frameCount;
  return (
    <span className="match-count dim" role="status">
      {formatCount(matches.length)} of {formatCount(capture.frameCount)}
      {searching && ` · searched to ${formatCount(matches.scanned)}`}
    </span>
  );
}
