import type { RequestHead } from '../contract/session.ts';

/*
 * A browser sends the dashboard's cookie to every port of the dashboard's host: cookies do not keep ports apart. What
 * is asked of another server there goes on without it, as it would if Frametap did not run.
 */

/** A Cookie field's value without one `name=value`; null where nothing is left (RFC 6265 §4.2.1). */
function without(value: string, cookie: string): string | null {
  const left = value.split(';').filter((pair) => pair.trim() !== cookie);
  return left.length === 0 ? null : left.join(';').trimStart();
}

/** The head of a request without the cookie `name=value`. */
export function withoutOwnCookie(head: RequestHead, cookie: string): RequestHead {
  if (!head.headers.some(([, value]) => value.includes(cookie))) return head;
  const headers = head.headers.flatMap(([name, value]): (readonly [string, string])[] => {
    const left = name.toLowerCase() === 'cookie' ? without(value, cookie) : value;
    return left === null ? [] : [[name, left]];
  });
  return { ...head, headers };
}
