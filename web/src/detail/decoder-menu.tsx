import { Menu } from '@base-ui/react/menu';
import { Check, ChevronDown, FilePlus2, ListTree } from 'lucide-react';
import type { ReactNode } from 'react';
import type { DecodedFrame } from '../../../src/contract/decoded.ts';
import { formatCount } from '../format/numbers.ts';
import { refreshProtos, useProtoFiles } from './proto-files.ts';
import { protoTypes } from './proto-types.ts';

interface DecoderMenuProps {
  readonly decoded: DecodedFrame;
  readonly onChoose: (name: string) => void;
  readonly onLoad: () => void;
  /** Opens the list of all types and files. */
  readonly onAll: () => void;
}

/** Before a type's name in the name of its decoder. */
export const TYPED = 'protobuf:';
/** Of more types, the dialog has the rest. */
const MENU_TYPES = 100;

const percent = (score: number): string => `${Math.round(score * 100)} %`;

/** The decoders that can read the message, the types that are loaded, and the way to load more. */
export function DecoderMenu(props: DecoderMenuProps): ReactNode {
  const { decoded } = props;
  const [surest] = decoded.candidates;
  return (
    <Menu.Root modal={false} onOpenChange={(open) => open && void refreshProtos()}>
      <Menu.Trigger
        className="button small decoder-trigger"
        title={decoded.asked ? 'You chose this decoder for this URL and direction' : 'The surest decoder'}
      >
        <span className="visually-hidden">Decoder: </span>
        <DecoderName name={decoded.name} />{' '}
        <span className="dim">{decoded.asked ? 'chosen' : percent(decoded.score)}</span>
        <ChevronDown size={11} aria-hidden />
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Positioner className="layer" sideOffset={4} align="start">
          <Menu.Popup className="menu decoders">
            <DecoderItem
              name="auto"
              note={surest === undefined ? '' : `the surest: ${surest.name}`}
              chosen={decoded.kept === null}
              onChoose={props.onChoose}
            />
            <div className="menu-line" />
            {decoded.candidates.map(({ name, score }) => (
              <DecoderItem
                key={name}
                name={name}
                note={percent(score)}
                chosen={name === decoded.kept}
                onChoose={props.onChoose}
              />
            ))}
            <div className="menu-line" />
            <ProtoItems {...props} />
            <div className="menu-line" />
            <div className="menu-note">Kept for this URL and direction. Decoders that cannot read it are left out.</div>
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}

function ProtoItems({ decoded, onChoose, onLoad, onAll }: DecoderMenuProps): ReactNode {
  const files = useProtoFiles((protos) => protos.files);
  const all = protoTypes(files);
  const others = all.filter(({ type }) => !decoded.candidates.some(({ name }) => name === TYPED + type));
  return (
    <>
      {others.length > 0 && (
        <Menu.Group>
          <Menu.GroupLabel className="menu-note">Other types of .proto files</Menu.GroupLabel>
          <div className="decoder-types">
            {others.slice(0, MENU_TYPES).map(({ type, file }) => (
              <DecoderItem
                key={type}
                name={TYPED + type}
                note={files.length > 1 ? file : ''}
                chosen={decoded.kept === TYPED + type}
                onChoose={onChoose}
              />
            ))}
          </div>
          <div className="menu-line" />
        </Menu.Group>
      )}
      <Menu.Item className="menu-item decoder" onClick={onLoad}>
        <span className="decoder-mark">
          <FilePlus2 size={12} aria-hidden />
        </span>
        Load a .proto…
      </Menu.Item>
      {files.length > 0 && (
        <Menu.Item className="menu-item decoder" onClick={onAll}>
          <span className="decoder-mark">
            <ListTree size={12} aria-hidden />
          </span>
          Types and files… <span className="dim">{formatCount(all.length)}</span>
        </Menu.Item>
      )}
    </>
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
      <DecoderName name={props.name} /> <span className="dim">{props.note}</span>
    </Menu.Item>
  );
}

/** A type's name matters more than that it is one. */
function DecoderName({ name }: { readonly name: string }): ReactNode {
  if (!name.startsWith(TYPED)) return name;
  return (
    <span className="decoder-type" title={name}>
      <span className="decoder-scheme">{TYPED}</span>
      {name.slice(TYPED.length)}
    </span>
  );
}
