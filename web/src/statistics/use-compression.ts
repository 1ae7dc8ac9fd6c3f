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

/** Looks at the first `limit` messages, where compression was negotiated; looks again once, when as many have come. */
export function useCompression(session: SessionSummary, limit: number): CompressionSample | null {
  const [known, setKnown] = useState<{ readonly id: string; readonly sample: CompressionSample } | null>(null);
  const { id, frameCount } = session;
  const compressing = session.extensions?.includes('permessage-deflate') === true;
  const enough = frameCount >= limit;
  const some = frameCount > 0;
  useEffect(() => {
    if (!compressing || !some) return;
    const abort = new AbortController();
    fetchMessages(id, { from: 0, limit }, abort.signal).then(
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
  }, [compressing, some, enough, id, limit]);
  return known?.id === id ? known.sample : null;
}
