import { useEffect, useState, type ReactNode } from 'react';
import type { SessionSummary } from '../../../src/contract/session.ts';
import { fetchFrames } from '../capture/api.ts';
import { parseIsoMicros } from '../capture/iso-time.ts';
import { formatCount, formatMs } from '../format/numbers.ts';
import { silenceBefore, type Silence } from './silence.ts';

/** Of a long session the end is looked at. */
const LAST_FRAMES = 1_000;

/** How long it had been quiet, and whether that looks like an idle timeout. */
export function SilenceLine({ session }: { readonly session: SessionSummary }): ReactNode {
  const silence = useSilence(session);
  if (silence === null) return null;
  return (
    <p className="statistics-line">
      Before the end it was quiet for {formatMs(silence.beforeEndMs)}
      {silence.survivedMs > 0 &&
        `; the longest silence before${
          session.frameCount > LAST_FRAMES ? `, among the last ${formatCount(LAST_FRAMES)} frames,` : ''
        } was ${formatMs(silence.survivedMs)}`}
      .{silence.guessS !== null && <b> That looks like an idle timeout of about {formatCount(silence.guessS)} s.</b>}
    </p>
  );
}

function useSilence({ id, frameCount, closedAt }: SessionSummary): Silence | null {
  const [known, setKnown] = useState<{ readonly id: string; readonly silence: Silence | null } | null>(null);
  useEffect(() => {
    if (closedAt === null) return;
    const abort = new AbortController();
    fetchFrames(id, { from: Math.max(0, frameCount - LAST_FRAMES), limit: LAST_FRAMES }, abort.signal).then(
      ({ frames }) => {
        const closing = frames.find(({ opcode }) => opcode === 8);
        const before = closing === undefined ? frames : frames.filter(({ index }) => index < closing.index);
        const times = before.map(({ time }) => parseIsoMicros(time));
        setKnown({ id, silence: silenceBefore(times, parseIsoMicros(closing?.time ?? closedAt)) });
      },
      // The frames' own view says that they cannot be read.
      () => undefined,
    );
    return () => abort.abort();
  }, [id, frameCount, closedAt]);
  return known?.id === id ? known.silence : null;
}
