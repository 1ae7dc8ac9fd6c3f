import { TimeSlice } from '../capture/time-slice.ts';
import type { FrameRow } from '../contract/frame.ts';
import type { SessionSummary } from '../contract/session.ts';

/** A filter at work: it asks to be paused now and then, so that long searches do not hold up what passes. */
export interface Search<T> {
  matches(candidate: T): boolean;
  /** Gives way where it is time to. */
  pause(): Promise<void>;
}

export function sessionFilter(filter: string | undefined): Search<SessionSummary> {
  return search(filter, (session) => session.url);
}
export function frameFilter(filter: string | undefined): Search<FrameRow> {
  return search(filter, (frame) => frame.preview?.data ?? '');
}

function search<T>(filter: string | undefined, textOf: (candidate: T) => string): Search<T> {
  const wanted = filter?.trim().toLowerCase() ?? '';
  const slice = new TimeSlice();
  return {
    matches: (candidate) => wanted === '' || textOf(candidate).toLowerCase().includes(wanted),
    pause: async () => {
      if (slice.over) await slice.pause();
    },
  };
}
