import { Copy, Globe, Laptop, ShieldCheck, Undo2 } from 'lucide-react';
import { useEffect, useState, type ReactNode } from 'react';
import type { Status } from '../../../src/contract/status.ts';
import { fetchStatus } from '../capture/api.ts';
import { copyText } from './copy.ts';
import './empty-state.css';

/** Nothing captured yet: the ways to point something at the proxy. */
export function EmptyState(): ReactNode {
  const [status, setStatus] = useState<Status | null>(null);
  useEffect(() => {
    let wanted = true;
    fetchStatus().then(
      (answer) => wanted && setStatus(answer),
      // The banner of the live stream says when the server is away; the defaults are shown meanwhile.
      () => wanted && setStatus(null),
    );
    return () => {
      wanted = false;
    };
  }, []);
  const proxy = status?.proxy.url ?? 'http://127.0.0.1:8080';
  const command = status?.command ?? 'frametap';
  return (
    <main className="empty">
      <div className="empty-inner">
        <h2>Nothing captured yet</h2>
        <p className="dim">
          The proxy listens on <code>{proxy}</code>. Every WebSocket that passes it appears here at the moment it opens.
        </p>
        <Way
          icon={<Globe size={16} aria-hidden />}
          title="A browser of its own"
          text="Starts another Frametap, and Chromium, Chrome or Edge with a fresh profile that uses it and trusts its certificates."
        >
          <Line text={`${command} browser https://example.com`} />
        </Way>
        <Way
          icon={<Laptop size={16} aria-hidden />}
          title="Your own browser or program"
          text="Set this as HTTP proxy. For wss:// and https:// let it trust the certificate authority below."
        >
          <Line text={proxy} />
          <Line text={`curl --proxy ${proxy} --cacert ca.pem https://example.com`} />
        </Way>
        <Way
          icon={<Undo2 size={16} aria-hidden />}
          title="In front of one server"
          text="Clients connect to the proxy as if it were that server; no proxy setting is needed."
        >
          <Line text={`${command} --reverse ws://localhost:3000`} />
        </Way>
        <Way
          icon={<ShieldCheck size={16} aria-hidden />}
          title="The certificate authority"
          text="Made on this machine at the first start; its key never leaves it. How to trust it on each system: http://frametap.test/ through the proxy."
        >
          <a className="button" href="/api/ca.pem" download="frametap-ca.pem">
            Download ca.pem
          </a>
        </Way>
        <p className="dim">
          Nothing at hand? <code>{command} demo --browser</code> starts a small site with sockets of every kind.
        </p>
      </div>
    </main>
  );
}

function Way(props: {
  readonly icon: ReactNode;
  readonly title: string;
  readonly text: string;
  readonly children: ReactNode;
}): ReactNode {
  return (
    <section className="way">
      <span className="way-icon">{props.icon}</span>
      <div>
        <h3>{props.title}</h3>
        <p className="dim">{props.text}</p>
        {props.children}
      </div>
    </section>
  );
}

function Line({ text }: { readonly text: string }): ReactNode {
  return (
    <div className="command">
      <code>{text}</code>
      <button
        type="button"
        className="button small plain"
        aria-label={`Copy ${text}`}
        onClick={() => void copyText(text, 'Line')}
      >
        <Copy size={13} aria-hidden />
      </button>
    </div>
  );
}
