import { FRAME_VIOLATIONS, HANDSHAKE_VIOLATIONS, MESSAGE_VIOLATIONS } from '../../../src/contract/violations.ts';

/** One way to go on: the whole text with it put in, and where the caret goes. */
export interface Completion {
  readonly label: string;
  readonly means: string;
  readonly text: string;
  readonly caret: number;
}

type Choice = readonly [text: string, means: string];

const TERMS: readonly Choice[] = [
  ['host:', 'host and port of the URL; * stands for anything'],
  ['url:', 'the whole URL'],
  ['is:', 'state of the session, or a fact about the frame'],
  ['dir:', 'which way the frame went'],
  ['op:', 'type of frame, by name or number'],
  ['len>', 'payload length: len>1kB, len<=125, len=0'],
  ['text~/…/', 'a regular expression over the payload'],
  ['json.', 'a part of a JSON payload: json.op=subscribe'],
  ['code:', "the session's close code"],
  ['status:', "the HTTP status of the server's answer"],
  ['subprotocol:', 'the negotiated subprotocol'],
  ['violation:', 'a broken rule, by its code'],
  ['and', 'both sides'],
  ['or', 'one side or both'],
  ['not', 'what does not match'],
];
const values = (
  field: string,
  words: readonly string[],
  means: Readonly<Record<string, string>> = {},
): readonly Choice[] => words.map((word) => [field + word, means[word] ?? ''] as const);

const VALUES: Readonly<Record<string, readonly Choice[]>> = {
  'dir:': values('dir:', ['up', 'down'], { up: 'client to server', down: 'server to client' }),
  'op:': values('op:', ['text', 'binary', 'continuation', 'close', 'ping', 'pong', 'data', 'control', 'reserved']),
  'is:': values(
    'is:',
    ['connecting', 'open', 'closed', 'failed', 'violated', 'injected', 'replaced', 'compressed', 'fragmented'],
    { violated: 'the protocol was broken', failed: 'the handshake failed', injected: 'put in by Frametap' },
  ),
  'code:': values('code:', ['1000', '1001', '1002', '1005', '1006', '1007', '1008', '1009', '1011']),
  'status:': values('status:', ['101', '400', '401', '403', '404', '502']),
  'violation:': [...FRAME_VIOLATIONS, ...MESSAGE_VIOLATIONS, ...HANDSHAKE_VIOLATIONS].map(
    ([code, section]) => [`violation:${code}`, section] as const,
  ),
};
const WORD = /[^\s()]*$/;

/** What could stand at `caret`: names of fields, or the values of the field that is being written. */
export function completeFilter(text: string, caret: number): readonly Completion[] {
  const before = text.slice(0, caret);
  const word = WORD.exec(before)?.[0] ?? '';
  const start = caret - word.length;
  const field = Object.keys(VALUES).find((name) => word.startsWith(name));
  const choices = field === undefined ? TERMS : (VALUES[field] ?? []);
  return choices
    .filter(([term]) => term.startsWith(word) && term !== word)
    .map(([label, means]) => {
      const put = label === 'text~/…/' ? 'text~//' : label;
      const back = label === 'text~/…/' ? 1 : 0;
      const space = /^(?:and|or|not)$/.test(put) ? ' ' : '';
      return {
        label,
        means,
        text: text.slice(0, start) + put + space + text.slice(caret),
        caret: start + put.length + space.length - back,
      };
    });
}
