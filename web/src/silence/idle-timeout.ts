import type { SessionSummary } from '../../../src/contract/session.ts';
import { weighSilences, type IdleEvidence } from './idle-evidence.ts';
import { originOf, pathOf } from './origin.ts';

/** Of one path there must be so many that ended before it is looked at alone. */
const MIN_PATH_ENDS = 3;

/** What is known of an idle timeout on the way to one place. */
export interface IdleTimeout extends IdleEvidence {
  /** Scheme, host and port, and the path where the connections to it alone tell more than all to its origin. */
  readonly place: string;
  /** Up to when silences that go on are counted; null: not known. */
  readonly nowUs: number | null;
}

/** What all connections to the origin of `url` say, or those to its path; null where it is no URL. */
export function guessIdleTimeout(
  sessions: Iterable<SessionSummary>,
  url: string,
  options: { readonly nowUs: number | null; readonly minIdleMs?: number },
): IdleTimeout | null {
  const origin = originOf(url);
  if (origin === null) return null;
  const path = pathOf(url);
  const there: SessionSummary[] = [];
  for (const session of sessions) if (originOf(session.url) === origin) there.push(session);
  const { nowUs } = options;
  const whole = { ...weighSilences(there, options), place: origin, nowUs };
  const samePath = there.filter((session) => pathOf(session.url) === path);
  if (samePath.length === there.length) return whole;
  const part = { ...weighSilences(samePath, options), place: origin + path, nowUs };
  const tells = part.ended >= MIN_PATH_ENDS && part.verdict === 'timeout';
  return tells && !agree(whole, part) ? part : whole;
}

/** The origin says no less than the path: the same timeout, from more connections. */
function agree(whole: IdleEvidence, part: IdleEvidence): boolean {
  if (whole.verdict !== 'timeout' || whole.cluster === null) return false;
  const ids = new Set(whole.cluster.ends.map(({ id }) => id));
  return part.cluster?.ends.every(({ id }) => ids.has(id)) ?? false;
}
