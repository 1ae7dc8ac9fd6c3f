import type { ReactNode } from 'react';
import type { SessionSilence } from '../../../src/contract/session.ts';
import { parseIsoMicros } from '../capture/iso-time.ts';
import { formatMs, formatSeconds } from '../format/numbers.ts';
import './silence.css';

/** A silence that has only begun is none yet. */
const MENTIONED_MS = 1_000;

/** How long one session was quiet, or is, up to `nowUs`. */
export function SilenceLine(props: { readonly silence: SessionSilence; readonly nowUs: number | null }): ReactNode {
  const { silence, nowUs } = props;
  return <p className="silence-line">{silenceWords(silence, nowUs)}</p>;
}

const words = (ms: number): string => (ms < 1000 ? formatMs(ms) : `${formatSeconds(ms)} s`);

function silenceWords({ since, survivedMs, beforeEndMs }: SessionSilence, nowUs: number | null): string {
  const survived = words(survivedMs);
  const before = survivedMs === 0 ? '.' : `; the longest silence before that was ${survived}.`;
  if (beforeEndMs !== null) return `Before its end this session was quiet for ${words(beforeEndMs)}${before}`;
  const quietMs = nowUs === null ? 0 : (nowUs - parseIsoMicros(since)) / 1000;
  if (quietMs < MENTIONED_MS) return `The longest silence of this session so far was ${survived}.`;
  return `This session has been quiet for ${words(quietMs)}${before}`;
}
