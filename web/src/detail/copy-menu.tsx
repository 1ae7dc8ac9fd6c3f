import { Menu } from '@base-ui/react/menu';
import { ChevronDown } from 'lucide-react';
import type { ReactNode } from 'react';
import { fetchSession } from '../capture/api.ts';
import { copyText, sayUnread } from '../shell/copy.ts';
import { COPY_FORMATS, COPY_NAMES, copyAs, type CopyFormat } from './copy-as.ts';
import type { PayloadState } from './use-payload.ts';

interface CopyMenuProps {
  readonly session: string;
  readonly payload: PayloadState<unknown>;
  readonly isText: (bytes: Uint8Array) => boolean;
  readonly toServer: boolean;
  /** Asks for the frame or message as the API lists it. */
  readonly facts: () => Promise<object>;
}

export function CopyMenu(props: CopyMenuProps): ReactNode {
  return (
    <Menu.Root modal={false}>
      <Menu.Trigger className="button small plain">
        copy as <ChevronDown size={11} aria-hidden />
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Positioner className="layer" sideOffset={4} align="end">
          <Menu.Popup className="menu">
            {COPY_FORMATS.map((format) => (
              <Menu.Item key={format} className="menu-item" onClick={() => void copy(format, props)}>
                {COPY_NAMES[format]}
              </Menu.Item>
            ))}
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}

async function copy(format: CopyFormat, props: CopyMenuProps): Promise<void> {
  const { payload, isText, toServer } = props;
  try {
    const [{ bytes }, session, facts] = await Promise.all([payload.read(), fetchSession(props.session), props.facts()]);
    await copyText(copyAs(format, { bytes, isText: isText(bytes), toServer, facts, session }), COPY_NAMES[format]);
  } catch (error) {
    sayUnread(error);
  }
}
