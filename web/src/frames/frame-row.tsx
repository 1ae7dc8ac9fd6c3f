import { memo, type MouseEvent, type ReactNode } from 'react';
import { FrameBit } from '../../../src/contract/frame-bits.ts';
import { formatClock } from '../format/clock.ts';
import { formatCount } from '../format/numbers.ts';
import { visibleLine } from '../format/visible-text.ts';
import { frameMarks, rowKind, typeText } from './frame-words.ts';

interface FrameRowProps {
  readonly index: number;
  readonly topPx: number;
  readonly position: number;
  readonly selected: boolean;
  readonly timeUs: number;
  readonly bits: number;
  readonly violations: number;
  readonly payloadLength: number;
  readonly text: string;
  /** How much of the payload is held; '' where all is. */
  readonly held: string;
  readonly onSelect: (index: number) => void;
  readonly onTime: (event: MouseEvent<HTMLElement>, index: number) => void;
}

/** One frame. All props are plain values, so that a row that has not changed is not drawn again. */
export const FrameRow = memo(function FrameRow(props: FrameRowProps): ReactNode {
  const { index, bits, violations } = props;
  const down = (bits & FrameBit.ServerToClient) !== 0;
  const continuation = (bits & 0x0f) === 0;
  const marks = frameMarks(bits, violations);
  return (
    <div
      id={`frame-${index}`}
      role="row"
      aria-rowindex={props.position + 2}
      aria-selected={props.selected}
      className={`vrow frame ${rowKind(bits, violations)} ${props.selected ? 'selected' : ''} ${continuation ? 'continued' : ''}`}
      style={{ top: props.topPx }}
      onMouseDown={(event) => event.button === 0 && props.onSelect(index)}
    >
      <span role="gridcell" className="c-number">
        {formatCount(index)}
      </span>
      <span role="gridcell" className="c-time" onMouseEnter={(event) => props.onTime(event, index)}>
        {formatClock(props.timeUs)}
      </span>
      <span role="gridcell" className={`c-direction ${down ? 'down' : 'up'}`}>
        <span aria-hidden>{down ? '↓' : '↑'}</span>
        <span className="visually-hidden">{down ? 'to client' : 'to server'}</span>
      </span>
      <span role="gridcell" className="c-type">
        {typeText(bits)}
      </span>
      <span role="gridcell" className="c-length">
        {formatCount(props.payloadLength)}
      </span>
      <span role="gridcell" className="c-data">
        <span className="data-text">{visibleLine(props.text)}</span>
        {props.held !== '' && (
          <span
            className="frame-mark plain"
            title="The capture keeps so much of one frame (--payload-limit), and lets the oldest go when its memory is used up. What was forwarded was whole."
          >
            {props.held}
          </span>
        )}
        {marks.map((mark) => (
          <span key={mark.text} className={`frame-mark ${mark.kind}`} title={mark.title}>
            {mark.text}
          </span>
        ))}
      </span>
    </div>
  );
});

/** A row that is not held in the page: it fills when it has been fetched, unless it was never recorded. */
export function MissingRow(props: {
  readonly index: number;
  readonly topPx: number;
  readonly position: number;
  readonly selected: boolean;
  readonly unrecorded: boolean;
  readonly onSelect: (index: number) => void;
}): ReactNode {
  return (
    <div
      id={`frame-${props.index}`}
      role="row"
      aria-rowindex={props.position + 2}
      aria-selected={props.selected}
      className={`vrow frame missing ${props.selected ? 'selected' : ''}`}
      style={{ top: props.topPx }}
      onMouseDown={(event) => event.button === 0 && props.onSelect(props.index)}
    >
      <span role="gridcell" className="c-number">
        {formatCount(props.index)}
      </span>
      <span role="gridcell" className="c-data">
        {props.unrecorded ? 'not recorded: recording was stopped when this frame passed' : '…'}
      </span>
    </div>
  );
}

/** Stands where frames would have been. */
export function NoteRow(props: {
  readonly topPx: number;
  readonly position: number;
  readonly children: ReactNode;
}): ReactNode {
  return (
    <div role="row" aria-rowindex={props.position + 2} className="vrow frame lost" style={{ top: props.topPx }}>
      <span role="gridcell" className="c-note">
        {props.children}
      </span>
    </div>
  );
}
