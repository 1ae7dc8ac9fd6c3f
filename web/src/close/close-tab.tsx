import type { ReactNode } from 'react';
import { closeCodeIsLegal, closeCodeMeaning } from '../../../src/contract/close-code.ts';
import type { CloseFrame, CloseRecord, Ending, SessionSummary } from '../../../src/contract/session.ts';
import { parseIsoMicros } from '../capture/iso-time.ts';
import { formatFullTime } from '../format/clock.ts';
import { formatCount, formatMs } from '../format/numbers.ts';
import { visibleLine } from '../format/visible-text.ts';
import { IdleTimeoutLine } from '../silence/idle-timeout-line.tsx';
import { setUi, showFrame } from '../state.ts';
import './close.css';

export default function CloseTab({ session }: { readonly session: SessionSummary }): ReactNode {
  const { close } = session;
  return (
    <div className="page" tabIndex={0} role="region" aria-label="Close">
      {close === null ? <NotClosed session={session} /> : <Closed session={session} close={close} />}
      {close !== null && <IdleTimeoutLine session={session} />}
    </div>
  );
}

function NotClosed({ session }: { readonly session: SessionSummary }): ReactNode {
  if (session.state === 'failed') {
    return (
      <p>
        It was never open: {visibleLine(session.fault?.message ?? 'the handshake failed')}{' '}
        <button type="button" className="button small" onClick={() => setUi({ tab: 'handshake' })}>
          See the handshake
        </button>
      </p>
    );
  }
  return <p className="dim">The session is {session.state}. How it ends will stand here.</p>;
}

const HOW: Readonly<Record<CloseRecord['how'], string>> = {
  'closing-handshake': 'with a closing handshake',
  fin: 'by ending the TCP connection (FIN)',
  reset: 'by resetting the TCP connection (RST)',
  timeout: 'by silence: a timeout',
};
const ENDINGS: Readonly<Record<Ending, string>> = {
  fin: 'FIN: its side of the TCP connection was ended in order',
  reset: 'RST: the TCP connection was reset',
  timeout: 'nothing came any more: timeout',
};

function Closed({ session, close }: { readonly session: SessionSummary; readonly close: CloseRecord }): ReactNode {
  return (
    <>
      <div className={`close-sentence ${close.clean && forbiddenCode(close) === null ? '' : 'unclean'}`}>
        <span className="close-code">{close.code ?? ((close.clientFrame ?? close.serverFrame) ? 1005 : 1006)}</span>
        <div>
          <b>
            The {close.by} closed it {HOW[close.how]}.
          </b>
          <div>{verdict(close)}</div>
        </div>
      </div>
      <table className="facts close-table">
        <thead>
          <tr>
            <th scope="col" />
            <th scope="col">Client</th>
            <th scope="col">Server</th>
          </tr>
        </thead>
        <tbody>
          <tr>
            <th scope="row">Close frame</th>
            <Frame frame={close.clientFrame} />
            <Frame frame={close.serverFrame} />
          </tr>
          <tr>
            <th scope="row">Reason</th>
            <td>{reasonOf(close.clientFrame)}</td>
            <td>{reasonOf(close.serverFrame)}</td>
          </tr>
          <tr>
            <th scope="row">Allowed</th>
            <td>{legality(close.clientFrame)}</td>
            <td>{legality(close.serverFrame)}</td>
          </tr>
          <tr>
            <th scope="row">TCP</th>
            <td>
              {close.clientEnding === null ? (
                <span className="dim">did not end by itself</span>
              ) : (
                ENDINGS[close.clientEnding]
              )}
            </td>
            <td>
              {close.serverEnding === null ? (
                <span className="dim">did not end by itself</span>
              ) : (
                ENDINGS[close.serverEnding]
              )}
            </td>
          </tr>
          <tr>
            <th scope="row">Echo</th>
            <td colSpan={2}>
              {close.echoMs === null ? (
                <span className={(close.clientFrame ?? close.serverFrame) ? 'error' : 'dim'}>
                  {(close.clientFrame ?? close.serverFrame)
                    ? 'the other close frame never came (RFC 6455 §5.5.1)'
                    : 'no close frame to answer'}
                </span>
              ) : (
                `the other close frame came after ${formatMs(close.echoMs)}`
              )}
            </td>
          </tr>
          {session.closedAt !== null && (
            <tr>
              <th scope="row">Ended</th>
              <td colSpan={2}>{formatFullTime(parseIsoMicros(session.closedAt))}</td>
            </tr>
          )}
        </tbody>
      </table>
    </>
  );
}

function Frame({ frame }: { readonly frame: CloseFrame | null }): ReactNode {
  if (frame === null) return <td className="dim">none</td>;
  return (
    <td>
      {frame.code === null ? 'without a code (an API shows 1005)' : `${frame.code} ${closeCodeMeaning(frame.code)}`}{' '}
      <button type="button" className="button small plain" onClick={() => showFrame(frame.frameIndex)}>
        frame {formatCount(frame.frameIndex)}
      </button>
    </td>
  );
}

function reasonOf(frame: CloseFrame | null): ReactNode {
  if (frame === null || frame.reason === '') return <span className="dim">none</span>;
  return <span className="mono">{visibleLine(frame.reason)}</span>;
}

function legality(frame: CloseFrame | null): ReactNode {
  if (frame === null) return <span className="dim">–</span>;
  if (frame.code === null) return 'yes: an empty close frame';
  return closeCodeIsLegal(frame.code) ? (
    'yes (RFC 6455 §7.4)'
  ) : (
    <span className="error">⚠ no: this code must not be sent in a close frame (RFC 6455 §7.4)</span>
  );
}

/** A code that one of the close frames has and must not have. */
function forbiddenCode({ clientFrame, serverFrame }: CloseRecord): number | null {
  const codes = [clientFrame?.code ?? null, serverFrame?.code ?? null];
  return codes.find((code) => code !== null && !closeCodeIsLegal(code)) ?? null;
}

/** What an application saw of it, in one sentence. */
function verdict(close: CloseRecord): string {
  const noFrame = close.clientFrame === null && close.serverFrame === null;
  const forbidden = forbiddenCode(close);
  if (close.clean && forbidden !== null)
    return `Both close frames were seen, but with ${forbidden}: a code that must not be sent in a close frame (RFC 6455 §7.4).`;
  if (close.clean)
    return `A clean close: both close frames were seen. ${close.code === null ? 'There was no code: an API shows 1005.' : ''}`;
  if (noFrame) {
    return 'No close frame was sent: the APIs of both ends show 1006 (abnormal closure), which never goes over the wire.';
  }
  return 'Not a clean close: only one side sent a close frame. The side that never got one shows 1006.';
}
