import { compressed, FrameBit, complete, fin, opcode, origin } from '../../../src/contract/frame-bits.ts';
import { opcodeName } from '../../../src/contract/frame.ts';
import { violationCodes } from '../../../src/contract/violations.ts';
import { formatBytes, formatLimit } from '../format/numbers.ts';

/** Frame type as the table says it. Fragments are drawn as a branch that hangs under the first frame. */
export function typeText(bits: number): string {
  const code = opcode(bits);
  const name = opcodeName(code);
  if (code === 0) return fin(bits) ? '└ continuation' : '├ continuation';
  if (code >= 8) return `${name} ${code}`;
  if (name === 'reserved') return `reserved ${code}`;
  return fin(bits) ? name : `${name} ┐`;
}

export interface FrameMark {
  readonly text: string;
  readonly kind: 'error' | 'plain' | 'accent';
  readonly title: string;
}

/** Short signs at the end of a row. */
export function frameMarks(bits: number, violations: number): readonly FrameMark[] {
  const marks: FrameMark[] = [];
  const codes = violationCodes(violations);
  const [first] = codes;
  if (first !== undefined) {
    marks.push({
      text: `⚠ ${first}${codes.length > 1 ? ` +${codes.length - 1}` : ''}`,
      kind: 'error',
      title: codes.join(', '),
    });
  }
  if (!complete(bits)) marks.push({ text: '… incomplete', kind: 'plain', title: 'The payload has not come whole' });
  const source = origin(bits);
  if (source !== 'peer') marks.push({ text: source, kind: 'accent', title: `This frame was ${source} by Frametap` });
  if (compressed(bits))
    marks.push({ text: 'deflate', kind: 'plain', title: 'Part of a compressed message (RFC 7692)' });
  return marks;
}

/** How much of a payload is held, where it is not all of what has passed; else ''. */
export function heldText(row: {
  readonly bits: number;
  readonly payloadLength: number;
  readonly heldBytes: number | null;
}): string {
  const { bits, payloadLength, heldBytes } = row;
  if (!complete(bits) || heldBytes === payloadLength) return '';
  const all = formatBytes(payloadLength);
  if (heldBytes === null) return `not all of ${all} held`;
  if (heldBytes === 0) return `none of ${all} held`;
  return `${formatLimit(heldBytes)} of ${all} held (--payload-limit)`;
}

/** Class names that give a row its colour; each goes with a sign. */
export function rowKind(bits: number, violations: number): string {
  if (violations !== 0) return 'violated';
  if (opcode(bits) >= 8) return 'control';
  return (bits & FrameBit.ServerToClient) !== 0 ? 'to-client' : 'to-server';
}
