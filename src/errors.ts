/**
 * Everything that can go wrong, in one place: the code that programs match on, what it means, what the user can do,
 * and how it leaves the process (exit code), an HTTP exchange (status) or a WebSocket (close code).
 * docs/errors.md is held against this table.
 */
interface ErrorEntry {
  readonly means: string;
  readonly remedy: string;
  readonly exitCode?: number;
  readonly status?: number;
  readonly closeCode?: string;
  /** RFC and section where one speaks of it. */
  readonly section?: string;
}

const entry = <T extends Readonly<Record<string, ErrorEntry>>>(table: T): Readonly<Record<keyof T, ErrorEntry>> =>
  table;

export const ERRORS = entry({
  // Starting
  usage: { means: 'The command line is wrong.', remedy: 'See frametap --help.', exitCode: 64 },
  'config-invalid': { means: 'The configuration is wrong.', remedy: 'Correct the value that is named.', exitCode: 78 },
  'open-proxy-refused': {
    means: 'The proxy would listen beyond this machine without authentication.',
    remedy: 'Give --proxy-auth user:password, or say --allow-open-proxy.',
    exitCode: 78,
  },
  'port-taken': {
    means: 'A port that was asked for is taken.',
    remedy: 'Choose another, or leave the option out.',
    exitCode: 69,
  },
  'bind-failed': { means: 'An address cannot be listened on.', remedy: 'Check --host and --ui-host.', exitCode: 69 },
  'ca-permissions': {
    means: "The CA's files or folder can be read by others.",
    remedy: 'chmod 700 the folder and 600 the files, or let Frametap make new ones in another folder.',
    exitCode: 77,
  },
  'ca-unreadable': {
    means: "The CA's files cannot be read.",
    remedy: 'Check owner and permissions, or give another --certs folder.',
    exitCode: 77,
  },
  'ca-invalid': {
    means: "The CA's files are damaged or do not belong together.",
    remedy: 'Remove both to have new ones made.',
    exitCode: 78,
  },
  'cannot-create': {
    means: 'A file or folder cannot be created.',
    remedy: 'Check the path, the space and the permissions.',
    exitCode: 73,
  },
  'cannot-write': { means: 'Writing failed.', remedy: 'Check the space and the permissions.', exitCode: 74 },
  'not-running': { means: 'No running Frametap was found.', remedy: 'Start one with frametap.', exitCode: 69 },
  'browser-not-found': {
    means: 'No Chromium, Chrome or Edge was found.',
    remedy: 'Install one, or set CHROME_PATH.',
    exitCode: 69,
  },
  'browser-failed': {
    means: 'The browser ended at once.',
    remedy: 'Without a display, pass -- --headless=new. CHROME_PATH names another browser.',
    exitCode: 69,
  },
  internal: { means: 'A fault of Frametap itself.', remedy: 'Please report it.', exitCode: 70, status: 500 },

  // The client of the proxy
  'bad-request': {
    means: 'The bytes are no HTTP/1.1 request.',
    remedy: 'Point a WebSocket or HTTP/1.1 client at this port.',
    status: 400,
    section: 'RFC 9112 §2',
  },
  'head-too-large': {
    means: 'The header block is over 64 KiB.',
    remedy: 'Send fewer or shorter header fields.',
    status: 431,
    section: 'RFC 6585 §5',
  },
  'head-timeout': {
    means: 'The request was not complete after 10 s.',
    remedy: 'Send the whole header block.',
    status: 408,
    section: 'RFC 9110 §15.5.9',
  },
  'http2-unsupported': { means: 'The client speaks HTTP/2.', remedy: 'Use HTTP/1.1.', section: 'RFC 9113 §3.4' },
  'proxy-auth-required': {
    means: 'The proxy wants credentials.',
    remedy: 'Send Proxy-Authorization: Basic with the user and password of --proxy-auth.',
    status: 407,
    section: 'RFC 9110 §15.5.8',
  },
  'handshake-method': {
    means: 'An opening handshake must be a GET.',
    remedy: 'Use GET.',
    status: 400,
    section: 'RFC 6455 §4.1',
  },
  'handshake-http-version': {
    means: 'An opening handshake needs HTTP/1.1.',
    remedy: 'Use HTTP/1.1.',
    status: 400,
    section: 'RFC 6455 §4.1',
  },
  'handshake-connection': {
    means: 'Connection lacks the token "Upgrade".',
    remedy: 'Send Connection: Upgrade.',
    status: 400,
    section: 'RFC 6455 §4.1',
  },
  'handshake-upgrade': {
    means: 'Upgrade lacks the token "websocket".',
    remedy: 'Send Upgrade: websocket.',
    status: 400,
    section: 'RFC 6455 §4.1',
  },
  'handshake-version': {
    means: 'Sec-WebSocket-Version is not 13.',
    remedy: 'Send Sec-WebSocket-Version: 13.',
    status: 426,
    section: 'RFC 6455 §4.4',
  },
  'handshake-key': {
    means: 'Sec-WebSocket-Key is not 16 bytes in Base64.',
    remedy: 'Send one key of 16 random bytes.',
    status: 400,
    section: 'RFC 6455 §4.1',
  },
  'handshake-host': {
    means: 'The request names no host, or more than one.',
    remedy: 'Send one Host field.',
    status: 400,
    section: 'RFC 9112 §3.2',
  },
  'handshake-body': {
    means: 'An opening handshake has no body, and this one announces one.',
    remedy: 'Send neither Transfer-Encoding nor Content-Length.',
    status: 400,
    section: 'RFC 6455 §4.1',
  },
  'target-invalid': {
    means: 'The request target is no address that can be proxied.',
    remedy: 'Use an absolute URL, or CONNECT host:port.',
    status: 400,
    section: 'RFC 9112 §3.2',
  },
  'target-is-frametap': {
    means: 'The target is Frametap itself.',
    remedy: 'Open the dashboard directly, not through the proxy.',
    status: 403,
  },
  'client-tls-untrusted': {
    means: 'The client ended the TLS handshake at our certificate: it does not trust the CA, or not for this name.',
    remedy: 'Install the CA: http://frametap.test/ through the proxy has it, with instructions.',
  },
  'client-tls-failed': { means: 'The TLS handshake with the client failed.', remedy: 'See the message.' },
  'client-gone': {
    means: 'The client went away before the handshake was done.',
    remedy: 'Nothing, unless it happens often.',
  },

  // The server behind the proxy
  'upstream-name-not-found': {
    means: 'The name of the server does not resolve.',
    remedy: 'Check the name.',
    status: 502,
  },
  'upstream-refused': {
    means: 'The server refuses the connection.',
    remedy: 'Check that it is running, and its port.',
    status: 502,
  },
  'upstream-unreachable': { means: 'The server cannot be reached.', remedy: 'Check the network.', status: 502 },
  'upstream-timeout': { means: 'The server did not answer in time.', remedy: 'Check the server.', status: 504 },
  'upstream-certificate': {
    means: "The server's certificate cannot be verified.",
    remedy: 'Trust its issuer with --upstream-ca FILE, or say --insecure.',
    status: 502,
  },
  'upstream-tls-failed': {
    means: 'The TLS handshake with the server failed.',
    remedy: 'See the message.',
    status: 502,
  },
  'upstream-closed': {
    means: 'The server closed the connection before it answered.',
    remedy: "See the server's log.",
    status: 502,
  },
  'upstream-bad-response': {
    means: 'The server answered something that is not HTTP/1.1.',
    remedy: "See the server's log.",
    status: 502,
    section: 'RFC 9112 §4',
  },
  'upstream-bad-accept': {
    means: "The server's 101 does not prove that it read the handshake.",
    remedy: 'Mend the server: see Sec-WebSocket-Accept.',
    status: 502,
    section: 'RFC 6455 §4.1',
  },
  'upstream-not-offered': {
    means: "The server's 101 breaks the protocol, and --strict is on.",
    remedy: 'Mend the server, or leave --strict out.',
    status: 502,
    section: 'RFC 6455 §4.1',
  },
  'upstream-refused-handshake': {
    means: 'The server answered the handshake with another status than 101.',
    remedy: "See the server's answer.",
    section: 'RFC 6455 §4.1',
  },
  'protocol-violation': {
    means: 'A peer broke the protocol and --strict is on.',
    remedy: 'See the violation marked on the frame.',
    closeCode: '1002, 1007 or 1009',
    section: 'RFC 6455 §7.1.7',
  },
  'length-out-of-range': {
    means: 'A frame length above 2^53-1 cannot be followed.',
    remedy: 'Mend the peer that sent it.',
    closeCode: '1002',
    section: 'RFC 6455 §5.2',
  },
  stopped: { means: 'Frametap is being stopped.', remedy: 'Start it again.', status: 503 },

  // The dashboard's API
  unauthorized: {
    means: 'The token is missing or wrong.',
    remedy: 'Open the URL printed at start, or send Authorization: Bearer and the token of --json.',
    status: 401,
  },
  'host-not-allowed': {
    means: "The Host field is none of the dashboard's names.",
    remedy: 'Use the address printed at start.',
    status: 403,
  },
  'origin-not-allowed': {
    means: 'A page of another origin may not call this.',
    remedy: 'Use the dashboard, or send no Origin.',
    status: 403,
  },
  'not-found': { means: 'There is no such thing.', remedy: 'Check the path and the id.', status: 404 },
  'invalid-parameter': { means: 'A parameter is wrong.', remedy: 'See the message.', status: 400 },
  'invalid-filter': { means: 'The filter is wrong.', remedy: 'See the position in the message.', status: 400 },
  'invalid-proto': {
    means: 'A .proto file is wrong, or too big to be loaded.',
    remedy: 'Correct the line that is named.',
    exitCode: 78,
    status: 400,
  },
  'not-inflatable': {
    means: 'A compressed message cannot be inflated.',
    remedy: 'See the payloads of its frames, as they went over the wire.',
    status: 422,
  },
  'not-held': { means: 'The bytes are no longer held.', remedy: 'Raise --memory to keep more.', status: 410 },
});
export type ErrorCode = keyof typeof ERRORS;

/** An error with a code from the catalogue. Match on `code`, never on the message. */
export class FrametapError extends Error {
  override readonly name = 'FrametapError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string = ERRORS[code].means, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  get exitCode(): number {
    return ERRORS[this.code].exitCode ?? 70;
  }
  get status(): number {
    return ERRORS[this.code].status ?? 500;
  }
  get remedy(): string {
    return ERRORS[this.code].remedy;
  }
}
