import { ArrowDown, ArrowUp, Copy, Trash2 } from 'lucide-react';
import type { ReactNode } from 'react';
import type { SessionSummary } from '../../../src/contract/session.ts';
import { parseIsoMicros } from '../capture/iso-time.ts';
import { formatBytes, formatCount, formatCounted, formatElapsed } from '../format/numbers.ts';
import { visibleLine } from '../format/visible-text.ts';
import { StateSign } from '../sessions/session-row.tsx';
import { closeMark, splitUrl } from '../sessions/session-words.ts';
import { copyText } from '../shell/copy.ts';
import { setUi } from '../state.ts';
import { useCompression } from '../statistics/use-compression.ts';
import { useNow } from '../use-capture.ts';
import { ViolationChip } from './violation-chip.tsx';

export function SessionHeader({ session }: { readonly session: SessionSummary }): ReactNode {
  const url = splitUrl(session.url);
  const mark = closeMark(session);
  return (
    <div className="session-header">
      <div className="session-address">
        <h2 title={visibleLine(session.url)}>
          <span className="session-host">
            <span className="dim">{url.scheme}</span>
            {visibleLine(url.host)}
          </span>
          <span className="session-port">{url.port}</span>
          <span className="session-path">{visibleLine(url.path)}</span>
        </h2>
        <button
          type="button"
          className="button plain small icon"
          aria-label="Copy the URL"
          title="Copy the URL"
          onClick={() => void copyText(session.url, 'URL')}
        >
          <Copy size={12} aria-hidden />
        </button>
      </div>
      <span className="session-facts">
        <span className="fact">
          <StateSign state={session.state} /> {session.state} <Elapsed session={session} />
        </span>
        {mark !== null && (
          <span className={`fact shrink ${mark.unusual ? 'error' : 'dim'}`} title={mark.title}>
            {mark.text}
          </span>
        )}
        <Traffic session={session} />
        {session.subprotocol !== null && <span className="chip accent">{visibleLine(session.subprotocol)}</span>}
        {session.extensions !== null && session.extensions !== '' && (
          <Extensions session={session} names={session.extensions} />
        )}
        {session.violationCount > 0 && <ViolationChip session={session} />}
      </span>
      <button
        type="button"
        className="button plain small icon"
        aria-label="Delete this session"
        title="Delete this session"
        onClick={() => setUi({ dialog: 'delete' })}
      >
        <Trash2 size={12} aria-hidden />
      </button>
    </div>
  );
}

function Traffic({ session }: { readonly session: SessionSummary }): ReactNode {
  return (
    <>
      <span className="fact up" title="Client to server: frames, payload bytes">
        <ArrowUp size={12} aria-label="to server" /> {formatCount(session.clientToServer.frames)} ·{' '}
        {formatBytes(session.clientToServer.bytes)}
      </span>
      <span className="fact down" title="Server to client: frames, payload bytes">
        <ArrowDown size={12} aria-label="to client" /> {formatCount(session.serverToClient.frames)} ·{' '}
        {formatBytes(session.serverToClient.bytes)}
      </span>
    </>
  );
}

function Extensions(props: { readonly session: SessionSummary; readonly names: string }): ReactNode {
  const sample = useCompression(props.session);
  const ratio = sample === null || sample.wireBytes === 0 ? null : sample.plainBytes / sample.wireBytes;
  const names = visibleLine(props.names);
  return (
    <span
      className="chip"
      title={
        ratio === null
          ? names
          : `${names}\nThe ratio is that of the first ${formatCounted(sample?.lookedAt ?? 0, 'message')}`
      }
    >
      {(names.split(';')[0] ?? '').replace('permessage-', '')}
      {ratio !== null && ` ${ratio.toFixed(1)}×`}
    </span>
  );
}

function Elapsed({ session }: { readonly session: SessionSummary }): ReactNode {
  const now = useNow(1000);
  if (session.openedAt === null) return null;
  const end = session.closedAt === null ? now : parseIsoMicros(session.closedAt) / 1000;
  return <span className="dim">{formatElapsed(end - parseIsoMicros(session.openedAt) / 1000)}</span>;
}
