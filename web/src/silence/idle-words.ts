import { formatCount, formatSeconds } from '../format/numbers.ts';
import { visibleLine } from '../format/visible-text.ts';
import type { SilentEnd, SilentEnds } from './idle-evidence.ts';
import type { IdleTimeout } from './idle-timeout.ts';

/** Pings this close to the timeout may come too late. */
const NARROW_SHARE = 0.9;
/** A shorter silence says nothing. */
const SAYS_SOMETHING_MS = 1_000;

/** What is thought of it, in one sentence. */
export function verdictWords({ verdict, cluster, lived }: IdleTimeout): string {
  if (cluster === null) {
    if (lived === null || lived.ms < SAYS_SOMETHING_MS)
      return 'Nothing is known of an idle timeout: none was quiet yet.';
    return `If there is an idle timeout, it is at least ${formatSeconds(lived.ms)} s.`;
  }
  const about = `${aboutSeconds(cluster.aboutMs)} s`;
  if (verdict === 'contradicted') {
    const longest = formatSeconds(cluster.contradictedBy[0]?.ms ?? 0);
    return `No idle timeout of about ${about} for all: others lived through up to ${longest} s.`;
  }
  return `${verdict === 'timeout' ? 'An' : 'Perhaps an'} idle timeout of about ${about} ${whose(cluster)}.`;
}

/** What it is thought for: how many ended so, after how long and by what, and what was survived. */
export function evidenceWords({ cluster, ended, open, place, survived, lived }: IdleTimeout): string {
  const to = `to ${visibleLine(place)}`;
  const most = survived === null ? '' : ` The longest silence survived is ${formatSeconds(survived.ms)} s.`;
  if (cluster === null) {
    const all = `${sessions(ended)} ${to} ${ended === 1 ? 'has' : 'have'} ended, ${formatCount(open)} ${open === 1 ? 'is' : 'are'} open`;
    const only = lived !== null && lived.ms > (survived?.ms ?? 0);
    const before = only ? ` One was quiet for ${formatSeconds(lived.ms)} s before its end.` : '';
    return `${all}; none was clearly ended by a silence.${most}${before}`;
  }
  const { ends } = cluster;
  const lives = ends.length === 1 ? 'the longest of its life' : 'the longest of their lives';
  const of =
    ended === 1
      ? `The one ended session ${to}`
      : `${formatCount(ends.length)} of the ${sessions(ended, 'ended')} ${to}`;
  return `${of} ended after ${range(ends)} s of silence, ${lives}${hows(cluster)}.${most}`;
}

/** Whether what says something again and again does so often enough; null where nothing can be said. */
export function pingWords(
  pings: { readonly name: string; readonly everyMs: number } | null,
  { verdict, cluster, lived }: IdleTimeout,
): string | null {
  const limitMs = verdict === 'timeout' || verdict === 'perhaps' ? (cluster?.aboutMs ?? null) : null;
  if (pings === null) {
    if (limitMs === null) return null;
    return `Nothing pings in this session: it has to say something at least every ${aboutSeconds(limitMs)} s.`;
  }
  const every = `Every ${formatSeconds(pings.everyMs)} s there are ${pings.name}: `;
  if (limitMs !== null) {
    if (pings.everyMs >= limitMs) return `${every}too seldom for it.`;
    return every + (pings.everyMs > limitMs * NARROW_SHARE ? 'only just often enough.' : 'often enough.');
  }
  const known = lived !== null && pings.everyMs <= lived.ms;
  return every + (known ? 'often enough for all that is known.' : 'whether that is often enough is not known.');
}

/** Whole seconds from 10 on. */
function aboutSeconds(ms: number): string {
  return ms < 9_950 ? (ms / 1000).toFixed(1) : formatCount(ms / 1000);
}

/** Whose it is. A proxy on the way may send a close frame, too, but who only sees a cut cannot tell at all. */
function whose({ by, ends }: SilentEnds): string {
  const said = ends.filter(({ how }) => how === 'close').length;
  if (said === ends.length) return `in the ${by}`;
  const side = `at the ${by}'s side`;
  if (said > 0) return side;
  return `${side}: the ${by}, or a proxy on the way`;
}

function range(ends: readonly SilentEnd[]): string {
  const [shortest, longest] = [ends[0], ends.at(-1)].map((end) => formatSeconds(end?.ms ?? 0));
  return shortest === longest ? `${longest}` : `${shortest} to ${longest}`;
}

/** By what, the most frequent first. */
function hows({ ends }: SilentEnds): string {
  const counts = new Map<string, number>();
  for (const end of ends) counts.set(howWords(end), (counts.get(howWords(end)) ?? 0) + 1);
  const [first, ...others] = [...counts].sort((a, b) => b[1] - a[1]);
  if (first === undefined) return '';
  if (others.length === 0) return `, by ${first[0]}`;
  return `: ${[first, ...others].map(([how, count]) => `${formatCount(count)} by ${how}`).join(', ')}`;
}

function howWords({ by, how, code }: SilentEnd): string {
  switch (how) {
    case 'close':
      return code === null ? `an empty close frame from the ${by}` : `a close ${code} from the ${by}`;
    case 'fin':
      return `a FIN without a close frame from the ${by}'s side`;
    case 'reset':
      return `a reset from the ${by}'s side`;
    case 'timeout':
      return `a TCP timeout on the ${by}'s side`;
  }
}

function sessions(count: number, what = ''): string {
  return `${formatCount(count)} ${what}${what === '' ? '' : ' '}${count === 1 ? 'session' : 'sessions'}`;
}
