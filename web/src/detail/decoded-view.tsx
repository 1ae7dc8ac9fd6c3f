import { useEffect, useMemo, useRef, useState, type ReactNode } from 'react';
import type { DecodedFrame } from '../../../src/contract/decoded.ts';
import { fetchDecoded } from '../capture/api.ts';
import { formatBytes } from '../format/numbers.ts';
import { visibleLine } from '../format/visible-text.ts';
import { decodedText } from './decoded-text.ts';
import { DecoderMenu, TYPED } from './decoder-menu.tsx';
import { JsonView } from './json-view.tsx';
import { ProtoDialog } from './proto-dialog.tsx';
import { ProtoFault } from './proto-fault.tsx';
import { forgetFault, loadProtoFiles, refreshProtos, useProtoFiles } from './proto-files.ts';
import { protoTypes } from './proto-types.ts';
import { TextView } from './text-view.tsx';
import { useReading } from './use-reading.ts';
import './decoder.css';

interface DecodedProps {
  readonly session: string;
  /** A frame of the message that is decoded. */
  readonly frame: number;
  /** Another one: the message has grown. */
  readonly version: string | number;
}
/** The message as the decoder that fits reads it; another one can be chosen, and is kept for URL and direction. */
export function DecodedView({ session, frame, version }: DecodedProps): ReactNode {
  const loaded = useProtoFiles((protos) => protos.version);
  // The choice belongs to the message it was made on: the server remembers it for the ones after it.
  const [choice, setChoice] = useState<{ readonly of: string; readonly as: string } | null>(null);
  // What is known of another frame is not shown under this one's head; of this one it stays until it is known anew.
  const subject = `${session} ${frame}`;
  const key = `${subject} ${loaded}`;
  const as = choice?.of === key ? choice.as : undefined;
  const { value: decoded, error } = useReading({
    subject,
    version: `${version} ${loaded} ${as ?? ''}`,
    read: (signal) => fetchDecoded(session, frame, as, signal),
  });
  const [listOpen, setListOpen] = useState(false);
  if (error !== null) return <div className="detail-note error">{error}</div>;
  if (decoded === null) return <div className="detail-note dim">Reading …</div>;
  if (decoded.growing && decoded.decodedBytes === 0)
    return <div className="detail-note dim">It has not come whole: nothing of it can be decoded before.</div>;
  return (
    <div className="decoded-view">
      <DecodedHead
        decoded={decoded}
        listOpen={listOpen}
        onListOpen={setListOpen}
        onChoose={(name) => setChoice({ of: key, as: name })}
      />
      {!listOpen && <ProtoFault />}
      <DecodedBody decoded={decoded} />
    </div>
  );
}

function DecodedHead(props: {
  readonly decoded: DecodedFrame;
  readonly listOpen: boolean;
  readonly onListOpen: (open: boolean) => void;
  readonly onChoose: (name: string) => void;
}): ReactNode {
  const { decoded, onListOpen, onChoose } = props;
  const picker = useRef<HTMLInputElement>(null);
  const pick = (): void => picker.current?.click();
  return (
    <div className="decoded-head">
      <DecoderMenu decoded={decoded} onChoose={onChoose} onLoad={pick} onAll={() => onListOpen(true)} />
      {decoded.kept !== null && !decoded.asked && <KeptNote kept={decoded.kept} />}
      <span className="decoded-summary mono" title="The decoder's summary">
        {visibleLine(decoded.summary)}
      </span>
      {!decoded.whole && <span className="dim">The first {formatBytes(decoded.decodedBytes)} were decoded.</span>}
      <input
        ref={picker}
        type="file"
        accept=".proto"
        multiple
        hidden
        aria-label="Files to load"
        onChange={(event) => {
          const picked = [...(event.target.files ?? [])];
          // The same file may be picked again, once it is mended.
          event.target.value = '';
          if (picked.length > 0) void loadProtoFiles(picked);
        }}
      />
      <ProtoDialog
        open={props.listOpen}
        onClose={() => {
          onListOpen(false);
          forgetFault();
        }}
        onLoad={pick}
        onChoose={(name) => {
          onListOpen(false);
          onChoose(name);
        }}
      />
    </div>
  );
}

/** Why the decoder that was chosen is not the one that is used. */
function KeptNote({ kept }: { readonly kept: string }): ReactNode {
  const { known, files } = useProtoFiles();
  useEffect(() => void refreshProtos(), []);
  const name = kept.startsWith(TYPED) ? kept.slice(TYPED.length) : kept;
  const gone = known && kept.startsWith(TYPED) && !protoTypes(files).some(({ type }) => type === name);
  return (
    <span className="chip control kept" title={`Kept for this URL and direction: ${kept}`}>
      <span>{gone ? `${name} is not loaded` : `not readable as ${name}`}</span>
    </span>
  );
}

function DecodedBody({ decoded }: { readonly decoded: DecodedFrame }): ReactNode {
  const { value } = decoded;
  const json = useMemo(() => (typeof value === 'string' ? '' : decodedText(value)), [value]);
  return typeof value === 'string' ? <TextView text={value} /> : <JsonView text={json} label="Decoded" />;
}
