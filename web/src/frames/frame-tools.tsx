import { ArrowDownToLine, X } from 'lucide-react';
import { useEffect, useState, type ReactNode } from 'react';
import { formatCount } from '../format/numbers.ts';
import type { DirectionChoice, KindChoice } from '../place.ts';
import { setUi, useUi } from '../state.ts';
import { useCapture, useFrames } from '../use-capture.ts';
import { frameOrder } from './frame-order.ts';

/** Value, what stands on the button, and what goes with it where there is room. */
type Option<T> = readonly [value: T, name: string, more: string];
const DIRECTIONS: readonly Option<DirectionChoice>[] = [
  ['all', 'All', ''],
  ['up', '↑', ' to server'],
  ['down', '↓', ' to client'],
];
const KINDS: readonly Option<KindChoice>[] = [
  ['all', 'All', ''],
  ['data', 'data', ''],
  ['control', 'control', ''],
];
const PAUSE_MS = 250;

export function FrameTools(): ReactNode {
  return (
    <ListTools list="frames">
      <FrameCount />
    </ListTools>
  );
}

/** What chooses among frames or messages, how many were chosen (`children`), and whether the list stays at its end. */
export function ListTools(props: { readonly list: 'frames' | 'messages'; readonly children: ReactNode }): ReactNode {
  const direction = useUi((ui) => ui.direction);
  const kind = useUi((ui) => ui.kind);
  const ofFrames = props.list === 'frames';
  const follow = useUi((ui) => (ofFrames ? ui.follow : ui.followMessages));
  return (
    <div className="frame-tools">
      <Choice
        label="Direction"
        options={DIRECTIONS}
        value={direction}
        onChange={(value) => setUi({ direction: value })}
      />
      {ofFrames && (
        <Choice label="Kind of frame" options={KINDS} value={kind} onChange={(value) => setUi({ kind: value })} />
      )}
      <RangeChip />
      <FindField />
      {props.children}
      <button
        type="button"
        className="button small"
        aria-pressed={follow}
        title={`Stay at the newest ${ofFrames ? 'frame' : 'message'} (f)`}
        onClick={() => setUi(ofFrames ? { follow: !follow } : { followMessages: !follow })}
      >
        <ArrowDownToLine size={12} aria-hidden /> follow
      </button>
    </div>
  );
}

function Choice<T extends string>(props: {
  readonly label: string;
  readonly options: readonly Option<T>[];
  readonly value: T;
  readonly onChange: (value: T) => void;
}): ReactNode {
  return (
    <div className="choice" role="group" aria-label={props.label}>
      {props.options.map(([value, name, more]) => (
        <button
          key={value}
          type="button"
          aria-label={name + more}
          aria-pressed={value === props.value}
          onClick={() => props.onChange(value)}
        >
          {name}
          <span className="word">{more}</span>
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
      title={fault ?? undefined}
      value={text}
      onChange={(event) => setText(event.target.value)}
      // Whoever goes elsewhere has finished writing.
      onBlur={() => setUi({ find: text })}
      onKeyDown={(event) => {
        if (event.key === 'Escape') {
          setText('');
          if (text === '') event.currentTarget.blur();
        }
      }}
    />
  );
}

/** The stretch of time that was chosen in the timeline, as long as it holds. */
function RangeChip(): ReactNode {
  const range = useUi((ui) => ui.range);
  if (range === null) return null;
  return (
    <button
      type="button"
      className="button small on"
      title="Chosen in the timeline. Show all frames again"
      onClick={() => setUi({ range: null })}
    >
      frames {formatCount(range.from)}–{formatCount(range.to - 1)} <X size={12} aria-label="show all frames" />
    </button>
  );
}

/** How many frames pass, and how far has been searched. */
function FrameCount(): ReactNode {
  const capture = useCapture();
  useFrames(capture);
  const { matches, range, frameCount } = capture;
  if (matches === null && range === null) return <MatchCount />;
  const order = frameOrder(capture);
  const searching = matches !== null && matches.scanned < Math.min(frameCount, range?.to ?? frameCount);
  return (
    <MatchCount
      listed={order.count - order.firstRow}
      of={frameCount}
      unreadable={matches?.unreadable ?? 0}
      searchedTo={searching ? matches.scanned : undefined}
    />
  );
}

/** How many of a list's rows pass, how far has been searched, and what is wrong with what is looked for. */
export function MatchCount(props: {
  readonly listed?: number;
  readonly of?: number;
  readonly unreadable?: number;
  readonly searchedTo?: number | undefined;
}): ReactNode {
  const { listed, of, unreadable = 0, searchedTo } = props;
  const fault = useUi((ui) => ui.findFault);
  if (fault !== null) {
    return (
      <span className="match-count error" title={fault}>
        {fault}
      </span>
    );
  }
  if (listed === undefined || of === undefined) return <span className="match-count" />;
  return (
    <span className="match-count dim" role="status">
      {formatCount(listed)} of {formatCount(of)}
      {unreadable > 0 && (
        <span
          className="error"
          title="What they contain was not known when they were looked at: it was not held, or could not be inflated for want of what came before"
        >
          {' '}
          · {formatCount(unreadable)} could not be read
        </span>
      )}
      {searchedTo !== undefined && ` · searched to ${formatCount(searchedTo)}`}
    </span>
  );
}
