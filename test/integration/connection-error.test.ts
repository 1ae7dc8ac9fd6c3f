import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { hasBeenReset } from '../../src/proxy/connection-error.ts';
import { readToEnd, tcpPair } from '../helpers/session-rig.ts';

const open: Socket[] = [];
afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy();
});
async function pair(): Promise<[Socket, Socket]> {
  const sockets = await tcpPair();
  open.push(...sockets);
  return sockets;
}

/** Resolves when the system of the other side has seen what `peer` did last: on loopback, once the loop has gone round. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('hasBeenReset', () => {
  it('tells a reset of a connection that is not read, whose bytes can still be read', async () => {
    const [peer, own] = await pair();
    peer.write('last words');
    await settled();
    expect(hasBeenReset(own, { finSent: false })).toBe(false);
    peer.resetAndDestroy();
    await settled();
    expect(hasBeenReset(own, { finSent: false })).toBe(true);
    expect((await readToEnd(own)).bytes.toString()).toBe('last words');
  });

  it("takes neither the peer's FIN nor our own for one", async () => {
    const [peer, own] = await pair();
    peer.end('the end');
    expect(await readToEnd(own)).toMatchObject({ how: 'fin' });
    expect(hasBeenReset(own, { finSent: false })).toBe(false);
    own.end();
    await once(own, 'finish');
    expect(hasBeenReset(own, { finSent: true })).toBe(false);
  });

  it('sends nothing', async () => {
    const [peer, own] = await pair();
    for (let i = 0; i < 3; i++) expect(hasBeenReset(own, { finSent: false })).toBe(false);
    own.end('all');
    expect((await readToEnd(peer)).bytes.toString()).toBe('all');
  });
});
