import { Dialog } from '@base-ui/react/dialog';
import { Trash2 } from 'lucide-react';
import { useState, type ReactNode } from 'react';
import { formatBytes, formatCount } from '../format/numbers.ts';
import { TYPED } from './decoder-menu.tsx';
import { removeProtoFiles, useProtoFiles } from './proto-files.ts';
import { protoTypes } from './proto-types.ts';
import { ProtoFault } from './proto-fault.tsx';

/** Of more, a longer word finds it. */
const SHOWN_TYPES = 200;

/** Every message type that is loaded, to be found and chosen; and the files, to be removed. */
export function ProtoDialog(props: {
  readonly open: boolean;
  readonly onClose: () => void;
  readonly onChoose: (name: string) => void;
  readonly onLoad: () => void;
}): ReactNode {
  return (
    <Dialog.Root open={props.open} onOpenChange={(open) => !open && props.onClose()}>
      <Dialog.Portal>
        <Dialog.Backdrop className="backdrop" />
        <Dialog.Popup className="dialog protos">
          <Dialog.Title>Protobuf types</Dialog.Title>
          <ProtoFault />
          <TypeList onChoose={props.onChoose} />
          <FileList />
          <div className="dialog-actions">
            <button type="button" className="button" onClick={props.onLoad}>
              Load a .proto…
            </button>
            <Dialog.Close className="button">Close</Dialog.Close>
          </div>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function TypeList({ onChoose }: { readonly onChoose: (name: string) => void }): ReactNode {
  const files = useProtoFiles((protos) => protos.files);
  const [words, setWords] = useState('');
  const found = protoTypes(files, words);
  return (
    <>
      <input
        className="field proto-find"
        type="search"
        aria-label="Find a type"
        placeholder="find a type…"
        value={words}
        onChange={(event) => setWords(event.target.value)}
      />
      <ul className="proto-types" aria-label="Message types">
        {found.slice(0, SHOWN_TYPES).map(({ type, file }) => (
          <li key={type}>
            <button type="button" className="proto-type" onClick={() => onChoose(TYPED + type)}>
              <span className="mono">{type}</span> <span className="dim">{file}</span>
            </button>
          </li>
        ))}
      </ul>
      <p className="dim" role="status">
        {found.length > SHOWN_TYPES && `${formatCount(found.length - SHOWN_TYPES)} more: a longer word finds them.`}
        {found.length === 0 && (files.length === 0 ? 'No file is loaded.' : 'No type has this in its name.')}
      </p>
    </>
  );
}

function FileList(): ReactNode {
  const files = useProtoFiles((protos) => protos.files);
  if (files.length === 0) return null;
  return (
    <>
      <div className="proto-files-head">
        <h3>Files</h3>
        {files.length > 1 && (
          <button type="button" className="button small" onClick={() => void removeProtoFiles()}>
            Remove all
          </button>
        )}
      </div>
      <ul className="proto-files" aria-label="Files">
        {files.map(({ name, bytes, messages }) => (
          <li key={name}>
            <span className="mono">{name}</span>
            <span className="dim">
              {formatCount(messages.length)} {messages.length === 1 ? 'type' : 'types'} · {formatBytes(bytes)}
            </span>
            <button
              type="button"
              className="button plain small icon"
              aria-label={`Remove ${name}`}
              title={`Remove ${name}`}
              onClick={() => void removeProtoFiles(name)}
            >
              <Trash2 size={13} aria-hidden />
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}
