import { ArrowLeftRight } from 'lucide-react';
import { useEffect, useState, type ReactNode } from 'react';
import type { FramePartner } from '../../../src/contract/decoded.ts';
import { fetchPartner } from '../capture/api.ts';
import { formatCount, formatMs } from '../format/numbers.ts';
import { setUi } from '../state.ts';

/** An answer that has not come yet is asked for again, so often. */
const AGAIN_MS = 1000;
const MAX_TRIES = 30;

/** The answer to this request, or the request that this answers: where it is, how long it took, and the way there. */
export function PartnerLink(props: {
  readonly session: string;
  readonly frame: number;
  readonly kind: 'frame' | 'message';
}): ReactNode {
  const partner = usePartner(props.session, props.frame);
  if (partner?.role == null) return null;
  const other = partner.role === 'request' ? 'answer' : 'request';
  const { frame, message, latencyMs } = partner;
  if (frame === null) {
    return <span className="dim">{partner.role === 'request' ? 'no answer yet' : 'its request was not found'}</span>;
  }
  const number = props.kind === 'frame' ? frame : (message ?? 0);
  return (
    <button
      type="button"
      className="button small partner"
      title={`${partner.protocol ?? ''}: go to the ${other}`}
      onClick={() => setUi(props.kind === 'frame' ? { frame, follow: false } : { message, followMessages: false })}
    >
      <ArrowLeftRight size={12} aria-hidden /> {other} #{formatCount(number)}{' '}
      {latencyMs !== null && <span className="dim">{formatMs(latencyMs)}</span>}
    </button>
  );
}

function usePartner(session: string, frame: number): FramePartner | null {
  const [known, setKnown] = useState<{ readonly key: string; readonly partner: FramePartner } | null>(null);
  const key = `${session} ${frame}`;
  useEffect(() => {
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = (tries: number): void => {
      fetchPartner(session, frame, abort.signal).then(
        (partner) => {
          setKnown({ key, partner });
          if (partner.role !== 'request' || partner.frame !== null || tries === MAX_TRIES) return;
          timer = setTimeout(() => ask(tries + 1), AGAIN_MS);
        },
        // What cannot be decoded any more has no partner to be shown: the pane itself says why.
        () => undefined,
      );
    };
    ask(1);
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [session, frame, key]);
  return known?.key === key ? known.partner : null;
}
