import { Check, X } from 'lucide-react';
import type { ReactNode } from 'react';
import { HANDSHAKE_VIOLATIONS } from '../../../src/contract/violations.ts';
import type {
  AcceptProof,
  HeaderList,
  RequestHead,
  ResponseHead,
  SessionDetail,
  SessionSummary,
  TlsInfo,
} from '../../../src/contract/session.ts';
import { visibleLine, visibleParts } from '../format/visible-text.ts';
import { useSessionDetail } from '../use-capture.ts';
import { computeAccept, WEBSOCKET_GUID } from './accept.ts';
import { markHeaders, type MarkedHeader } from './header-diff.ts';
import './handshake.css';

export default function HandshakeTab({ session }: { readonly session: SessionSummary }): ReactNode {
  const { detail, error } = useSessionDetail(session);
  if (error !== null) return <div className="loading error">{error}</div>;
  if (detail === null) return <div className="loading">Reading …</div>;
  const { handshake } = detail;
  return (
    <div className="page handshake" tabIndex={0} role="region" aria-label="Handshake">
      <Fault detail={detail} />
      <Violations detail={detail} />
      <div className="legs">
        <LegHead name="Client ↔ Frametap" address={detail.client} tls={detail.clientTls} />
        <LegHead name="Frametap ↔ Server" address={detail.server} tls={detail.server.tls} />
        <Head
          title="The client's request"
          start={requestLine(handshake.clientRequest)}
          otherStart={requestLine(handshake.serverRequest)}
          headers={handshake.clientRequest?.headers ?? null}
          others={handshake.serverRequest?.headers ?? null}
          onlyHere="not passed on"
        />
        <Head
          title="→ what Frametap sent"
          start={requestLine(handshake.serverRequest)}
          otherStart={requestLine(handshake.clientRequest)}
          headers={handshake.serverRequest?.headers ?? null}
          others={handshake.clientRequest?.headers ?? null}
          onlyHere="added"
        />
        <Head
          title="← what Frametap answered"
          start={statusLine(handshake.clientResponse)}
          otherStart={statusLine(handshake.serverResponse)}
          headers={handshake.clientResponse?.headers ?? null}
          others={handshake.serverResponse?.headers ?? null}
          onlyHere="added"
        />
        <Head
          title="The server's answer"
          start={statusLine(handshake.serverResponse)}
          otherStart={statusLine(handshake.clientResponse)}
          headers={handshake.serverResponse?.headers ?? null}
          others={handshake.clientResponse?.headers ?? null}
          onlyHere="not passed on"
        />
      </div>
      {detail.refusalBody !== null && detail.refusalBody !== '' && (
        <>
          <h3>The body of the refusal</h3>
          <pre className="refusal">
            {visibleParts(detail.refusalBody).map((part, at) => (
              <span key={at} className={part.symbol ? 'symbol' : undefined}>
                {part.text}
              </span>
            ))}
          </pre>
        </>
      )}
      <Negotiated detail={detail} />
      <h3>The proof: Sec-WebSocket-Accept</h3>
      <p className="dim">
        Key and GUID joined, SHA-1, Base64 (RFC 6455 §4.2.2), computed here and compared with what was received.
      </p>
      <div className="legs">
        <Proof title="To the client, from Frametap" proof={detail.proof.client} />
        <Proof title="To Frametap, from the server" proof={detail.proof.server} />
      </div>
    </div>
  );
}

function Fault({ detail }: { readonly detail: SessionDetail }): ReactNode {
  if (detail.fault === null) return null;
  return (
    <div className="handshake-fault" role="note">
      <b>The handshake failed.</b> {visibleLine(detail.fault.message)}
      <div>
        By the {detail.fault.by} · <code>{detail.fault.code}</code>
      </div>
    </div>
  );
}

function Violations({ detail }: { readonly detail: SessionDetail }): ReactNode {
  const found = HANDSHAKE_VIOLATIONS.flatMap(([code, section, sentence]) =>
    detail.violations.filter((each) => each.code === code).map((each) => ({ code, section, sentence, by: each.by })),
  );
  if (found.length === 0) return null;
  return (
    <ul className="violations handshake-violations">
      {found.map(({ code, section, sentence, by }) => (
        <li key={code}>
          <b>⚠ {code}</b> <span className="chip error">{section}</span> {sentence} By the {by}.
        </li>
      ))}
    </ul>
  );
}

function LegHead(props: {
  readonly name: string;
  readonly address: SessionDetail['server' | 'client'];
  readonly tls: TlsInfo | null;
}): ReactNode {
  const { tls, address } = props;
  if (address.port === 0) {
    return (
      <div className="leg-head">
        <b>{props.name}</b>
        <div className="dim">no connection was made</div>
      </div>
    );
  }
  return (
    <div className="leg-head">
      <b>{props.name}</b> <span className="dim mono">{`${address.address}:${address.port}`}</span>
      <div className="dim">
        {tls === null ? 'plain TCP' : `${tls.version} · ${tls.cipher}${tls.alpn === null ? '' : ` · ${tls.alpn}`}`}
        {tls?.certificateSha256 != null && (
          <span title={`SHA-256 of the certificate: ${tls.certificateSha256}`}>
            {' '}
            · certificate {tls.certificateSha256.slice(0, 16)}…
          </span>
        )}
      </div>
    </div>
  );
}

function Head(props: {
  readonly title: string;
  readonly start: string | null;
  readonly otherStart: string | null;
  readonly headers: HeaderList | null;
  readonly others: HeaderList | null;
  readonly onlyHere: string;
}): ReactNode {
  const { start, otherStart, headers } = props;
  return (
    <section className="head-box" aria-label={props.title}>
      <h4>{props.title}</h4>
      {start === null || headers === null ? (
        <p className="dim">It did not come to that.</p>
      ) : (
        <div className="head-lines mono">
          <div className={`head-line ${otherStart !== null && otherStart !== start ? 'changed' : ''}`}>
            <b>{visibleLine(start)}</b>
          </div>
          {markHeaders(headers, props.others).map((header, at) => (
            <HeaderLine key={at} header={header} onlyHere={props.onlyHere} />
          ))}
        </div>
      )}
    </section>
  );
}

function HeaderLine({ header, onlyHere }: { readonly header: MarkedHeader; readonly onlyHere: string }): ReactNode {
  const sign = header.mark === 'changed' ? 'changed' : header.mark === 'only-here' ? onlyHere : null;
  return (
    <div
      className={`head-line ${header.mark}`}
      title={header.other === null ? undefined : `on the other leg: ${visibleLine(header.other)}`}
    >
      <span className="header-name">{visibleLine(header.name)}:</span> {visibleLine(header.value)}
      {sign !== null && <span className="head-sign">{sign}</span>}
    </div>
  );
}

function Negotiated({ detail }: { readonly detail: SessionDetail }): ReactNode {
  const request = detail.handshake.clientRequest;
  const answer = detail.handshake.serverResponse;
  return (
    <>
      <h3>Offered and chosen</h3>
      <table className="facts">
        <thead>
          <tr>
            <th scope="col" />
            <th scope="col">offered by the client</th>
            <th scope="col">chosen by the server</th>
          </tr>
        </thead>
        <tbody>
          <Choice
            name="Subprotocol"
            offered={valuesOf(request, 'sec-websocket-protocol')}
            chosen={valuesOf(answer, 'sec-websocket-protocol')}
          />
          <Choice
            name="Extensions"
            offered={valuesOf(request, 'sec-websocket-extensions')}
            chosen={valuesOf(answer, 'sec-websocket-extensions')}
          />
        </tbody>
      </table>
    </>
  );
}

function Choice(props: {
  readonly name: string;
  readonly offered: readonly string[];
  readonly chosen: readonly string[];
}): ReactNode {
  return (
    <tr>
      <th scope="row">{props.name}</th>
      <td className="mono">
        {props.offered.length === 0 ? <span className="dim">none</span> : <Lines values={props.offered} />}
      </td>
      <td className="mono">
        {props.chosen.length === 0 ? <span className="dim">none</span> : <Lines values={props.chosen} />}
      </td>
    </tr>
  );
}

function Lines({ values }: { readonly values: readonly string[] }): ReactNode {
  return values.map((value, at) => <div key={at}>{visibleLine(value)}</div>);
}

function Proof({ title, proof }: { readonly title: string; readonly proof: AcceptProof }): ReactNode {
  if (proof.key === null) {
    return (
      <section className="head-box">
        <h4>{title}</h4>
        <p className="dim">No key was sent.</p>
      </section>
    );
  }
  const steps = computeAccept(proof.key);
  const matches = steps.accept === proof.received;
  return (
    <section className="head-box" aria-label={title}>
      <h4>{title}</h4>
      <dl className="proof mono">
        <dt>key</dt>
        <dd>{visibleLine(proof.key)}</dd>
        <dt>+ GUID</dt>
        <dd className="dim">{WEBSOCKET_GUID}</dd>
        <dt>SHA-1</dt>
        <dd>{steps.digestHex}</dd>
        <dt>Base64</dt>
        <dd>{steps.accept}</dd>
        <dt>received</dt>
        <dd className={matches ? 'up' : 'error'}>
          {proof.received === null ? 'nothing' : visibleLine(proof.received)}{' '}
          {matches ? (
            <span className="verdict">
              <Check size={13} aria-hidden /> equal
            </span>
          ) : (
            <span className="verdict">
              <X size={13} aria-hidden /> not equal
            </span>
          )}
        </dd>
      </dl>
    </section>
  );
}

function requestLine(head: RequestHead | null): string | null {
  return head === null ? null : `${head.method} ${head.target} HTTP/${head.httpVersion.replace(/^HTTP\//, '')}`;
}
function statusLine(head: ResponseHead | null): string | null {
  return head === null ? null : `HTTP/${head.httpVersion.replace(/^HTTP\//, '')} ${head.status} ${head.reason}`;
}
function valuesOf(head: { readonly headers: HeaderList } | null, name: string): readonly string[] {
  return (head?.headers ?? []).filter(([each]) => each.toLowerCase() === name).map(([, value]) => value);
}
