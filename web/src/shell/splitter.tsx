import type { KeyboardEvent, PointerEvent, ReactNode } from 'react';

interface SplitterProps {
  readonly orientation: 'vertical' | 'horizontal';
  readonly label: string;
  readonly valuePx: number;
  readonly minPx: number;
  readonly maxPx: number;
  /** 1 where dragging right or down makes it larger, -1 where smaller. */
  readonly sense: 1 | -1;
  readonly onChange: (px: number) => void;
}
const STEP_PX = 16;

/** A line between two panes that one drags, or moves with the arrow keys. */
export function Splitter(props: SplitterProps): ReactNode {
  const { orientation, valuePx, minPx, maxPx, sense, onChange } = props;
  const clamp = (px: number): number => Math.round(Math.min(Math.max(px, minPx), maxPx));
  const along = (event: PointerEvent): number => (orientation === 'vertical' ? event.clientX : event.clientY);

  const onPointerDown = (event: PointerEvent<HTMLDivElement>): void => {
    event.preventDefault();
    const target = event.currentTarget;
    const start = along(event);
    target.setPointerCapture(event.pointerId);
    target.onpointermove = (move) => {
      onChange(clamp(valuePx + sense * ((orientation === 'vertical' ? move.clientX : move.clientY) - start)));
    };
    target.onpointerup = target.onpointercancel = () => {
      target.onpointermove = null;
    };
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const more = orientation === 'vertical' ? 'ArrowRight' : 'ArrowDown';
    const less = orientation === 'vertical' ? 'ArrowLeft' : 'ArrowUp';
    if (event.key !== more && event.key !== less) return;
    event.preventDefault();
    event.stopPropagation();
    onChange(clamp(valuePx + sense * (event.key === more ? STEP_PX : -STEP_PX)));
  };
  return (
    <div
      className={`splitter ${orientation}`}
      role="separator"
      aria-orientation={orientation}
      aria-label={props.label}
      aria-valuenow={Math.round(valuePx)}
      aria-valuemin={minPx}
      aria-valuemax={maxPx}
      tabIndex={0}
      onPointerDown={onPointerDown}
      onKeyDown={onKeyDown}
    />
  );
}
