import type { Filter } from '../../src/capture/filter.ts';
import { PayloadText, Truth, type FrameColumns } from '../../src/capture/filter/candidate.ts';
import { FrameBit } from '../../src/contract/frame-bits.ts';
import type { FrameRow } from '../../src/contract/frame.ts';
import type { SessionSummary } from '../../src/contract/session.ts';
import { ViolationBit } from '../../src/contract/violations.ts';

/** Whether one frame passes, as the server would say of it. */
export function frameMatches(
  filter: Filter,
  session: SessionSummary,
  row: FrameRow,
  payload: string | Uint8Array,
): boolean {
  const frame = columnsOf(row);
  const byColumns = filter.matchesColumns(session, frame);
  if (byColumns !== Truth.Unknown) return byColumns === Truth.True;
  return filter.matchesPayload(session, frame, new PayloadText(Buffer.from(payload)));
}

function columnsOf(row: FrameRow): FrameColumns {
  const origins = { peer: 0, injected: 1, replaced: 2 } as const;
  const bits =
    (row.fin ? 0x80 : 0) |
    (row.rsv1 ? 0x40 : 0) |
    (row.rsv2 ? 0x20 : 0) |
    (row.rsv3 ? 0x10 : 0) |
    row.opcode |
    (row.masked ? 0x8000 : 0) |
    (row.direction === 'server-to-client' ? FrameBit.ServerToClient : 0) |
    (row.complete ? FrameBit.Complete : 0) |
    (row.rsv1 && row.opcode < 3 ? FrameBit.Compressed : 0) |
    (origins[row.origin] << 20);
  const violations = row.violations.reduce((sum, code) => sum | ViolationBit[code], 0);
  return { index: row.index, bits, payloadLength: row.payloadLength, violations };
}
