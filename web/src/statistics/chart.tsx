import { useCallback, useEffect, useRef, type ReactNode } from 'react';
import uPlot from 'uplot';
import { formatClock } from '../format/clock.ts';
import 'uplot/dist/uPlot.min.css';
import './chart.css';

interface ChartProps {
  readonly label: string;
  readonly heightPx: number;
  readonly data: uPlot.AlignedData;
  /** Everything but the size; made anew only when `optionsKey` changes. */
  readonly options: (color: (name: string) => string) => Omit<uPlot.Options, 'width' | 'height'>;
  readonly optionsKey: string;
  /** The stretch of the x axis that is marked. */
  readonly selected?: readonly [from: number, to: number] | null;
}

/** A uPlot chart as wide as its place. Colours are those of the theme at the time of drawing. */
export function Chart(props: ChartProps): ReactNode {
  const { label, heightPx, data, options, optionsKey, selected } = props;
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef({ data, options, selected });
  const drawn = useRef<uPlot.AlignedData | null>(null);
  /** While a stretch is being marked nothing moves under the mouse. */
  const dragging = useRef(false);
  const show = useCallback(() => {
    if (plot.current === null || dragging.current) return;
    if (drawn.current !== latest.current.data) plot.current.setData(latest.current.data);
    drawn.current = latest.current.data;
    mark(plot.current, latest.current.selected);
  }, []);
  useEffect(() => {
    latest.current = { data, options, selected };
    show();
  }, [data, options, selected, show]);
  useEffect(() => {
    const node = place.current;
    if (node === null) return;
    const release = (): void => {
      dragging.current = false;
      // After the chart itself has told what was marked.
      requestAnimationFrame(show);
    };
    const press = (): void => {
      dragging.current = true;
      document.addEventListener('mouseup', release, { once: true });
    };
    const draw = (): void => {
      dragging.current = false;
      plot.current?.destroy();
      const color = themeColor(node);
      const made = latest.current.options(color);
      drawn.current = latest.current.data;
      plot.current = new uPlot({ ...made, width: node.clientWidth, height: heightPx }, drawn.current, node);
      plot.current.over.addEventListener('mousedown', press);
      mark(plot.current, latest.current.selected);
    };
    draw();
    const resized = new ResizeObserver(() => {
      plot.current?.setSize({ width: node.clientWidth, height: heightPx });
      show();
    });
    resized.observe(node);
    const recolored = new MutationObserver(draw);
    recolored.observe(document.documentElement, { attributeFilter: ['data-theme'] });
    const system = matchMedia('(prefers-color-scheme: dark)');
    system.addEventListener('change', draw);
    return () => {
      resized.disconnect();
      recolored.disconnect();
      system.removeEventListener('change', draw);
      document.removeEventListener('mouseup', release);
      plot.current?.destroy();
      plot.current = null;
    };
  }, [heightPx, optionsKey, show]);
  return <div ref={place} className="chart" role="img" aria-label={label} style={{ height: heightPx }} />;
}

function mark(plot: uPlot, selected: ChartProps['selected']): void {
  // Only a chart that is told what is marked keeps its mark; else it is the reader's own.
  if (selected === undefined) return;
  const [from, to] = selected ?? [0, 0];
  const edgePx = plot.bbox.width / devicePixelRatio;
  const at = (x: number): number => Math.min(Math.max(0, plot.valToPos(x, 'x')), edgePx);
  const left = at(from);
  const width = selected === null ? 0 : Math.max(2, at(to) - left);
  plot.setSelect({ left, width, top: 0, height: plot.bbox.height / devicePixelRatio }, false);
}

/** Reads a custom property as a colour that a canvas understands: light-dark() has to be resolved first. */
function themeColor(node: HTMLElement): (name: string) => string {
  const probe = document.createElement('span');
  return (name) => {
    probe.style.color = `var(${name})`;
    node.append(probe);
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
  };
}

/** Axes in the theme's colours. */
export function axis(color: (name: string) => string, more: uPlot.Axis = {}): uPlot.Axis {
  return {
    stroke: color('--dim'),
    grid: { stroke: color('--line-soft'), width: 1 },
    ticks: { stroke: color('--line'), width: 1, size: 4 },
    font: '11px system-ui, sans-serif',
    ...more,
  };
}

/** An axis of local time of day. */
export function timeAxis(color: (name: string) => string): uPlot.Axis {
  return axis(color, {
    space: 84,
    values: (_plot, seconds, _index, _space, stepS) =>
      seconds.map((each) => formatClock(each * 1e6).slice(0, stepS < 1 ? 12 : 8)),
  });
}
