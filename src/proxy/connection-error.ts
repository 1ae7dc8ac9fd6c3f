import type { Socket } from 'node:net';
import { constants } from 'node:os';

/*
 * Whether a connection has been reset, asked of the system itself. Node does not always tell: a connection that is not
 * read tells nothing, and where bytes came right before the reset, libuv reports their end as a FIN. To write no bytes
 * sends nothing and returns the connection's error; but a failed write of a Socket object destroys it, with all that
 * could still be read. So the write goes to its TCP handle, through the undocumented field `_handle`. Where a Node
 * release has it no longer, on other systems than Linux (were the write put off there, Node would need more than the
 * empty request it is given), and after our own FIN, when libuv asks no more, such a reset shows as a FIN, or when the
 * peer is read again.
 */

interface HandleHolder {
  _handle: {
    readonly writeQueueSize?: number;
    writeBuffer?: (request: object, bytes: Uint8Array) => number;
  } | null;
}

const { ECONNRESET, EPIPE } = constants.errno;
const NOTHING = Buffer.alloc(0);

/**
 * Whether the peer has reset a TCP connection. What came before can still be read.
 * @param own.finSent our side of it has been ended, by whatever layer: then nothing can be told
 */
export function hasBeenReset(raw: Socket, own: { readonly finSent: boolean }): boolean {
  const handle = (raw as unknown as HandleHolder)._handle;
  if (process.platform !== 'linux' || own.finSent) return false;
  // Behind bytes that wait, the write would wait too. Their own failure tells of the reset, and ends the reading.
  if (typeof handle?.writeBuffer !== 'function' || handle.writeQueueSize !== 0) return false;
  const error = -handle.writeBuffer({}, NOTHING);
  // A reset that follows the peer's own FIN is told as EPIPE.
  return error === ECONNRESET || error === EPIPE;
}
