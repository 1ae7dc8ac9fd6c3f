import type { Socket } from 'node:net';

/*
 * Reading into one shared buffer: the bytes of a read are filled into `area`, the callback uses them, and no read
 * allocates (at 64 KiB a message: 26 us of CPU in place of 72; in TLS, where every record makes a buffer, full
 * collections by the dozen once the capture is large). Node offers it as the option `onread`, for sockets that it
 * connects itself and at their construction only. Sockets that are there already get what the option does: the handle's
 * undocumented `useUserBuffer`, and the two fields by which the socket's reader finds buffer and callback. Where a Node
 * release has them no longer, `false` says so, and the caller reads with `data` events.
 */

interface Readable {
  _handle: { useUserBuffer?: (area: Uint8Array) => void } | null;
  [field: symbol]: unknown;
}

/**
 * Lets a paused socket, TCP or TLS, read into `area` from now on, once it is resumed.
 * @param onRead gets the number of bytes that lie in `area`; they are its own until it returns
 * @returns false where this Node or this socket cannot do it: nothing has changed then
 */
export function readInto(socket: Socket, area: Uint8Array, onRead: (length: number) => void): boolean {
  const readable = socket as unknown as Readable;
  const handle = readable._handle;
  const fields = fieldsOf(readable);
  if (fields === null || typeof handle?.useUserBuffer !== 'function') return false;
  if (socket.readableLength > 0 || socket.connecting || socket.destroyed || socket.readableEnded) return false;
  handle.useUserBuffer(area);
  readable[fields.buffer] = area;
  readable[fields.callback] = (length: number): boolean => {
    onRead(length);
    return true;
  };
  return true;
}

/** The names of the two fields: symbols that every socket has and nobody is given. */
let known: { readonly buffer: symbol; readonly callback: symbol } | null = null;

function fieldsOf(socket: Readable): typeof known {
  if (known !== null) return known;
  const symbols = Object.getOwnPropertySymbols(socket);
  const buffer = symbols.find(({ description }) => description === 'kBuffer');
  const callback = symbols.find(({ description }) => description === 'kBufferCb');
  if (buffer !== undefined && callback !== undefined) known = { buffer, callback };
  return known;
}
