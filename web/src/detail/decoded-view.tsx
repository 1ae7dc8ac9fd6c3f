import { Menu } from '@base-ui/react/menu';
import { Check, ChevronDown } from 'lucide-react';
import { useEffect, useMemo, useState, type ReactNode } from 'react';
import type { DecodedFrame } from '../../../src/contract/decoded.ts';
import { ApiError, fetchDecoded } from '../capture/api.ts';
import { formatBytes } from '../format/numbers.ts';
import { visibleLine } from '../format/visible-text.ts';
import { decodedText } from './decoded-text.ts';
import { JsonView } from './json-view.tsx';
import { TextView } from './text-view.tsx';

interface DecodedProps {
  readonly session: string;
  /** A frame of the message that is decoded. */
  readonly frame: number;
  /** Another one: the message has grown. */
  readonly version: string | number;
}
interface Known {
  readonly decoded: DecodedFrame | null;
  readonly error: string | null;
}

/** The message as the decoder that fits reads it; another one can be chosen, and is kept for URL and direction. */
export function DecodedView({ session, frame, version }: DecodedProps): ReactNode {
  const [known, setKnown] = useState<Known>({ decoded: null, error: null });
  // The choice belongs to the message it was made on: the server remembers it for the ones after it.
  const [choice, setChoice] = useState<{ readonly frame: string; readonly as: string } | null>(null);
  const key = `${session} ${frame}`;
  const as = choice?.frame === key ? choice.as : undefined;
  useEffect(() => {
    const abort = new AbortController();
    fetchDecoded(session, frame, as, abort.signal).then(
      (decoded) => setKnown({ decoded, error: null }),
      (error: unknown) => {
        if (abort.signal.aborted) return;
        const gone = error instanceof ApiError && error.code === 'not-held';
        setKnown({ decoded: null, error: gone ? 'These bytes are no longer held.' : String(error) });
      },
    );
    return () => abort.abort();
  }, [session, frame, as, version]);
  const { decoded, error } = known;
  if (error !== null) return <div className="detail-note error">{error}</div>;
  if (decoded === null) return <div className="detail-note dim">Reading …</div>;
  return (
    <div className="decoded-view">
      <div className="decoded-head">
        <DecoderMenu decoded={decoded} onChoose={(name) => setChoice({ frame: key, as: name })} />
        <span className="decoded-summary mono" title="The decoder's summary">
          {visibleLine(decoded.summary)}
        </span>
        {!decoded.whole && <span className="dim">The first {formatBytes(decoded.decodedBytes)} were decoded.</span>}
      </div>
      <DecodedBody decoded={decoded} />
    </div>
  );
}

function DecodedBody({ decoded }: { readonly decoded: DecodedFrame }): ReactNode {
  const { value } = decoded;
  const json = useMemo(() => (typeof value === 'string' ? '' : decodedText(value)), [value]);
  return typeof value === 'string' ? <TextView text={value} /> : <JsonView text={json} label="Decoded" />;
}

const percent = (score: number): string => `${Math.round(score * 100)} %`;

function DecoderMenu(props: { readonly decoded: DecodedFrame; readonly onChoose: (name: string) => void }): ReactNode {
  const { decoded } = props;
  const [surest] = decoded.candidates;
  return (
    <Menu.Root modal={false}>
      <Menu.Trigger
        className="button small"
        title={decoded.asked ? 'You chose this decoder for this URL and direction' : 'The surest decoder'}
      >
        <span className="visually-hidden">Decoder: </span>
        {decoded.name} <span className="dim">{decoded.asked ? 'chosen' : percent(decoded.score)}</span>
        <ChevronDown size={11} aria-hidden />
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Positioner className="layer" sideOffset={4} align="start">
          <Menu.Popup className="menu">
            <DecoderItem
              name="auto"
              note={surest === undefined ? '' : `the surest: ${surest.name}`}
              chosen={!decoded.asked}
              onChoose={props.onChoose}
            />
            <div className="menu-line" />
            {decoded.candidates.map(({ name, score }) => (
              <DecoderItem
                key={name}
                name={name}
                note={percent(score)}
                chosen={decoded.asked && name === decoded.name}
                onChoose={props.onChoose}
              />
            ))}
            <div className="menu-line" />
            <div className="menu-note">Kept for this URL and direction. Decoders that cannot read it are left out.</div>
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}

function DecoderItem(props: {
  readonly name: string;
  readonly note: string;
  readonly chosen: boolean;
  readonly onChoose: (name: string) => void;
}): ReactNode {
  return (
    <Menu.Item className="menu-item decoder" onClick={() => props.onChoose(props.name)}>
      <span className="decoder-mark">{props.chosen && <Check size={12} aria-label="in use" />}</span>
      {props.name} <span className="dim">{props.note}</span>
    </Menu.Item>
  );
}
