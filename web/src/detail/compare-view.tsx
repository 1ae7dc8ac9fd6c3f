import { useMemo, type ReactNode } from 'react';
import { framePayloadPath, messagePayloadPath } from '../capture/api.ts';
import { decodeStrict, hexText } from '../format/preview.ts';
import { formatCount } from '../format/numbers.ts';
import { visibleLine } from '../format/visible-text.ts';
import { setUi, useUi, type Marked, type Subject } from '../state.ts';
import { VirtualRows } from '../window/virtual-rows.tsx';
import { JsonDocument, printJson } from './json-document.ts';
import { diffLines } from './line-diff.ts';
import { usePayload } from './use-payload.ts';

const ROW_PX = 18;
const MAX_COMPARED_BYTES = 512 * 1024;
const MAX_LINE_CHARS = 500;

/**
 * Two payloads, line by line: JSON is laid out first, binary is compared as rows of hex. Of both sides the whole message
 * is compared, or of both the frame's own bytes.
 */
export function CompareView({ subject, bytes }: { readonly subject: Subject; readonly bytes: Uint8Array }): ReactNode {
  const other = useUi((ui) => ui.compareWith);
  if (other === null) {
    return (
      <div className="detail-note">
        Choose “mark” on one frame or message, then select another: what differs is shown here.
      </div>
    );
  }
  if (other.kind === subject.kind && other.session === subject.session && other.index === subject.index) {
    return (
      <div className="detail-note">
        This one is marked. Select another frame or message, of any session: what differs is shown here.
      </div>
    );
  }
  return <Comparison subject={subject} other={other} bytes={bytes} />;
}

function Comparison(props: {
  readonly subject: Subject;
  readonly other: Marked;
  readonly bytes: Uint8Array;
}): ReactNode {
  const { subject, other, bytes } = props;
  const asMessage = (useUi((ui) => ui.plane) === 'message' || subject.kind === 'message') && other.viaMessage;
  const path =
    other.kind === 'frame'
      ? framePayloadPath(other.session, other.index, asMessage ? 'message' : 'payload')
      : messagePayloadPath(other.session, other.index);
  const state = usePayload(other, { path, version: 0, maxBytes: MAX_COMPARED_BYTES });
  const left = state.payload?.bytes;
  const lines = useMemo(
    () => (left === undefined ? [] : diffLines(layOut(left), layOut(bytes.subarray(0, MAX_COMPARED_BYTES)))),
    [left, bytes],
  );
  if (state.error !== null) return <div className="detail-note error">{state.error}</div>;
  const changed = lines.filter((line) => line.change !== 'same').length;
  return (
    <div className="compare">
      <div className="detail-note">
        <span className="error">
          − {nameOf(other)}
          {other.session !== subject.session && ` of session ${other.session}`}
        </span>{' '}
        <span className="up">+ {nameOf(subject)}</span>{' '}
        {left === undefined
          ? 'Reading …'
          : changed === 0
            ? 'They are equal.'
            : changed === 1
              ? 'One line differs.'
              : `${formatCount(changed)} lines differ.`}{' '}
        <button type="button" className="button small plain" onClick={() => setUi({ compareWith: null })}>
          let go
        </button>
      </div>
      <VirtualRows
        role="group"
        label="Differences"
        rowPx={ROW_PX}
        count={lines.length}
        row={(position, topPx, slot) => {
          const line = lines[position];
          if (line === undefined) return null;
          return (
            <div key={slot} className={`vrow diff mono ${line.change}`} style={{ top: topPx, height: ROW_PX }}>
              <span className="dim">{line.left ?? ''}</span>
              <span className="dim">{line.right ?? ''}</span>
              <span>{line.change === 'same' ? ' ' : line.change === 'added' ? '+' : '−'}</span>
              <span className="diff-text">{visibleLine(line.text.slice(0, MAX_LINE_CHARS))}</span>
            </div>
          );
        }}
      />
    </div>
  );
}

function nameOf(subject: Subject): string {
  return `${subject.kind} ${formatCount(subject.index)}`;
}

function layOut(bytes: Uint8Array): string {
  const text = decodeStrict(bytes);
  if (text === null) {
    const rows: string[] = [];
    for (let at = 0; at < bytes.length; at += 16) rows.push(hexText(bytes.subarray(at, at + 16)));
    return rows.join('\n');
  }
  const json = new JsonDocument(text);
  return json.fault === null && json.isContainer(0) ? printJson(json) : text;
}
