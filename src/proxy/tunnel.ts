import type { Socket } from 'node:net';
import { ignoreError } from './answer.ts';
import type { Leg } from './leg.ts';

/** Joins two connections unread: bytes, half-close and reset of each go to the other. */
export function joinUnread(client: Leg, server: Leg): void {
  carry(client, server);
  carry(server, client);
}

function carry(from: Leg, to: Leg): void {
  if (from.rest.length > 0) to.socket.write(from.rest);
  from.socket.on('error', ignoreError);
  from.socket.on('data', (chunk: Buffer) => {
    if (!to.socket.write(chunk)) from.socket.pause();
  });
  to.socket.on('drain', () => from.socket.resume());
  from.socket.on('end', () => to.socket.end());
  from.socket.on('close', () => {
    // Ended in order: our last bytes and FIN are still on their way to the other side.
    if (from.socket.readableEnded && from.socket.writableFinished) return;
    reset(to.raw);
  });
  // It may have gone while the other side was being reached.
  if (from.socket.destroyed) reset(to.raw);
  else if (from.ended === true || from.socket.readableEnded) to.socket.end();
  else from.socket.resume();
}

/** An RST, so that the peer can tell a broken connection from an ended one. */
export function reset(raw: Socket): void {
  if (!raw.destroyed) raw.resetAndDestroy();
}
