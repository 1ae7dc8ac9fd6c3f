import { useEffect, useState } from 'react';
import type { SessionSummary } from '../../../src/contract/session.ts';
import type { Capture } from '../capture/capture.ts';
import { useCapture } from '../use-capture.ts';
import { guessIdleTimeout, type IdleTimeout } from './idle-timeout.ts';

/** While it is shown it is thought over again so often: whatever else happens, no more than that. */
const AGAIN_MS = 2_000;

/** What all sessions that the page knows say of an idle timeout on the way to where this one goes. */
export function useIdleTimeout({ url }: SessionSummary): IdleTimeout | null {
  const capture = useCapture();
  const [guess, setGuess] = useState(() => guessNow(capture, url));
  useEffect(() => {
    let seen = -1;
    let goesOn = true;
    const look = (): void => {
      const version = capture.sessionsPulse.version();
      // Without a change there is something new only where a silence goes on.
      if (version === seen && !goesOn) return;
      seen = version;
      const next = guessNow(capture, url);
      goesOn = next !== null && next.open > 0;
      setGuess(next);
    };
    const timer = setInterval(look, AGAIN_MS);
    return () => clearInterval(timer);
  }, [capture, url]);
  return guess;
}

function guessNow(capture: Capture, url: string): IdleTimeout | null {
  return guessIdleTimeout(allSessions(capture), url, { nowUs: capture.knownUntilUs });
}

function* allSessions({ book }: Capture): Generator<SessionSummary> {
  for (const id of book.ids) {
    const session = book.get(id);
    if (session !== undefined) yield session;
  }
}
