import { Socket, type Server } from 'node:net';

/*
 * How a listening server makes its sockets. Node copies the options of each new socket and adds three fields to the copy,
 * and V8 (of Node 20 and 24) gives every such copy hidden classes of its own, in the old generation: a tenth of what a
 * short session costs, and a full collection every few thousand sessions. Where the three are there already, nothing is
 * added. A socket that connects is given them by who makes it; for one that is accepted Node makes the options itself, so
 * the server's handle gets another `onconnection`, which does what Node's does for the options that are used here. Where
 * a Node release has the undocumented fields no longer, Node's own is left in place.
 */

/** The three, with the values that Node sets. To be named one by one: a literal that they are spread into is a copy too. */
export interface SettledOptions {
  readonly emitClose: false;
  readonly autoDestroy: true;
  readonly decodeStrings: false;
}

interface ServerFields {
  _handle: { onconnection?: (error: number | undefined, client?: object) => void } | null;
  _connections?: number;
}
type SocketOptions = ConstructorParameters<typeof Socket>[0] & SettledOptions & { readonly handle: object };

/**
 * For a listening server without `pauseOnConnect`, `maxConnections` and keep-alive: its sockets are half-open ones
 * without Nagle's delay.
 * @returns false where this Node cannot do it: nothing has changed then
 */
export function acceptDirectly(server: Server): boolean {
  const fields = server as unknown as ServerFields;
  const handle = fields._handle;
  const usual = handle?.onconnection;
  if (handle === null || typeof usual !== 'function' || typeof fields._connections !== 'number') return false;
  handle.onconnection = function (error, client) {
    if (error || client === undefined) {
      usual.call(this, error, client);
      return;
    }
    const options: SocketOptions = {
      handle: client,
      allowHalfOpen: true,
      readable: true,
      writable: true,
      emitClose: false,
      autoDestroy: true,
      decodeStrings: false,
    };
    const socket = new Socket(options);
    socket.setNoDelay(true);
    // By these the socket tells of its end, so that the server knows when its last one has gone.
    (fields._connections as number)++;
    Object.assign(socket, { server, _server: server });
    server.emit('connection', socket);
  };
  return true;
}
