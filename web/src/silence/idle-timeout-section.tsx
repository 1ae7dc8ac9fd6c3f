import type { ReactNode } from 'react';
import type { SessionSummary } from '../../../src/contract/session.ts';
import { formatCount, formatSeconds } from '../format/numbers.ts';
import { openSession } from '../state.ts';
import type { Silence } from './idle-evidence.ts';
import { evidenceWords, pingWords, verdictWords } from './idle-words.ts';
import { SilenceLine } from './silence-line.tsx';
import { useIdleTimeout } from './use-idle-timeout.ts';
import './silence.css';

/** Of a list so many are shown. */
const MOST_SHOWN = 12;

/** What is known of an idle timeout where a session goes, and the sessions that say so. */
export function IdleTimeoutSection(props: {
  readonly session: SessionSummary;
  /** What says something in this session again and again. */
  readonly pings: { readonly name: string; readonly everyMs: number } | null;
}): ReactNode {
  const { session, pings } = props;
  const idle = useIdleTimeout(session);
  if (idle === null) return null;
  const { cluster, survived, verdict } = idle;
  const ping = pingWords(pings, idle);
  const lived = new Set(cluster?.contradictedBy.slice(0, MOST_SHOWN).map(({ id }) => id));
  return (
    <section className="idle-timeout" aria-labelledby="idle-timeout">
      <h3 id="idle-timeout">Idle timeout</h3>
      <p>
        <b className={verdict === 'timeout' ? 'idle-verdict' : ''}>{verdictWords(idle)}</b> {ping}
      </p>
      <p>{evidenceWords(idle)}</p>
      {session.silence !== null && <SilenceLine silence={session.silence} nowUs={idle.nowUs} />}
      {cluster !== null && <Evidence what="ended alike" silences={newestFirst(cluster.ends)} current={session.id} />}
      {cluster !== null && cluster.contradictedBy.length > 0 && (
        <Evidence what="lived longer" silences={cluster.contradictedBy} current={session.id} />
      )}
      {survived !== null && !lived.has(survived.id) && (
        <Evidence what="longest survived" silences={[survived]} current={session.id} />
      )}
    </section>
  );
}

function newestFirst(silences: readonly Silence[]): readonly Silence[] {
  return [...silences].sort((a, b) => Number(b.id) - Number(a.id));
}

function Evidence(props: {
  readonly what: string;
  readonly silences: readonly Silence[];
  readonly current: string;
}): ReactNode {
  const { what, silences, current } = props;
  const more = silences.length - MOST_SHOWN;
  return (
    <div className="idle-evidence" role="group" aria-label={`Sessions: ${what}`}>
      <span className="dim">{what}</span>
      <div>
        {silences.slice(0, MOST_SHOWN).map(({ id, ms }) => (
          <button
            key={id}
            type="button"
            className="button small"
            aria-current={id === current}
            title={id === current ? 'This session' : `Open session ${id}`}
            onClick={() => openSession(id)}
          >
            session {id} · {formatSeconds(ms)} s
          </button>
        ))}
        {more > 0 && <span className="dim">and {formatCount(more)} more</span>}
      </div>
    </div>
  );
}
