import { Paperclip } from 'lucide-react';
import { useEffect, useState, type ReactNode } from 'react';
import type { FrameAttachments, MessagePlace } from '../../../src/contract/attachments.ts';
import { fetchAttachments } from '../capture/api.ts';
import { formatCount } from '../format/numbers.ts';
import { setUi } from '../state.ts';
import { useCapture } from '../use-capture.ts';

/** Attachments that have not come yet are asked for again, so often. */
const AGAIN_MS = 1000;
const MAX_TRIES = 30;
/** So many have a link of their own; the others lie behind the last of them. */
const MAX_LINKS = 3;
/** Socket.IO says so in its URL: elsewhere nobody needs to be asked. */
const SOCKET_IO = /[?&]EIO=\d|\/socket\.io\//;

/** Of a Socket.IO packet, the way to its binary messages; of one of those, the way to the packet. */
export function AttachmentLinks(props: {
  readonly session: string;
  readonly frame: number;
  readonly kind: 'frame' | 'message';
}): ReactNode {
  const url = useCapture().book.get(props.session)?.url ?? '';
  const known = useAttachments(props.session, props.frame, SOCKET_IO.test(url));
  if (known?.packet == null) return null;
  const { packet, own, found, count } = known;
  const numberOf = (place: MessagePlace): number => (props.kind === 'frame' ? place.frame : place.message);
  const link = (place: MessagePlace, words: string): ReactNode => (
    <button
      key={place.frame}
      type="button"
      className="button small partner"
      onClick={() =>
        setUi(
          props.kind === 'frame'
            ? { frame: place.frame, follow: false }
            : { message: place.message, followMessages: false },
        )
      }
    >
      <Paperclip size={12} aria-hidden /> {words} #{formatCount(numberOf(place))}
    </button>
  );
  if (own !== null) return link(packet, `attachment ${formatCount(own + 1)} of ${formatCount(count)} of`);
  const linked = found.slice(0, MAX_LINKS);
  const rest = count - linked.length;
  return (
    <>
      {linked.map((place) => link(place, 'attachment'))}
      {found.length < Math.min(count, MAX_LINKS) ? (
        <span className="dim">
          {formatCount(found.length)} of {formatCount(count)} {count === 1 ? 'attachment' : 'attachments'} found
        </span>
      ) : (
        rest > 0 && <span className="dim">and {formatCount(rest)} more</span>
      )}
    </>
  );
}

function useAttachments(session: string, frame: number, asked: boolean): FrameAttachments | null {
  const [known, setKnown] = useState<{ readonly key: string; readonly attachments: FrameAttachments } | null>(null);
  const key = `${session} ${frame}`;
  useEffect(() => {
    if (!asked) return;
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = (tries: number): void => {
      fetchAttachments(session, frame, abort.signal).then(
        (attachments) => {
          setKnown({ key, attachments });
          if (attachments.found.length >= Math.min(attachments.count, MAX_LINKS) || tries === MAX_TRIES) return;
          timer = setTimeout(() => ask(tries + 1), AGAIN_MS);
        },
        // What is not held any more has nothing to be linked with: the pane itself says why.
        () => undefined,
      );
    };
    ask(1);
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [session, frame, key, asked]);
  return known?.key === key ? known.attachments : null;
}
