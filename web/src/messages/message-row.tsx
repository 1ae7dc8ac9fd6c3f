import type { MouseEvent, ReactNode } from 'react';
import type { MessageRow as Message } from '../../../src/contract/message.ts';
import { parseIsoMicros } from '../capture/iso-time.ts';
import { formatClock } from '../format/clock.ts';
import { formatCount } from '../format/numbers.ts';
import { previewText } from '../format/preview.ts';
import { visibleLine } from '../format/visible-text.ts';
import { setUi } from '../state.ts';

export function MessageRow(props: {
  readonly index: number;
  readonly message: Message | undefined;
  readonly position: number;
  readonly topPx: number;
  readonly selected: boolean;
}): ReactNode {
  const { message, index } = props;
  const select = (event: MouseEvent): void => {
    if (event.button === 0) setUi({ message: index, detailOpen: true, followMessages: false });
  };
  if (message === undefined) {
    return (
      <div
        id={`message-${index}`}
        role="row"
        aria-rowindex={props.position + 2}
        aria-selected={props.selected}
        className={`vrow frame missing ${props.selected ? 'selected' : ''}`}
        style={{ top: props.topPx }}
        onMouseDown={select}
      >
        <span role="gridcell" className="m-number">
          {formatCount(index)}
        </span>
        <span role="gridcell" className="m-text">
          …
        </span>
      </div>
    );
  }
  const down = message.direction === 'server-to-client';
  const violated = message.violations.length > 0;
  const length = message.payloadLength;
  const ratio = message.compressed && length !== null && message.wireLength > 0 ? length / message.wireLength : null;
  return (
    <div
      id={`message-${index}`}
      role="row"
      aria-rowindex={props.position + 2}
      aria-selected={props.selected}
      className={`vrow frame ${violated ? 'violated' : down ? 'to-client' : 'to-server'} ${props.selected ? 'selected' : ''}`}
      style={{ top: props.topPx }}
      onMouseDown={select}
    >
      <span role="gridcell" className="m-number dim">
        {formatCount(index)}
      </span>
      <span role="gridcell" className="m-time">
        {formatClock(parseIsoMicros(message.time))}
      </span>
      <span role="gridcell" className={`m-direction ${down ? 'down' : 'up'}`}>
        <span aria-hidden>{down ? '↓' : '↑'}</span>
        <span className="visually-hidden">{down ? 'to client' : 'to server'}</span>
      </span>
      <span role="gridcell" className="m-type">
        {message.type}
      </span>
      <span
        role="gridcell"
        className="m-length"
        title={
          length === null
            ? message.complete
              ? 'Could not be inflated: its length is not known'
              : 'Not known before all of it has come'
            : undefined
        }
      >
        {length === null ? '?' : formatCount(length)}
      </span>
      <span role="gridcell" className="m-frames">
        {formatCount(message.frameCount)}
      </span>
      <span role="gridcell" className="m-ratio">
        {ratio === null ? '' : `${ratio.toFixed(1)}×`}
      </span>
      <span role="gridcell" className="m-text">
        <span className="data-text">
          {visibleLine(previewText(message.preview, message.type === 'text' ? 1 : 2, length ?? message.wireLength))}
        </span>
        {violated && <span className="frame-mark error">⚠ {message.violations[0]}</span>}
        {!message.complete && <span className="frame-mark plain">… incomplete</span>}
      </span>
    </div>
  );
}
