import type { ReactNode } from 'react';
import { complete, compressed, fin, opcode } from '../../../src/contract/frame-bits.ts';
import type { MessageRow } from '../../../src/contract/message.ts';
import { fetchFrames, framePayloadPath, messagePayloadPath } from '../capture/api.ts';
import type { RowStore } from '../capture/row-store.ts';
import type { StoredRow } from '../capture/stored-row.ts';
import { heldText, typeText } from '../frames/frame-words.ts';
import { formatClock, formatFullTime } from '../format/clock.ts';
import { formatBytes, formatLimit, formatCount, formatMs, formatCounted } from '../format/numbers.ts';
import type { DetailTab } from '../place.ts';
import { ViewBoundary } from '../shell/view-boundary.tsx';
import { setUi, showFrame, useUi, type Subject } from '../state.ts';
import { useCapture } from '../use-capture.ts';
import { AttachmentLinks } from './attachment-links.tsx';
import { BitsView, Violations } from './bits-view.tsx';
import { CompareView } from './compare-view.tsx';
import { DecodedView } from './decoded-view.tsx';
import { DetailActions, DetailHead } from './detail-head.tsx';
import { HexView } from './hex-view.tsx';
import { JsonView } from './json-view.tsx';
import { PartnerLink } from './partner-link.tsx';
import { TextView } from './text-view.tsx';
import { MAX_SHOWN_BYTES, useFrameRow, usePayload, type PayloadState } from './use-payload.ts';
import './detail.css';

/** Of the frame on the wire, the bits view shows the beginning. */
const WIRE_BYTES = 64 * 1024;

interface DetailPaneProps {
  readonly subject: Subject;
  readonly heightPx: number;
  readonly message?: MessageRow;
}

export function DetailPane(props: DetailPaneProps): ReactNode {
  const { kind, session, index } = props.subject;
  const tab = useUi((ui) => ui.detailTab);
  return (
    <section className="detail" aria-label="Detail" style={{ height: props.heightPx }}>
      <ViewBoundary name="What is selected" shows={`${kind} ${session} ${index} ${tab}`}>
        {kind === 'frame' ? (
          <FrameDetail subject={props.subject} />
        ) : (
          props.message !== undefined && <MessageDetail subject={props.subject} message={props.message} />
        )}
      </ViewBoundary>
    </section>
  );
}

function FrameDetail({ subject }: { readonly subject: Subject }): ReactNode {
  const row = useFrameRow(subject.session, subject.index);
  if (row == null) {
    const facts = row === null ? 'not held, or not recorded' : 'reading …';
    return <DetailHead title={`#${formatCount(subject.index)}`} facts={facts} subject={subject} />;
  }
  const { bits } = row;
  const part = opcode(bits) === 0 || (!fin(bits) && opcode(bits) < 8);
  const viaMessage = opcode(bits) < 8 && (compressed(bits) || part);
  return <FrameContent subject={subject} row={row} viaMessage={viaMessage} />;
}

function FrameContent(props: {
  readonly subject: Subject;
  readonly row: StoredRow;
  readonly viaMessage: boolean;
}): ReactNode {
  const { subject, row } = props;
  const capture = useCapture();
  const tab = useUi((ui) => ui.detailTab);
  const plane = useUi((ui) => ui.plane);
  const asMessage = props.viaMessage && plane === 'message';
  const about = {
    empty: row.payloadLength === 0,
    close: opcode(row.bits) === 8,
    heldPart: asMessage ? '' : heldText(row),
    interrupted: !asMessage && !complete(row.bits),
  };
  const path = framePayloadPath(subject.session, subject.index, asMessage ? 'message' : 'payload');
  const payload = usePayload(about, { path, version: row.seq });
  const down = (row.bits & (1 << 16)) !== 0;
  const since = sinceBefore(row, capture.rows);
  const ofMessage =
    asMessage && tab !== 'bits' && payload.payload?.whole === true
      ? ` · the message: ${formatCounted(payload.payload.bytes.length, 'byte')}`
      : '';
  return (
    <>
      <DetailHead
        title={`#${formatCount(row.index)} ${down ? '↓' : '↑'} ${typeText(row.bits)
          .replace(/[└├┐] ?/, '')
          .trim()}`}
        facts={`${formatCounted(row.payloadLength, 'byte')} · ${formatClock(row.timeUs)}${since === null ? '' : ` · +${since}`}${ofMessage}`}
        moreFacts={`${formatFullTime(row.timeUs)}${since === null ? '' : `, ${since} after the frame before`}${ofMessage}`}
        subject={subject}
      >
        {props.viaMessage && tab !== 'bits' && (
          <span className="choice" role="group" aria-label="What is shown">
            <button type="button" aria-pressed={plane === 'message'} onClick={() => setUi({ plane: 'message' })}>
              whole message
            </button>
            <button type="button" aria-pressed={plane === 'frame'} onClick={() => setUi({ plane: 'frame' })}>
              this frame
            </button>
          </span>
        )}
        {opcode(row.bits) < 8 && (
          <>
            <PartnerLink session={subject.session} frame={subject.index} kind="frame" />
            <AttachmentLinks session={subject.session} frame={subject.index} kind="frame" />
          </>
        )}
        <DetailActions
          subject={subject}
          viaMessage={props.viaMessage}
          payload={payload}
          isText={(bytes) => isTextual(row.bits, bytes)}
          toServer={!down}
          facts={() => frameFacts(subject)}
          fileName={`frame-${subject.session}-${row.index}.${isTextual(row.bits, payload.payload?.bytes) ? 'txt' : 'bin'}`}
        />
      </DetailHead>
      {row.index < capture.firstHeldFrame && (
        <div className="lost">This frame has been evicted since: only what the page has read of it is left.</div>
      )}
      {tab !== 'bits' && <Violations bits={row.violations} />}
      <div className="detail-body" role="tabpanel" id="detail-panel" aria-label="Content">
        {tab === 'bits' ? (
          <WireBits session={subject.session} row={row} />
        ) : tab === 'decoded' ? (
          <DecodedView session={subject.session} frame={subject.index} version={row.seq} />
        ) : (
          <Content tab={tab} state={payload} subject={subject} />
        )}
      </div>
    </>
  );
}

async function frameFacts({ session, index }: Subject): Promise<object> {
  const { frames } = await fetchFrames(session, { from: index, limit: 1 });
  return { ...frames.find((frame) => frame.index === index), preview: undefined };
}

/** Time since the frame before, in words, where that is in the table. */
function sinceBefore(row: StoredRow, rows: RowStore): string | null {
  const sinceUs = row.timeUs - rows.timeAt(row.index - 1);
  return Number.isNaN(sinceUs) ? null : formatMs(Math.max(0, sinceUs) / 1000);
}

function MessageDetail(props: { readonly subject: Subject; readonly message: MessageRow }): ReactNode {
  const { subject, message } = props;
  const chosen = useUi((ui) => ui.detailTab);
  const tab = chosen === 'bits' ? 'text' : chosen;
  const path = messagePayloadPath(subject.session, subject.index);
  const length = message.payloadLength;
  const about = { empty: length === 0, close: false, heldPart: '', interrupted: !message.complete };
  const version = `${message.frameCount} ${message.complete}`;
  const payload = usePayload(about, { path, version });
  const ratio = message.compressed && length !== null && message.wireLength > 0 ? length / message.wireLength : null;
  const frames =
    message.frameCount === 1
      ? `frame ${formatCount(message.firstFrame)}`
      : `${formatCount(message.frameCount)} frames, ${formatCount(message.firstFrame)}–${formatCount(message.lastFrame)}`;
  return (
    <>
      <DetailHead
        title={`Message ${formatCount(message.index)} ${message.direction === 'server-to-client' ? '↓' : '↑'} ${message.type}`}
        facts={`${length === null ? 'not inflated' : formatBytes(length)}${ratio === null ? '' : ` · ${formatBytes(message.wireLength)} on the wire, ${ratio.toFixed(1)}×`}`}
        subject={subject}
        withoutBits
      >
        <button
          type="button"
          className="button small plain"
          title="Show these frames"
          onClick={() => showFrame(message.firstFrame)}
        >
          {frames}
        </button>
        <PartnerLink session={subject.session} frame={message.firstFrame} kind="message" />
        <AttachmentLinks session={subject.session} frame={message.firstFrame} kind="message" />
        <DetailActions
          subject={subject}
          viaMessage={false}
          payload={payload}
          isText={() => message.type === 'text'}
          toServer={message.direction === 'client-to-server'}
          facts={() => Promise.resolve({ ...message, preview: undefined })}
          fileName={`message-${subject.session}-${message.index}.${message.type === 'text' ? 'txt' : 'bin'}`}
        />
      </DetailHead>
      {message.violations.length > 0 && <div className="detail-note error">⚠ {message.violations.join(', ')}</div>}
      <div className="detail-body" role="tabpanel" id="detail-panel" aria-label="Content">
        {tab === 'decoded' ? (
          <DecodedView session={subject.session} frame={message.firstFrame} version={version} />
        ) : (
          <Content tab={tab} state={payload} subject={subject} />
        )}
      </div>
    </>
  );
}

/** Of a payload, what its bytes do not tell. */
interface About {
  readonly empty: boolean;
  readonly close: boolean;
  /** How much of the bytes is held, in words; '' where that is not known, or all. */
  readonly heldPart: string;
  /** It has not come whole: unless more may come, it was interrupted. */
  readonly interrupted: boolean;
}

function Content(props: {
  readonly tab: DetailTab;
  readonly state: PayloadState<About>;
  readonly subject: Subject;
}): ReactNode {
  const { tab, state } = props;
  if (state.error !== null) return <div className="detail-note error">{state.error}</div>;
  if (state.shown === null || (tab === 'compare' && state.payload === null))
    return <div className="detail-note dim">Reading …</div>;
  const { bytes, whole, held, growing, of: about } = state.shown;
  if (tab === 'compare') return <CompareView subject={props.subject} bytes={bytes} />;
  if (bytes.length === 0) return <div className="detail-note dim">{noBytes(about, growing)}</div>;
  const rest = held ? '“save” has all of it.' : restOf(about, growing, bytes.length);
  const cut = !whole && (
    <div className="detail-note">
      The first {formatLimit(bytes.length)} are shown; {rest}
    </div>
  );
  if (tab === 'hex') {
    return (
      <>
        {cut}
        <HexView bytes={bytes} />
      </>
    );
  }
  const body = about.close && bytes.length >= 2 ? bytes.subarray(2) : bytes;
  const text = new TextDecoder().decode(body);
  return (
    <>
      {cut}
      {about.close && bytes.length >= 2 && (
        <div className="detail-note">
          Status code <b>{((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0)}</b>
          {body.length > 0 ? '; the reason:' : ', no reason'}
        </div>
      )}
      {tab === 'json' ? <JsonView text={text} cut={!whole} /> : <TextView key={state.shown.path} text={text} />}
    </>
  );
}

function noBytes({ empty, interrupted }: About, growing: boolean): string {
  if (growing) return 'It has not come whole: nothing of it can be shown before.';
  if (interrupted) return 'It never came whole: nothing of it can be shown.';
  return empty ? 'The payload is empty.' : 'None of the payload is held.';
}

/** What became of the bytes that the server does not give, as the end of a sentence. */
function restOf({ heldPart, interrupted }: About, growing: boolean, shownBytes: number): string {
  if (growing) return 'the rest has not come.';
  if (interrupted) return 'the rest never came.';
  if (heldPart !== '') return `${heldPart}, and “save” has no more.`;
  if (shownBytes >= MAX_SHOWN_BYTES) return 'of a message no more is read, and “save” has no more.';
  return 'not all of it is held (--payload-limit), and “save” has no more.';
}

function WireBits(props: { readonly session: string; readonly row: StoredRow }): ReactNode {
  const { session, row } = props;
  const path = framePayloadPath(session, row.index, 'wire');
  const { error, shown } = usePayload(row, { path, version: row.seq, maxBytes: WIRE_BYTES });
  if (error !== null) return <div className="detail-note error">{error}</div>;
  if (shown === null) return <div className="detail-note dim">Reading …</div>;
  return <BitsView row={shown.of} wire={shown.bytes} />;
}

/** Of a continuation the header does not say what it continues: text where it reads as such. */
function isTextual(bits: number, bytes: Uint8Array | undefined): boolean {
  const code = opcode(bits);
  if (code === 1) return true;
  if (code !== 0) return false;
  return bytes !== undefined && !bytes.subarray(0, 512).includes(0);
}
