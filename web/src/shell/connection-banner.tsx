import type { ReactNode } from 'react';
import { useCapture, useStatus } from '../use-capture.ts';

/** Why nothing new comes, and what ends that. */
export function ConnectionBanner(): ReactNode {
  const capture = useCapture();
  useStatus(capture);
  if (capture.liveState === 'lost') {
    return (
      <div className="banner calm" role="status">
        The connection to Frametap is cut. What is shown stays; it goes on by itself when Frametap answers again.
      </div>
    );
  }
  if (capture.liveState === 'refused') {
    return (
      <div className="banner" role="alert">
        Frametap was started anew, or the login has ended: open the address that it printed at its start. What is shown
        here stays.
      </div>
    );
  }
  return null;
}
