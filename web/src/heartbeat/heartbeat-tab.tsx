import { useMemo, useState, type ReactNode } from 'react';
import type { SessionSummary } from '../../../src/contract/session.ts';
import type { FrameSink } from '../capture/frame-walk.ts';
import { formatClock } from '../format/clock.ts';
import { formatCount, formatSeconds } from '../format/numbers.ts';
import { IdleTimeoutSection } from '../silence/idle-timeout-section.tsx';
import { showFrame } from '../state.ts';
import { useWalk } from '../statistics/use-walk.ts';
import { WalkNote } from '../statistics/walk-note.tsx';
import { sourceName, summarize, type BeatSummary } from './beat-summary.ts';
import { BeatTable, type NamedSummary } from './beat-table.tsx';
import { Heartbeat, type Side } from './heartbeat.ts';
import { HEARTBEAT_FILTER } from './ping-sign.ts';
import { RoundTrips } from './round-trips.tsx';
import './heartbeat.css';

/** Of the missed so many are shown, the last ones. */
const MOST_SHOWN = 20;

export default function HeartbeatTab({ session }: { readonly session: SessionSummary }): ReactNode {
  const [reading] = useState(() => ({
    make: () => new Heartbeat(session),
    is: (sink: FrameSink): sink is Heartbeat => sink instanceof Heartbeat,
    // While it is being opened, not all is known of it.
    name: `heartbeat ${session.subprotocol ?? ''}`,
  }));
  const walk = useWalk(session, reading, HEARTBEAT_FILTER);
  const { sources, unsolicited, announced, frames } = walk.sink;
  const over = session.close !== null || session.closedAt !== null;
  const named = useMemo<readonly NamedSummary[]>(
    () =>
      frames === 0 ? [] : sources.map((source) => ({ name: sourceName(source), summary: summarize(source, { over }) })),
    [sources, frames, over],
  );
  const dropped = sources.reduce((sum, source) => sum + source.dropped, 0);
  return (
    <div className="page" tabIndex={0} role="region" aria-label="Heartbeat">
      <WalkNote walk={walk} frameCount={session.frameCount} />
      {named.length === 0 ? (
        <p className="dim">No pings: neither ping frames nor messages that look like them.</p>
      ) : (
        <>
          <h3>From ping to pong</h3>
          {named.some(({ summary }) => summary.answered > 0) && <RoundTrips sources={sources} version={frames} />}
          <BeatTable rows={named} />
        </>
      )}
      {dropped > 0 && (
        <p className="heartbeat-line">
          {dropped === 1 ? 'The oldest ping is' : `The oldest ${formatCount(dropped)} pings are`} not counted.
        </p>
      )}
      {announced !== null && (
        <p className="heartbeat-line">
          engine.io has announced a ping every {formatSeconds(announced.intervalMs)} s, and waits{' '}
          {formatSeconds(announced.timeoutMs)} s for the answer.
        </p>
      )}
      <Unsolicited by="client" {...unsolicited.client} />
      <Unsolicited by="server" {...unsolicited.server} />
      {named.map(
        ({ name, summary }) => summary.missed.length > 0 && <Missed key={name} name={name} summary={summary} />,
      )}
      <IdleTimeoutSection session={session} pings={mostFrequent(named)} />
    </div>
  );
}

/** What is said most often. */
function mostFrequent(named: readonly NamedSummary[]): { readonly name: string; readonly everyMs: number } | null {
  return named.reduce<{ readonly name: string; readonly everyMs: number } | null>((most, { name, summary }) => {
    const { everyMs } = summary;
    return everyMs !== null && everyMs < (most?.everyMs ?? Infinity) ? { name, everyMs } : most;
  }, null);
}

function Unsolicited(props: { readonly by: Side; readonly count: number; readonly firstFrame: number }): ReactNode {
  const { by, count, firstFrame } = props;
  if (count === 0) return null;
  return (
    <p className="heartbeat-line">
      {count === 1 ? 'One pong' : `${formatCount(count)} pongs`} of the {by} came without a ping: a one-way heartbeat
      (RFC 6455 §5.5.3). <FrameButton frame={firstFrame} />
    </p>
  );
}

function Missed({ name, summary }: { readonly name: string; readonly summary: BeatSummary }): ReactNode {
  const { missed, covered } = summary;
  const more = missed.length - MOST_SHOWN;
  return (
    <section className="missed-pings" aria-label={`Without an answer: ${name}`}>
      <h3>Without an answer: {name}</h3>
      <p>
        {missed.slice(-MOST_SHOWN).map(({ frame, timeUs }) => (
          <FrameButton key={frame} frame={frame} timeUs={timeUs} missed />
        ))}
        {more > 0 && <span className="dim"> and {formatCount(more)} earlier</span>}
      </p>
      {covered > 0 && (
        <p className="heartbeat-line">
          {covered === 1 ? 'For one of them' : `For ${formatCount(covered)} of them`} the pong to a later ping stands as
          well (RFC 6455 §5.5.3).
        </p>
      )}
    </section>
  );
}

function FrameButton(props: {
  readonly frame: number;
  readonly timeUs?: number;
  readonly missed?: boolean;
}): ReactNode {
  const { frame, timeUs, missed = false } = props;
  return (
    <button
      type="button"
      className={`button small plain ${missed ? 'error' : ''}`}
      title={timeUs === undefined ? undefined : formatClock(timeUs)}
      onClick={() => showFrame(frame)}
    >
      frame {formatCount(frame)}
    </button>
  );
}
