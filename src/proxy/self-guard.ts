import { isIPv4 } from 'node:net';
import { networkInterfaces } from 'node:os';

/** An address and port that Frametap itself listens on. */
export interface OwnListener {
  readonly address: string;
  readonly port: number;
}

/**
 * Whether a connection to this IP address would end at one of our own listeners, however the address is written.
 * Names are resolved before: whoever owns a name can let it point anywhere.
 */
export function reachesOwnListener(address: string, port: number, listeners: Iterable<OwnListener>): boolean {
  for (const listener of listeners) {
    if (listener.port === port && reaches(canonicalAddress(address), canonicalAddress(listener.address))) return true;
  }
  return false;
}

function reaches(target: string, bound: string): boolean {
  if (target === bound) return true;
  // To connect to the unspecified address is to connect to this machine.
  const loopback = isLoopback(target) || isUnspecified(target);
  if (isUnspecified(bound)) return loopback || isLocal(target);
  return loopback && isLoopback(bound);
}

/** IPv4 where an IPv6 address only wraps one, without zone; else the address in the one spelling of RFC 5952. */
function canonicalAddress(address: string): string {
  const bare = address.split('%')[0] ?? address;
  if (isIPv4(bare) || !bare.includes(':')) return bare;
  const spelled = new URL(`http://[${bare}]/`).hostname.slice(1, -1);
  const mapped = /^::(?:ffff:)?([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(spelled);
  if (mapped === null) return spelled;
  const words = [mapped[1], mapped[2]].map((word) => Number.parseInt(word ?? '0', 16));
  return words.flatMap((word) => [word >> 8, word & 0xff]).join('.');
}

const isLoopback = (address: string): boolean => address === '::1' || (isIPv4(address) && address.startsWith('127.'));
export const isUnspecified = (address: string): boolean => address === '::' || /^0\./.test(address);

function isLocal(address: string): boolean {
  return Object.values(networkInterfaces()).some((ends) =>
    ends?.some((end) => canonicalAddress(end.address) === address),
  );
}
