import { Dialog } from '@base-ui/react/dialog';
import { AlertDialog } from '@base-ui/react/alert-dialog';
import type { ReactNode } from 'react';
import { clearCapture, deleteSession } from '../capture/api.ts';
import { openSession, setUi, useUi } from '../state.ts';
import { KEYS } from './keyboard.ts';
import { say } from './copy.ts';
import './dialogs.css';

export function HelpDialog(): ReactNode {
  const open = useUi((ui) => ui.dialog === 'help');
  return (
    <Dialog.Root open={open} onOpenChange={(next) => setUi({ dialog: next ? 'help' : null })}>
      <Dialog.Portal>
        <Dialog.Backdrop className="backdrop" />
        <Dialog.Popup className="dialog">
          <Dialog.Title>Keys</Dialog.Title>
          <table className="keys">
            <tbody>
              {KEYS.map(([keys, does]) => (
                <tr key={does}>
                  <th scope="row">
                    {keys.map((key) => (
                      <kbd key={key}>{key}</kbd>
                    ))}
                  </th>
                  <td>{does}</td>
                </tr>
              ))}
            </tbody>
          </table>
          <Dialog.Description className="dim help-note">
            The browser&rsquo;s own find looks only at the rows on the screen: a list of a million is never all in the
            page. The filter looks at every frame that is held.
          </Dialog.Description>
          <div className="dialog-actions">
            <Dialog.Close className="button">Close</Dialog.Close>
          </div>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

export function ClearDialog(): ReactNode {
  const dialog = useUi((ui) => ui.dialog);
  const session = useUi((ui) => ui.session);
  const open = dialog === 'clear' || dialog === 'delete';
  const all = dialog !== 'delete';
  return (
    <AlertDialog.Root open={open} onOpenChange={(next) => !next && setUi({ dialog: null })}>
      <AlertDialog.Portal>
        <AlertDialog.Backdrop className="backdrop" />
        <AlertDialog.Popup className="dialog narrow">
          <AlertDialog.Title>{all ? 'Clear the capture?' : 'Delete this session?'}</AlertDialog.Title>
          <AlertDialog.Description>
            {all
              ? 'All sessions and frames are forgotten and their memory is freed. Connections stay open and go on being captured. This cannot be undone; export first what you want to keep.'
              : 'Its frames are forgotten and their memory is freed. If it is open it goes on, empty. This cannot be undone.'}
          </AlertDialog.Description>
          <div className="dialog-actions">
            <AlertDialog.Close className="button">Cancel</AlertDialog.Close>
            <button type="button" className="button danger" onClick={() => void act(all ? null : session)}>
              {all ? 'Clear everything' : 'Delete session'}
            </button>
          </div>
        </AlertDialog.Popup>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}

async function act(session: string | null): Promise<void> {
  setUi({ dialog: null });
  try {
    if (session === null) {
      await clearCapture();
      setUi({ frame: null, message: null, compareWith: null });
      say('Capture cleared');
    } else {
      await deleteSession(session);
      openSession(null);
      say('Session deleted');
    }
  } catch (error) {
    say(`That did not work: ${error instanceof Error ? error.message : String(error)}`);
  }
}
