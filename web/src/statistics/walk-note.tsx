import type { ReactNode } from 'react';
import type { FrameSink, FrameWalk } from '../capture/frame-walk.ts';
import { formatCount, formatCounted } from '../format/numbers.ts';

/** Says over how much a view's numbers are, where that is not everything. */
export function WalkNote(props: { readonly walk: FrameWalk<FrameSink>; readonly frameCount: number }): ReactNode {
  const { walk, frameCount } = props;
  const reading = walk.reaches(frameCount);
  return (
    <div className="walk-note dim" role="status">
      {walk.error !== null && <span className="error">Frames could not be read: {walk.error} </span>}
      {reading &&
        walk.error === null &&
        `Reading: ${formatCount(walk.position)} of ${formatCounted(frameCount, 'frame')} … `}
      {!reading && walk.position < frameCount && (
        <>
          Over the first {formatCount(walk.position - walk.missed)} of{' '}
          {formatCounted(frameCount - walk.missed, 'frame')}.{' '}
          <button type="button" className="button small" onClick={() => walk.readAll()}>
            read all
          </button>{' '}
        </>
      )}
      {walk.missed > 0 && `Not counted: ${formatCounted(walk.missed, 'frame')} no longer held.`}
    </div>
  );
}
