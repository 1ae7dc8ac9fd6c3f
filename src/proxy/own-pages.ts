import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Authority } from '../tls/authority.ts';
import { trustInstructions } from '../tls/trust-instructions.ts';

/** The name under which the proxy itself can be reached through the proxy (RFC 6761: `.test` is nobody's). */
export const OWN_HOST = 'frametap.test';

export function isOwnHost(host: string): boolean {
  return host.toLowerCase().replace(/\.$/, '') === OWN_HOST;
}

export interface OwnPagesOptions {
  readonly authority: Pick<Authority, 'certificatePem' | 'certificateDer' | 'sha256'>;
  readonly proxyUrl: () => string;
}

/** What this is, the CA to take along, and how to trust it. Knows no secret and captures nothing. */
export class OwnPages {
  readonly #options: OwnPagesOptions;

  constructor(options: OwnPagesOptions) {
    this.#options = options;
  }

  /** @param path origin form, with or without a query */
  serve(request: IncomingMessage, response: ServerResponse, path: string): void {
    request.resume();
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD');
      send(response, { status: 405, type: 'text/plain; charset=utf-8', body: 'Only GET and HEAD.\n' });
      return;
    }
    const { certificatePem, certificateDer } = this.#options.authority;
    switch (path.replace(/\?.*$/s, '')) {
      case '':
      case '/':
        response.setHeader('Content-Security-Policy', POLICY);
        send(response, { status: 200, type: 'text/html; charset=utf-8', body: this.#page() });
        return;
      case '/ca.pem':
        // A browser would try to install application/x-x509-ca-cert; this one is for files.
        response.setHeader('Content-Disposition', 'attachment; filename="frametap-ca.pem"');
        send(response, { status: 200, type: 'application/x-pem-file', body: certificatePem });
        return;
      case '/ca.crt':
        response.setHeader('Content-Disposition', 'attachment; filename="frametap-ca.crt"');
        send(response, { status: 200, type: 'application/x-x509-ca-cert', body: certificateDer });
        return;
      default:
        send(response, { status: 404, type: 'text/plain; charset=utf-8', body: 'There is no such page here.\n' });
    }
  }

  #page(): string {
    const proxyUrl = this.#options.proxyUrl();
    const { hostname, port } = new URL(proxyUrl);
    const trust = trustInstructions({ certificate: 'frametap-ca.pem', proxyUrl })
      .map(
        ({ title, steps, commands }) =>
          `<details><summary>${escapeHtml(title)}</summary>${steps.map((step) => `<p>${escapeHtml(step)}</p>`).join('')}${
            commands.length === 0 ? '' : `<pre>${escapeHtml(commands.join('\n'))}</pre>`
          }</details>`,
      )
      .join('\n');
    return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Frametap</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>Frametap</h1>
<p>This is an intercepting proxy. It shows the WebSocket connections that pass through it, frame by frame, to whoever runs it.</p>
<h2>Its certificate authority</h2>
<p>To open <code>wss://</code> and <code>https://</code> through the proxy, a client has to trust this certificate authority. Trust it on machines of your own only, and remove it when you are done.</p>
<p class="take"><a href="/ca.crt">ca.crt <small>DER, for phones and Windows</small></a> <a href="/ca.pem">ca.pem <small>PEM, for everything else</small></a></p>
<p>SHA-256 fingerprint, to compare with what Frametap printed at its start:</p>
<pre>${escapeHtml(this.#options.authority.sha256)}</pre>
<h2>How to trust it</h2>
${trust}
<h2>Proxy settings</h2>
<dl><dt>HTTP and HTTPS proxy</dt><dd><code>${escapeHtml(hostname)}</code>, port <code>${escapeHtml(port)}</code></dd>
<dt>In a shell</dt><dd><code>export HTTP_PROXY=${escapeHtml(proxyUrl)} HTTPS_PROXY=${escapeHtml(proxyUrl)}</code></dd></dl>
</main>
</body>
</html>
`;
  }
}

const STYLE = `:root{color-scheme:light dark;--line:light-dark(#d7dbe0,#343a43);--soft:light-dark(#f3f5f7,#1b1f25);--accent:light-dark(#0b62d6,#7db4ff)}
body{margin:0;font:16px/1.55 system-ui,sans-serif;background:light-dark(#fff,#121519);color:light-dark(#1a1e24,#e4e8ed)}
main{max-width:44rem;margin:0 auto;padding:3rem 1.25rem}
h1{font-size:1.75rem;margin:0 0 .5rem}h2{font-size:1.1rem;margin:2.25rem 0 .5rem}
code,pre{font:.875em/1.5 ui-monospace,monospace;background:var(--soft);border-radius:4px}code{padding:.1em .3em}
pre{padding:.75rem;overflow-x:auto;white-space:pre-wrap;overflow-wrap:anywhere;border:1px solid var(--line)}
.take{display:flex;flex-wrap:wrap;gap:.75rem}.take a{padding:.5rem .9rem;border:1px solid var(--line);border-radius:6px;text-decoration:none;color:var(--accent);font-weight:600}
.take small{display:block;font-weight:400;color:light-dark(#55606d,#9aa5b1)}
.take a:hover{background:var(--soft)}a:focus-visible,summary:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
details{border-bottom:1px solid var(--line);padding:.5rem 0}summary{cursor:pointer}
dt{font-weight:600;margin-top:.75rem}dd{margin:0}`;
const POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

function send(
  response: ServerResponse,
  page: { readonly status: number; readonly type: string; readonly body: string | Uint8Array },
): void {
  const body = Buffer.from(page.body);
  response.writeHead(page.status, {
    'Content-Type': page.type,
    'Content-Length': body.length,
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
  });
  response.end(body);
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (mark) => `&#${mark.charCodeAt(0)};`);
}
