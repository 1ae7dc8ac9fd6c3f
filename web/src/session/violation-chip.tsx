import { Popover } from '@base-ui/react/popover';
import { TriangleAlert } from 'lucide-react';
import { useState, type ReactNode } from 'react';
import type { SessionSummary, SessionViolation } from '../../../src/contract/session.ts';
import { FRAME_VIOLATIONS, HANDSHAKE_VIOLATIONS, MESSAGE_VIOLATIONS } from '../../../src/contract/violations.ts';
import { formatCount } from '../format/numbers.ts';
import { setUi, showFrame } from '../state.ts';
import { useSessionDetail } from '../use-capture.ts';

const CATALOGUE = [...FRAME_VIOLATIONS, ...MESSAGE_VIOLATIONS, ...HANDSHAKE_VIOLATIONS];

/** Counts a session's violations of the protocol; pressed, it lists them and leads to their frames. */
export function ViolationChip({ session }: { readonly session: SessionSummary }): ReactNode {
  const [open, setOpen] = useState(false);
  return (
    <Popover.Root open={open} onOpenChange={setOpen}>
      <Popover.Trigger className="chip error violation-chip" title="Violations of the protocol">
        <TriangleAlert size={11} aria-hidden /> {formatCount(session.violationCount)}
        <span className="visually-hidden">
          {session.violationCount === 1 ? ' violation' : ' violations'} of the protocol
        </span>
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Positioner className="layer" sideOffset={6} align="end">
          <Popover.Popup className="popover violation-list">
            <Popover.Title className="violation-title">Violations of the protocol</Popover.Title>
            <Found session={session} onLeave={() => setOpen(false)} />
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  );
}

function Found({ session, onLeave }: { readonly session: SessionSummary; readonly onLeave: () => void }): ReactNode {
  const { detail, error } = useSessionDetail(session);
  if (detail === null) return <div className={error === null ? 'dim' : 'error'}>{error ?? 'Reading …'}</div>;
  const leave = (frame: number | null): void => {
    if (frame === null) setUi({ tab: 'handshake' });
    else showFrame(frame);
    onLeave();
  };
  return (
    <ul>
      {detail.violations.map((violation) => (
        <Violation key={`${violation.code} ${violation.by}`} violation={violation} onLeave={leave} />
      ))}
    </ul>
  );
}

function Violation(props: {
  readonly violation: SessionViolation;
  /** To the first frame that has it, or to the handshake. */
  readonly onLeave: (frame: number | null) => void;
}): ReactNode {
  const { code, by, count, firstFrame } = props.violation;
  const known = CATALOGUE.find(([each]) => each === code);
  return (
    <li>
      <b className="error">{code}</b> <span className="chip error">{known?.[1]}</span> {known?.[2]}
      <div className="dim">
        by the {by}, {count === 1 ? 'once' : `${formatCount(count)} times`}{' '}
        {firstFrame === null ? (
          <button type="button" className="button small" onClick={() => props.onLeave(null)}>
            in the handshake
          </button>
        ) : (
          <button type="button" className="button small" onClick={() => props.onLeave(firstFrame)}>
            first in frame {formatCount(firstFrame)}
          </button>
        )}
      </div>
    </li>
  );
}
