import type { HandshakeRecord, HeaderList, SessionDetail } from '../../../src/contract/session.ts';
import { decodeStrict, hexText } from '../format/preview.ts';

/** What is copied: some bytes, of which session, and which way they went. */
export interface CopySource {
  readonly bytes: Uint8Array;
  /** Text opcode, or part of a text message. */
  readonly isText: boolean;
  readonly toServer: boolean;
  /** The frame or message as the API lists it. */
  readonly facts: object;
  readonly session: Pick<SessionDetail, 'url' | 'subprotocol'> & { readonly handshake: HandshakeRecord | null };
}

export const COPY_FORMATS = ['text', 'hex', 'base64', 'json', 'curl', 'websocat', 'ws', 'playwright'] as const;
export type CopyFormat = (typeof COPY_FORMATS)[number];
export const COPY_NAMES: Readonly<Record<CopyFormat, string>> = {
  text: 'Text',
  hex: 'Hex',
  base64: 'Base64',
  json: 'JSON, with what is known of it',
  curl: 'curl command (the handshake)',
  websocat: 'websocat command',
  ws: 'Node snippet with ws',
  playwright: 'Playwright routeWebSocket',
};

export function copyAs(format: CopyFormat, source: CopySource): string {
  switch (format) {
    case 'text':
      return new TextDecoder().decode(source.bytes);
    case 'hex':
      return hexText(source.bytes);
    case 'base64':
      return toBase64(source.bytes);
    case 'json':
      return frameJson(source);
    case 'curl':
      return curlCommand(source);
    case 'websocat':
      return websocatCommand(source);
    case 'ws':
      return wsSnippet(source);
    case 'playwright':
      return playwrightSnippet(source);
  }
}

export function toBase64(bytes: Uint8Array): string {
  let binary = '';
  for (let at = 0; at < bytes.length; at += 0x2000) binary += String.fromCharCode(...bytes.subarray(at, at + 0x2000));
  return btoa(binary);
}

/** One word for a POSIX shell. */
export function shellQuote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

function frameJson(source: CopySource): string {
  const text = decodeStrict(source.bytes);
  const payload =
    text === null ? { encoding: 'base64', data: toBase64(source.bytes) } : { encoding: 'utf8', data: text };
  return JSON.stringify({ ...source.facts, payload }, null, 2);
}

/** Headers that the tool sets by itself, or that would be wrong a second time. */
const OWN_HEADERS =
  /^(?:host|connection|upgrade|sec-websocket-(?:key|version|extensions|protocol)|proxy-.*|content-length)$/i;

function ownHeaders(source: CopySource): HeaderList {
  return (source.session.handshake?.clientRequest?.headers ?? []).filter(([name]) => !OWN_HEADERS.test(name));
}

/** A header for `-H`, which would take one without a value out of the request, had it not this form of its own. */
const curlHeader = ([name, value]: HeaderList[number]): string => (value === '' ? `${name};` : `${name}: ${value}`);

function curlCommand(source: CopySource): string {
  const url = source.session.url.replace(/^ws/i, 'http');
  const protocol = source.session.handshake?.clientRequest?.headers.find(
    ([name]) => name.toLowerCase() === 'sec-websocket-protocol',
  );
  const headers: HeaderList = [
    ['Connection', 'Upgrade'],
    ['Upgrade', 'websocket'],
    ['Sec-WebSocket-Version', '13'],
    ['Sec-WebSocket-Key', 'ZnJhbWV0YXAtcmVwbGF5IQ=='],
    ...(protocol === undefined ? [] : [protocol]),
    ...ownHeaders(source),
  ];
  return [
    // The URL as it is: brackets and braces are no pattern, and dot segments stay.
    'curl --http1.1 --globoff --path-as-is --include --no-buffer',
    ...headers.map((header) => `  -H ${shellQuote(curlHeader(header))}`),
    `  ${shellQuote(url)}`,
  ].join(' \\\n');
}

/** What websocat reads at once unless it is told. */
const WEBSOCAT_BUFFER_BYTES = 65_536;

function websocatCommand(source: CopySource): string {
  const text = source.isText ? decodeStrict(source.bytes) : null;
  const octal = Array.from(source.bytes, (byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
  const feed = text === null ? `printf '${octal}'` : `printf %s ${shellQuote(text)}`;
  const options = [
    text === null ? '--binary' : '--text',
    // Else each line would be a message, and each piece of so many bytes.
    ...(text?.includes('\n') === true ? ['--no-line'] : []),
    ...(source.bytes.length > WEBSOCAT_BUFFER_BYTES ? [`--buffer-size ${source.bytes.length}`] : []),
    ...(source.session.subprotocol === null ? [] : [`--protocol ${shellQuote(source.session.subprotocol)}`]),
    ...ownHeaders(source).map(([name, value]) => `-H ${shellQuote(`${name}: ${value}`)}`),
  ];
  return `${source.toServer ? `${feed} | ` : ''}websocat -n ${options.join(' ')} ${shellQuote(source.session.url)}`;
}

/** The payload as an expression of JavaScript. */
function literal(source: CopySource): string {
  const text = source.isText ? decodeStrict(source.bytes) : null;
  return text === null ? `Buffer.from('${toBase64(source.bytes)}', 'base64')` : scriptLiteral(text);
}

/** A literal that also survives being put into a script of a page. */
function scriptLiteral(value: string | Readonly<Record<string, string>>, indent = 0): string {
  return JSON.stringify(value, null, indent)
    .replaceAll('\u2028', String.raw`\u2028`)
    .replaceAll('\u2029', String.raw`\u2029`)
    .replaceAll('</', String.raw`<\/`);
}

function wsSnippet(source: CopySource): string {
  const { url, subprotocol } = source.session;
  const headers = Object.fromEntries(ownHeaders(source));
  const act = source.toServer
    ? `socket.on('open', () => socket.send(${literal(source)}));`
    : `const expected = ${literal(source)};`;
  return `import WebSocket from 'ws';

const socket = new WebSocket(${scriptLiteral(url)}, ${subprotocol === null ? '[]' : `[${scriptLiteral(subprotocol)}]`}, {
  headers: ${scriptLiteral(headers, 2).replaceAll('\n', '\n  ')},
});
${act}
socket.on('message', (data, isBinary) => console.log(isBinary ? data : data.toString()));
socket.on('close', (code, reason) => console.log(code, reason.toString()));
socket.on('error', console.error);
`;
}

function playwrightSnippet(source: CopySource): string {
  // A string would be read as a glob; and the page's URL is one whose dot segments are resolved.
  const { url } = source.session;
  const only = `(url) => url.href === ${scriptLiteral(URL.canParse(url) ? new URL(url).href : url)}`;
  if (source.toServer) {
    return `await page.routeWebSocket(${only}, (socket) => {
  const server = socket.connectToServer();
  // Says to the server, before anything that the page says, what was captured.
  server.send(${literal(source)});
});
`;
  }
  return `await page.routeWebSocket(${only}, (socket) => {
  // Answers in place of the server, with the captured message.
  socket.onMessage(() => socket.send(${literal(source)}));
});
`;
}
