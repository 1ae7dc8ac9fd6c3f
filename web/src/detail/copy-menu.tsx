import { Menu } from '@base-ui/react/menu';
import { ChevronDown } from 'lucide-react';
import type { ReactNode } from 'react';
import type { SessionSummary } from '../../../src/contract/session.ts';
import { fetchSession } from '../capture/api.ts';
import { copyText, say } from '../shell/copy.ts';
import { COPY_FORMATS, COPY_NAMES, copyAs, type CopyFormat, type CopySource } from './copy-as.ts';

interface CopyMenuProps {
  readonly session: SessionSummary;
  readonly bytes: Uint8Array | null;
  readonly isText: boolean;
  readonly toServer: boolean;
  readonly facts: object;
}

export function CopyMenu(props: CopyMenuProps): ReactNode {
  const { bytes } = props;
  return (
    <Menu.Root modal={false}>
      <Menu.Trigger className="button small plain" disabled={bytes === null}>
        copy as <ChevronDown size={11} aria-hidden />
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Positioner className="layer" sideOffset={4} align="end">
          <Menu.Popup className="menu">
            {COPY_FORMATS.map((format) => (
              <Menu.Item
                key={format}
                className="menu-item"
                onClick={() => bytes !== null && void copy(format, { ...props, bytes })}
              >
                {COPY_NAMES[format]}
              </Menu.Item>
            ))}
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}

async function copy(format: CopyFormat, props: CopyMenuProps & { readonly bytes: Uint8Array }): Promise<void> {
  let handshake: CopySource['session']['handshake'] = null;
  if (format === 'curl' || format === 'websocat' || format === 'ws') {
    try {
      ({ handshake } = await fetchSession(props.session.id));
    } catch (error) {
      say(`The handshake could not be read: ${error instanceof Error ? error.message : String(error)}`);
      return;
    }
  }
  const { url, subprotocol } = props.session;
  const { bytes, isText, toServer, facts } = props;
  await copyText(
    copyAs(format, { bytes, isText, toServer, facts, session: { url, subprotocol, handshake } }),
    COPY_NAMES[format],
  );
}
