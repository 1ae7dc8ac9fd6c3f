import type { ReactNode } from 'react';
import type { SessionSummary } from '../../../src/contract/session.ts';
import { formatCount } from '../format/numbers.ts';
import { setUi } from '../state.ts';
import { MIN_IDLE_MS } from './idle-evidence.ts';
import { verdictWords } from './idle-words.ts';
import { SilenceLine } from './silence-line.tsx';
import { useIdleTimeout } from './use-idle-timeout.ts';

/** How quiet a session was before its end, and what it and the others make of that, in short. */
export function IdleTimeoutLine({ session }: { readonly session: SessionSummary }): ReactNode {
  const idle = useIdleTimeout(session);
  if (session.silence === null) return null;
  const ends = idle?.cluster?.ends ?? [];
  const tells = ends.length > 0 || (idle?.lived?.ms ?? 0) >= MIN_IDLE_MS;
  const isOne = ends.some(({ id }) => id === session.id);
  return (
    <>
      <SilenceLine silence={session.silence} nowUs={idle?.nowUs ?? null} />
      {idle !== null && tells && (
        <p className="silence-line">
          <b>{verdictWords(idle)}</b>{' '}
          {isOne && ends.length > 1 && `This session ended like ${formatCount(ends.length - 1)} others. `}
          {isOne && ends.length === 1 && 'This session is the only one that ended so. '}
          {!isOne && ends.length > 0 && 'This session did not end so. '}
          <button type="button" className="button small" onClick={() => setUi({ tab: 'heartbeat' })}>
            See why
          </button>
        </p>
      )}
    </>
  );
}
