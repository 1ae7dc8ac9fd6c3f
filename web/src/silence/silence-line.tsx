import type { ReactNode } from 'react';
import type { SessionSilence } from '../../../src/contract/session.ts';
import { formatSeconds } from '../format/numbers.ts';

/** How long one session was quiet. */
export function SilenceLine({ silence }: { readonly silence: SessionSilence }): ReactNode {
  const survived = formatSeconds(silence.survivedMs);
  return (
    <p className="statistics-line">
      {silence.beforeEndMs === null
        ? `The longest silence of this session so far was ${survived} s.`
        : `Before its end this session was quiet for ${formatSeconds(silence.beforeEndMs)} s; the longest silence before that was ${survived} s.`}
    </p>
  );
}
