import { closeCodeIsLegal, closeCodeMeaning } from '../../../src/contract/close-code.ts';
import type { SessionSummary } from '../../../src/contract/session.ts';
import { visibleLine } from '../format/visible-text.ts';

export interface UrlParts {
  readonly scheme: string;
  readonly host: string;
  /** With its colon; '' where there is none. */
  readonly port: string;
  readonly path: string;
}

/** Takes a URL apart without changing anything in it: parsing would tidy it up. */
export function splitUrl(url: string): UrlParts {
  const match = /^([a-z][a-z0-9+.-]*:\/\/)([^/?#]*)(.*)$/is.exec(url);
  const [scheme, authority, path] = match === null ? ['', url, ''] : [match[1] ?? '', match[2] ?? '', match[3] ?? ''];
  const port = /:\d{1,5}$/.exec(authority)?.[0] ?? '';
  return { scheme, host: authority.slice(0, authority.length - port.length), port, path: path === '/' ? '' : path };
}

export interface CloseMark {
  /** Short enough for the list; a code first where there is one, as the filter's `code:` knows it. */
  readonly text: string;
  readonly title: string;
  readonly unusual: boolean;
}

/** How a session ended, in a few words, or null while it goes on. */
export function closeMark(session: SessionSummary): CloseMark | null {
  const { close, fault } = session;
  if (session.state === 'failed') {
    const text =
      fault?.code === 'upstream-refused-handshake'
        ? 'refused by the server'
        : (fault?.code.replaceAll('-', ' ') ?? 'failed');
    return { text, title: visibleLine(fault?.message ?? 'failed'), unusual: true };
  }
  if (close === null) return null;
  const code = close.code ?? ((close.clientFrame ?? close.serverFrame) === null ? 1006 : 1005);
  const how = close.clean ? '' : `, ${close.by} ${close.how === 'fin' ? 'FIN' : close.how}`;
  const forbidden = close.code !== null && !closeCodeIsLegal(close.code);
  const meaning = forbidden ? 'must not be sent' : closeCodeMeaning(code);
  const text = code === 1006 && !forbidden ? `1006${how}` : `${code} ${meaning}${how}`;
  const reason = close.reason === '' ? '' : `: ${visibleLine(close.reason)}`;
  const usual = code === 1000 || code === 1001 || code === 1005;
  return {
    text,
    title: `${code} ${meaning}${forbidden ? ' in a close frame (RFC 6455 §7.4)' : ''}${reason}${how}`,
    unusual: !close.clean || forbidden || (!usual && code < 3000),
  };
}
