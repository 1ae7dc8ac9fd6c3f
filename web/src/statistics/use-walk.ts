import { useEffect, useState, useSyncExternalStore } from 'react';
import type { SessionSummary } from '../../../src/contract/session.ts';
import { FrameWalk, type FrameSink } from '../capture/frame-walk.ts';
import { useCapture } from '../use-capture.ts';

/** The last few walks, so that going from one tab to another does not read everything again. */
const kept = new Map<string, FrameWalk<FrameSink>>();
const MAX_KEPT = 4;

function walkFor<Sink extends FrameSink>(
  key: string,
  session: string,
  make: () => Sink,
  filter: string | null,
  isSink: (sink: FrameSink) => sink is Sink,
): FrameWalk<Sink> {
  const before = kept.get(key);
  if (before !== undefined && isSink(before.sink)) return before as FrameWalk<Sink>;
  const walk = new FrameWalk(session, make(), filter);
  kept.set(key, walk);
  for (const old of kept.keys()) {
    if (kept.size <= MAX_KEPT) break;
    kept.delete(old);
  }
  return walk;
}

/** Reads a session's frames into a sink while the view that asks is shown. */
export function useWalk<Sink extends FrameSink>(
  session: SessionSummary,
  sink: { readonly make: () => Sink; readonly is: (sink: FrameSink) => sink is Sink; readonly name: string },
  filter: string | null = null,
): FrameWalk<Sink> {
  const capture = useCapture();
  const [walk] = useState(() =>
    walkFor(`${capture.epoch ?? ''} ${session.id} ${sink.name}`, session.id, sink.make, filter, sink.is),
  );
  useSyncExternalStore(walk.pulse.subscribe, walk.pulse.version);
  // Another `seq`: what was still coming in may have come whole.
  const { frameCount, seq } = session;
  useEffect(() => walk.advance(frameCount), [walk, frameCount, seq]);
  useEffect(() => () => walk.rest(), [walk]);
  return walk;
}
