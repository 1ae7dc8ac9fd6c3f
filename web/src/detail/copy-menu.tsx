import { Menu } from '@base-ui/react/menu';
import { ChevronDown } from 'lucide-react';
import type { ReactNode } from 'react';
import { fetchSession } from '../capture/api.ts';
import { copyText, say } from '../shell/copy.ts';
import { COPY_FORMATS, COPY_NAMES, copyAs, type CopyFormat } from './copy-as.ts';

interface CopyMenuProps {
  readonly session: string;
  readonly bytes: Uint8Array | null;
  readonly isText: boolean;
  readonly toServer: boolean;
  /** Asks for the frame or message as the API lists it. */
  readonly facts: () => Promise<object>;
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
  const { bytes, isText, toServer } = props;
  try {
    const [session, facts] = await Promise.all([fetchSession(props.session), props.facts()]);
    await copyText(copyAs(format, { bytes, isText, toServer, facts, session }), COPY_NAMES[format]);
  } catch (error) {
    say(`It could not be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}
