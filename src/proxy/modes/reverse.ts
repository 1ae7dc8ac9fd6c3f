import { formatAuthority, parseAbsoluteTarget } from '../../protocol/request-target.ts';
import type { Origin } from '../leg.ts';
import type { Mode } from './mode.ts';

/** Everything that reaches the port goes to one origin. */
export function createReverseMode(origin: Origin, options: { readonly keepHost: boolean }): Mode {
  const host = options.keepHost ? {} : { host: formatAuthority(origin) };
  return {
    name: 'reverse',
    route(head) {
      // RFC 9112 §3.2.2: a server must accept the absolute form too. Its authority has no say here.
      const target = head.target.startsWith('/')
        ? head.target
        : (parseAbsoluteTarget(head.target)?.path ?? head.target);
      return { mode: 'reverse', origin, target, ...host };
    },
  };
}
