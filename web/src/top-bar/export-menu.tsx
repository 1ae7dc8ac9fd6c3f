import { Menu } from '@base-ui/react/menu';
import { ChevronDown, Download } from 'lucide-react';
import { useEffect, useState, type ReactNode } from 'react';
import { exportPath, fetchStatus } from '../capture/api.ts';
import { onExportKey } from '../shell/keyboard.ts';
import { useUi } from '../state.ts';

/** Links to the export route: the browser streams the file to disk, whatever its size. */
export function ExportMenu(): ReactNode {
  const [open, setOpen] = useState(false);
  const session = useUi((ui) => ui.session);
  const filter = useUi((ui) => ui.filter);
  const [command, setCommand] = useState('frametap');
  useEffect(() => {
    if (!open) return;
    fetchStatus().then(
      (status) => setCommand(status.command),
      // That the server is away is said elsewhere.
      () => undefined,
    );
  }, [open]);
  useEffect(() => onExportKey(() => setOpen(true)), []);
  return (
    <Menu.Root open={open} onOpenChange={setOpen} modal={false}>
      <Menu.Trigger className="button" aria-label="Export" title="Export (e)">
        <Download size={13} aria-hidden /> <span className="word">Export</span> <ChevronDown size={12} aria-hidden />
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Positioner className="layer" sideOffset={4} align="end">
          <Menu.Popup className="menu">
            <Item href={exportPath({})} name="frametap-capture.json">
              Everything as JSON
            </Item>
            {filter !== '' && (
              <Item href={exportPath({ filter })} name="frametap-filtered.json">
                What passes the filter, as JSON
              </Item>
            )}
            {session !== null && (
              <Item href={exportPath({ session })} name={`frametap-session-${session}.json`}>
                This session as JSON
              </Item>
            )}
            <div className="menu-line" />
            <div className="menu-note">
              Cookie and Authorization values are left out.
              <br />
              Also: <code>{command} export -o capture.json</code>
            </div>
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}

function Item(props: { readonly href: string; readonly name: string; readonly children: ReactNode }): ReactNode {
  return (
    <Menu.LinkItem className="menu-item" href={props.href} download={props.name} closeOnClick>
      {props.children}
    </Menu.LinkItem>
  );
}
