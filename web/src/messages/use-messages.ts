import { useEffect, useMemo, useState } from 'react';
import { ApiError, fetchMessageIndexes, fetchMessages } from '../capture/api.ts';
import { MessageBook } from '../capture/message-book.ts';
import { Pulse } from '../capture/pulse.ts';
import { messageFilter } from '../frames/frame-filter.ts';
import { sayFault, setUi, useUi } from '../state.ts';
import { useCapture } from '../use-capture.ts';

const GROW_MS = 400;
/** What could not be read is asked for again after so long. */
const AGAIN_MS = 2000;

/** The messages of a session; looked for again a few times a second while frames come. */
export function useMessages(id: string): {
  readonly book: MessageBook;
  readonly pulse: Pulse;
  readonly error: string | null;
  /** Not all of them are listed. */
  readonly chosen: boolean;
} {
  const capture = useCapture();
  const filter = useUi((ui) => messageFilter(ui));
  const range = useUi((ui) => ui.range);
  const [error, setError] = useState<string | null>(null);
  const pulse = useMemo(() => new Pulse(), []);
  const book = useMemo(
    () =>
      new MessageBook({
        fetch: (query, signal) => fetchMessages(id, query, signal),
        fetchIndexes: (query, signal) => fetchMessageIndexes(id, query, signal),
        onChange: () => {
          setError(null);
          pulse.beat();
        },
        onError: (fault) => setError(fault instanceof ApiError ? fault.message : 'The server cannot be reached.'),
      }),
    [id, pulse],
  );
  useEffect(() => {
    const grow = (): void => {
      // The view may be there before its session is selected.
      const isSelected = capture.selected === id;
      if (isSelected) book.hold(capture.paused ? capture.frameCount : null);
      const session = isSelected ? capture : capture.book.get(id);
      book.grow(session?.frameCount ?? 0, session?.firstHeldFrame);
    };
    grow();
    const timer = setInterval(grow, GROW_MS);
    return () => clearInterval(timer);
  }, [capture, book, id]);
  useEffect(() => {
    if (error === null) return;
    // Who still looks asks again.
    const timer = setInterval(() => pulse.beat(), AGAIN_MS);
    return () => clearInterval(timer);
  }, [error, pulse]);
  const chosen = filter !== '' || range !== null;
  useEffect(() => {
    book.choose(chosen ? { filter, frames: range } : null, sayFault);
    setUi({ findFault: null });
    return () => book.choose(null, () => undefined);
  }, [book, chosen, filter, range]);
  return { book, pulse, error, chosen };
}
