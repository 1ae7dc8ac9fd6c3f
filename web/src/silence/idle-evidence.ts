import type { SessionSummary } from '../../../src/contract/session.ts';
import { parseIsoMicros } from '../capture/iso-time.ts';

/** Shorter silences end connections for other reasons. */
export const MIN_IDLE_MS = 4_000;
/** Timers, sweeps and the network spread what one timeout ends: by so much to either side, but not by a quarter of it. */
const SPREAD_MS = 2_000;
const SPREAD_SHARE = 0.05;
const MAX_SPREAD_SHARE = 0.25;
/**
 * How many alike make a timeout, how many perhaps one, and which share of all that ended in their longest silence they
 * must be. A server has few other reasons to end what is quiet; a client goes whenever somebody closes a page.
 */
const ENOUGH = {
  server: { sure: 2, perhaps: 1, share: 1 / 3 },
  client: { sure: 3, perhaps: 2, share: 1 / 2 },
} as const;

/** A connection, and how long it was quiet. */
export interface Silence {
  readonly id: string;
  readonly ms: number;
}
/** A connection that ended in the longest silence of its life. */
export interface SilentEnd extends Silence {
  readonly by: 'client' | 'server';
  /** `close`: with a close frame; else without one. */
  readonly how: 'close' | 'fin' | 'reset' | 'timeout';
  /** Of the close frame, where it has one. */
  readonly code: number | null;
}
/** Connections that one side ended after about the same silence. */
export interface SilentEnds {
  readonly by: 'client' | 'server';
  /** The shortest silence first; at least one. */
  readonly ends: readonly SilentEnd[];
  readonly aboutMs: number;
  /** What lived through a clearly longer silence, the longest first: then it is no timeout for all. */
  readonly contradictedBy: readonly Silence[];
}

/**
 * What the closes seen say of an idle timeout. `timeout`: several ended alike and nothing speaks against it; `perhaps`:
 * too few to be sure; `contradicted`: several ended alike, and others lived longer; `none`: nothing looks like one.
 */
export type IdleVerdict = 'timeout' | 'perhaps' | 'contradicted' | 'none';
export interface IdleEvidence {
  readonly verdict: IdleVerdict;
  /** Connections that a peer has ended, and that are open. */
  readonly ended: number;
  readonly open: number;
  /** Null where the verdict is `none`. */
  readonly cluster: SilentEnds | null;
  /** The longest silence that was broken again, or goes on. */
  readonly survived: Silence | null;
  /** The longest of all, also before an end: no timeout is shorter, as far as is known. */
  readonly lived: Silence | null;
}

/**
 * Weighs the silences of connections to one place.
 * @param options.nowUs for those that are open and quiet; null: how they are now is not known
 */
export function weighSilences(
  sessions: Iterable<SessionSummary>,
  options: { readonly nowUs: number | null; readonly minIdleMs?: number },
): IdleEvidence {
  const { nowUs, minIdleMs = MIN_IDLE_MS } = options;
  const silentEnds: Record<'client' | 'server', SilentEnd[]> = { client: [], server: [] };
  const lives: Silence[] = [];
  let survived: Silence | null = null;
  let ended = 0;
  let open = 0;
  for (const session of sessions) {
    const { id, silence } = session;
    if (silence === null) continue;
    const endMs = silence.beforeEndMs ?? 0;
    const end = endOf(session);
    if (end !== null) ended += 1;
    else if (session.state === 'open') open += 1;
    let survivedMs = silence.survivedMs;
    if (silence.beforeEndMs === null) {
      const quietMs = nowUs === null ? 0 : (nowUs - parseIsoMicros(silence.since)) / 1000;
      survivedMs = Math.max(survivedMs, quietMs);
    } else if (end === null) survivedMs = Math.max(survivedMs, endMs);
    else if (endMs >= minIdleMs && endMs > survivedMs) silentEnds[end.by].push({ id, ms: endMs, ...end });
    if (survivedMs > (survived?.ms ?? 0)) survived = { id, ms: survivedMs };
    lives.push({ id, ms: Math.max(survivedMs, endMs) });
  }
  const found = best([clusterOf('server', silentEnds.server, lives), clusterOf('client', silentEnds.client, lives)]);
  const lived = lives.reduce<Silence | null>((most, one) => (one.ms > (most?.ms ?? 0) ? one : most), null);
  return { verdict: found?.verdict ?? 'none', cluster: found?.cluster ?? null, ended, open, survived, lived };
}

/** How a peer ended it; null where none has, or Frametap did. */
function endOf({ close }: SessionSummary): Pick<SilentEnd, 'by' | 'how' | 'code'> | null {
  if (close === null || close.by === 'proxy') return null;
  const { by } = close;
  const frame = by === 'client' ? close.clientFrame : close.serverFrame;
  if (frame !== null) return { by, how: 'close', code: frame.code };
  const ending = by === 'client' ? close.clientEnding : close.serverEnding;
  return { by, how: ending ?? 'fin', code: null };
}

interface Finding {
  readonly verdict: Exclude<IdleVerdict, 'none'>;
  readonly cluster: SilentEnds;
}

function clusterOf(by: 'client' | 'server', all: readonly SilentEnd[], lives: readonly Silence[]): Finding | null {
  const { sure, perhaps, share } = ENOUGH[by];
  const ends = densest([...all].sort((a, b) => a.ms - b.ms));
  const longestMs = ends.at(-1)?.ms ?? 0;
  const aboutMs = ends[ends.length >> 1]?.ms ?? 0;
  if (ends.length < Math.max(perhaps, all.length * share)) return null;
  const contradictedBy = lives.filter(({ ms }) => ms > longestMs + spreadOf(aboutMs)).sort((a, b) => b.ms - a.ms);
  const contradicted = contradictedBy.length > 0;
  if (contradicted && ends.length < sure) return null;
  const verdict = contradicted ? 'contradicted' : ends.length >= sure ? 'timeout' : 'perhaps';
  return { verdict, cluster: { by, ends, aboutMs, contradictedBy } };
}

/** The most neighbours that one timeout could have ended: of as many, the tighter, then the longer ones. */
function densest(ascending: readonly SilentEnd[]): readonly SilentEnd[] {
  const msAt = (at: number): number => ascending[at]?.ms ?? 0;
  let first = 0;
  let best = { from: 0, count: 0, widthMs: 0 };
  for (let last = 0; last < ascending.length; last += 1) {
    while (msAt(last) - msAt(first) > 2 * spreadOf((msAt(last) + msAt(first)) / 2)) first += 1;
    const window = { from: first, count: last - first + 1, widthMs: msAt(last) - msAt(first) };
    const more = window.count - best.count || best.widthMs - window.widthMs;
    if (more >= 0) best = window;
  }
  return ascending.slice(best.from, best.from + best.count);
}

function spreadOf(ms: number): number {
  return Math.max(ms * SPREAD_SHARE, Math.min(SPREAD_MS, ms * MAX_SPREAD_SHARE));
}

/** A timeout before anything else; then the server's ends, which are seldom chance; then the client's. */
function best(found: readonly (Finding | null)[]): Finding | null {
  const rank = ({ verdict, cluster }: Finding): number =>
    verdict === 'timeout' ? 3 : verdict === 'perhaps' ? 1 : cluster.by === 'server' ? 2 : 0;
  return found.reduce((one, other) => {
    if (one === null || other === null) return one ?? other;
    const more = rank(other) - rank(one) || other.cluster.ends.length - one.cluster.ends.length;
    return more > 0 ? other : one;
  }, null);
}
