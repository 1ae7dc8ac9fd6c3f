import { useCallback, useEffect, useRef, type MouseEvent, type ReactNode } from 'react';
import { VirtualRows, type VirtualRowsHandle } from '../window/virtual-rows.tsx';

export const HEX_ROW_BYTES = 16;
const ROW_PX = 18;
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** A range of bytes that is set apart, with the class that does it. */
export interface HexMark {
  readonly start: number;
  readonly end: number;
  readonly className: string;
}

interface HexViewProps {
  readonly bytes: Uint8Array;
  readonly marks?: readonly HexMark[];
  readonly onHover?: (at: number | null) => void;
  readonly label?: string;
}

/** Bytes in rows of 16, drawn as far as they are visible. */
export function HexView({ bytes, marks = [], onHover, label = 'Bytes in hex' }: HexViewProps): ReactNode {
  const handle = useRef<VirtualRowsHandle>(null);
  const onMove = useCallback(
    (event: MouseEvent<HTMLElement>) => {
      const at = event.target instanceof HTMLElement ? event.target.dataset['at'] : undefined;
      onHover?.(at === undefined ? null : Number(at));
    },
    [onHover],
  );
  useEffect(() => handle.current?.reveal(0), [bytes]);
  return (
    <div className="hex-view" onMouseMove={onMove} onMouseLeave={() => onHover?.(null)}>
      <VirtualRows
        role="group"
        label={label}
        rowPx={ROW_PX}
        count={Math.ceil(bytes.length / HEX_ROW_BYTES)}
        handle={handle}
        row={(position, topPx, slot) => (
          <HexRow key={slot} bytes={bytes} at={position * HEX_ROW_BYTES} topPx={topPx} marks={marks} />
        )}
      />
    </div>
  );
}

function HexRow(props: {
  readonly bytes: Uint8Array;
  readonly at: number;
  readonly topPx: number;
  readonly marks: readonly HexMark[];
}): ReactNode {
  const { bytes, at } = props;
  const end = Math.min(at + HEX_ROW_BYTES, bytes.length);
  const marks = props.marks.filter((mark) => mark.start < end && mark.end > at);
  const hex: ReactNode[] = [];
  const ascii: ReactNode[] = [];
  for (let offset = at; offset < end; offset += 1) {
    const byte = bytes[offset] ?? 0;
    const className = marks.find((mark) => offset >= mark.start && offset < mark.end)?.className ?? '';
    hex.push(
      <span key={offset} data-at={offset} className={`hex-byte ${className} ${offset - at === 8 ? 'half' : ''}`}>
        {HEX[byte]}
      </span>,
    );
    ascii.push(
      <span key={offset} data-at={offset} className={className}>
        {byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '·'}
      </span>,
    );
  }
  return (
    <div className="vrow hex-row mono" style={{ top: props.topPx, height: ROW_PX }}>
      <span className="hex-offset">{at.toString(16).padStart(8, '0')}</span>
      <span className="hex-bytes">{hex}</span>
      <span className="hex-ascii">{ascii}</span>
    </div>
  );
}
