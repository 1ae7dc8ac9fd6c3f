import { Socket } from 'node:net';

/*
 * Reading into one shared buffer: libuv fills `area`, the callback uses the bytes, and no read allocates (at 64 KiB a
 * message: 26 us of CPU in place of 72). Node offers it as `onread` for sockets that it connects itself, at their
 * construction only. Accepted sockets get it by moving their TCP handle to a new Socket object, through the
 * undocumented field `_handle` and the option `handle`. Where a Node release has them no longer, or the socket is not
 * plain TCP, `null` says so, and the caller reads with `data` events.
 */

interface HandleHolder {
  _handle: { readStop?: () => number; useUserBuffer?: unknown; reading?: boolean } | null;
  _server?: unknown;
  server?: unknown;
}

/**
 * Gives a paused TCP socket's connection to a new Socket that reads into `area`. The old object is empty afterwards.
 * @param onRead gets the number of bytes that lie in `area`; they are its own until it returns
 * @returns null where this Node or this socket cannot do it: nothing has changed then
 */
export function readInto(socket: Socket, area: Uint8Array, onRead: (length: number) => void): Socket | null {
  const holder = socket as unknown as HandleHolder;
  const handle = holder._handle;
  const movable =
    socket.constructor === Socket &&
    typeof handle?.useUserBuffer === 'function' &&
    socket.writableLength === 0 &&
    socket.readableLength === 0 &&
    !socket.connecting &&
    !socket.destroyed &&
    !socket.readableEnded &&
    !socket.writableEnded;
  if (!movable || handle === null) return null;
  handle.readStop?.();
  handle.reading = false;
  const options = {
    handle,
    allowHalfOpen: true,
    onread: {
      buffer: area,
      callback: (length: number): boolean => {
        onRead(length);
        return true;
      },
    },
  };
  const moved = new Socket(options);
  const target = moved as unknown as HandleHolder;
  // The listening server counts its connections by these two fields when they close.
  target._server = holder._server;
  target.server = holder.server;
  holder._server = null;
  holder.server = null;
  holder._handle = null;
  return moved;
}
