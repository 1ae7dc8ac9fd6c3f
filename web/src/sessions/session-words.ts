import { closeCodeIsLegal, closeCodeMeaning } from '../../../src/contract/close-code.ts';
import type { SessionSummary } from '../../../src/contract/session.ts';
import { visibleLine } from '../format/visible-text.ts';

export interface UrlParts {
  readonly scheme: string;
  readonly host: string;
  readonly path: string;
}

/** Takes a URL apart without changing anything in it: parsing would tidy it up. */
export function splitUrl(url: string): UrlParts {
  const match = /^([a-z][a-z0-9+.-]*:\/\/)([^/?#]*)(.*)$/is.exec(url);
  if (match === null) return { scheme: '', host: url, path: '' };
  return { scheme: match[1] ?? '', host: match[2] ?? '', path: match[3] === '/' ? '' : (match[3] ?? '') };
}

/** How a session ended, in a few words, or null while it goes on. */
export function closeMark(session: SessionSummary): { readonly text: string; readonly unusual: boolean } | null {
  if (session.state === 'failed') return { text: visibleLine(session.fault?.message ?? 'failed'), unusual: true };
  const { close } = session;
  if (close === null) return null;
  if (close.how === 'reset' || close.how === 'timeout') return { text: `${close.by} ${close.how}`, unusual: true };
  if (close.code === null) {
    return close.how === 'closing-handshake'
      ? { text: 'closed without a code', unusual: false }
      : { text: `${close.by} ended without a close frame`, unusual: true };
  }
  const usual = close.code === 1000 || close.code === 1001;
  return {
    text: `${close.code} ${closeCodeMeaning(close.code)}`,
    unusual: !close.clean || !closeCodeIsLegal(close.code) || (!usual && close.code < 3000),
  };
}
