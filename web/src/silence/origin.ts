/** Scheme, host and port as one text, without the port that is the scheme's own; null for a text that is no URL. */
export function originOf(url: string): string | null {
  const match = /^([a-z][a-z0-9+.-]*):\/\/(?:[^/?#@]*@)?([^/?#]*)/i.exec(url);
  if (match === null) return null;
  const scheme = (match[1] ?? '').toLowerCase();
  const authority = (match[2] ?? '').toLowerCase();
  const ownPort = scheme === 'wss' || scheme === 'https' ? ':443' : ':80';
  return `${scheme}://${authority.endsWith(ownPort) ? authority.slice(0, -ownPort.length) : authority}`;
}

/** The path without its query; `/` where there is none. */
export function pathOf(url: string): string {
  const path = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*([^?#]*)/i.exec(url)?.[1] ?? '';
  return path === '' ? '/' : path;
}
