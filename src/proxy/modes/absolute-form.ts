import { fieldValues } from '../../protocol/head.ts';
import { formatAuthority, parseAbsoluteTarget, parseAuthority, type HostPort } from '../../protocol/request-target.ts';
import type { Mode } from './mode.ts';

/** `GET http://host/path`: the request itself says where it goes (RFC 9112 §3.2.2). */
export const absoluteFormMode: Mode = {
  name: 'absolute-form',
  route(head) {
    const url = parseAbsoluteTarget(head.target);
    if (url === null) return null;
    const origin = { secure: url.secure, host: url.host, port: url.port };
    const hosts = fieldValues(head.headers, 'host');
    // RFC 9112 §3.2.2: the URL decides, and a Host that says something else is replaced.
    const agrees = hosts.length === 0 || (hosts.length === 1 && sameAuthority(hosts[0] ?? '', origin));
    return {
      mode: 'absolute-form',
      origin,
      target: url.path,
      ...(agrees ? {} : { host: formatAuthority(origin) }),
    };
  },
};

function sameAuthority(host: string, origin: HostPort & { readonly secure: boolean }): boolean {
  try {
    const named = parseAuthority(host, origin.secure ? 443 : 80);
    return named.port === origin.port && named.host.toLowerCase() === origin.host.toLowerCase();
  } catch {
    // What cannot be read cannot agree.
    return false;
  }
}
