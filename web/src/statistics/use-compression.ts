import { useEffect, useState } from 'react';
import type { SessionSummary } from '../../../src/contract/session.ts';
import { fetchMessages } from '../capture/api.ts';

/** What the first messages of a session took, inflated and on the wire. */
export interface CompressionSample {
  readonly wireBytes: number;
  readonly plainBytes: number;
  /** Compressed messages among those that were looked at. */
  readonly compressed: number;
  readonly lookedAt: number;
}

/** Messages looked at, at most. */
const SAMPLE_MESSAGES = 500;

/** Looks at the first messages, where compression was negotiated: again each time that they have doubled, and at the end. */
export function useCompression(session: SessionSummary): CompressionSample | null {
  const [known, setKnown] = useState<{ readonly id: string; readonly sample: CompressionSample } | null>(null);
  const { id, frameCount, state } = session;
  const compressing = session.extensions?.includes('permessage-deflate') === true;
  const doublings = frameCount === 0 ? -1 : Math.floor(Math.log2(Math.min(frameCount, SAMPLE_MESSAGES)));
  const enough = frameCount >= SAMPLE_MESSAGES;
  const over = state !== 'open' && !enough;
  useEffect(() => {
    if (!compressing || doublings < 0) return;
    const abort = new AbortController();
    fetchMessages(id, { from: 0, limit: SAMPLE_MESSAGES }, abort.signal).then(
      ({ messages }) => {
        const counted = messages.filter((message) => message.compressed && message.payloadLength !== null);
        const sample = {
          compressed: counted.length,
          lookedAt: messages.length,
          wireBytes: counted.reduce((sum, message) => sum + message.wireLength, 0),
          plainBytes: counted.reduce((sum, message) => sum + (message.payloadLength ?? 0), 0),
        };
        setKnown({ id, sample });
      },
      // That messages cannot be read is said where they are listed.
      () => undefined,
    );
    return () => abort.abort();
  }, [compressing, doublings, enough, over, id]);
  return known?.id === id ? known.sample : null;
}
