import type { ReactNode } from 'react';
import type { FrameSink, FrameWalk } from '../capture/frame-walk.ts';
import { formatCount, formatCounted } from '../format/numbers.ts';
import { evictedNote } from '../frames/frame-order.ts';

/** Says over how much a view's numbers are, where that is not everything. */
export function WalkNote(props: {
  readonly walk: FrameWalk<FrameSink>;
  readonly frameCount: number;
  readonly firstHeldFrame: number;
}): ReactNode {
  const { walk, frameCount, firstHeldFrame } = props;
  const reading = walk.position < Math.min(frameCount, walk.limit);
  return (
    <div className="walk-note dim" role="status">
      {walk.error !== null && <span className="error">Frames could not be read: {walk.error} </span>}
      {reading &&
        walk.error === null &&
        `Reading: ${formatCount(walk.position)} of ${formatCounted(frameCount, 'frame')} … `}
      {!reading && walk.position < frameCount && (
        <>
          Over the first {formatCount(walk.position)} of {formatCounted(frameCount, 'frame')}.{' '}
          <button type="button" className="button small" onClick={() => walk.readAll()}>
            read all
          </button>{' '}
        </>
      )}
      {firstHeldFrame > 0 && `${evictedNote(firstHeldFrame)}, and not counted.`}
    </div>
  );
}
