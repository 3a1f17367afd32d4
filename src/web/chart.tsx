// Stacked areas over time, drawn by uPlot on a canvas: the same colours as the treemap. Drawing a span with the mouse
// selects it. What a canvas shows, nobody reads aloud: the legend and the list of what grew have it as text.
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { formatBytes } from '../text/units.ts';
import { type Hour, stacked, type TimeSpan } from './history.ts';
import { timeText } from './shown.tsx';

interface ChartProps {
  readonly label: string;
  readonly hour: Hour;
  /** The areas from the bottom up. */
  readonly keys: readonly string[];
  readonly colourOf: (key: string) => string;
  readonly span: TimeSpan | undefined;
  readonly onSelect: (span: TimeSpan) => void;
  /** Index of the time under the mouse; undefined where there is none. */
  readonly onPoint: (index: number | undefined) => void;
}

const HEIGHT = 240;
const MIB = 2 ** 20;
/** Steps between the lines of the grid: powers of two of a MiB, so that their labels are round. */
const STEPS = Array.from({ length: 30 }, (_, power) => (MIB / 1024) * 2 ** power);
/** Pixels that the mouse has to be drawn for a span. */
const SELECTION_MIN = 4;

export function Chart({ label, hour, keys, colourOf, span, onSelect, onPoint }: ChartProps) {
  const frame = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const latest = useRef({ onSelect, onPoint });
  latest.current = { onSelect, onPoint };
  const shape = keys.map((key) => `${key} ${colourOf(key)}`).join('\n');
  const data = [hour.at, ...stacked(hour, keys)] as uPlot.AlignedData;

  useEffect(() => {
    const element = frame.current!;
    const draw = () => {
      plot.current?.destroy();
      const select = (chosen: TimeSpan) => latest.current.onSelect(chosen);
      const point = (index: number | undefined) => latest.current.onPoint(index);
      plot.current = new uPlot(optionsOf(element, keys, colourOf, select, point), data, element);
      showSpan(plot.current, span);
    };
    draw();
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    scheme.addEventListener('change', draw);
    const watch = new ResizeObserver(() => {
      if (plot.current?.width !== element.clientWidth)
        plot.current?.setSize({ width: element.clientWidth, height: HEIGHT });
    });
    watch.observe(element);
    return () => {
      scheme.removeEventListener('change', draw);
      watch.disconnect();
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [shape]);

  useEffect(() => {
    plot.current?.setData(data);
    if (plot.current) showSpan(plot.current, span);
  }, [hour, span?.from, span?.to, shape]);

  return <div class="chart" role="img" aria-label={label} ref={frame} />;
}

/** The selected span as a rectangle. */
function showSpan(plot: uPlot, span: TimeSpan | undefined): void {
  const { over } = plot;
  if (!span) {
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    return;
  }
  const inside = (time: number) => Math.min(over.clientWidth, Math.max(0, plot.valToPos(time, 'x')));
  const left = inside(span.from);
  plot.setSelect({ left, top: 0, width: inside(span.to) - left, height: over.clientHeight }, false);
}

function optionsOf(
  element: HTMLElement,
  keys: readonly string[],
  colourOf: (key: string) => string,
  select: (span: TimeSpan) => void,
  point: (index: number | undefined) => void,
): uPlot.Options {
  const text = coloursOf(element, 'chart-text');
  const axis = { stroke: text.line, grid: { stroke: text.fill, width: 1 }, ticks: { stroke: text.fill, width: 1 } };
  const font = '12px system-ui, sans-serif';
  return {
    width: element.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: true, y: false, setScale: false } },
    scales: { y: { range: (_plot, _low, high) => [0, Math.max(high * 1.05, MIB)] } },
    axes: [
      { ...axis, font, size: 34, space: 76, values: timeTexts },
      { ...axis, font, size: 84, incrs: STEPS, values: (_plot, splits) => splits.map((bytes) => formatBytes(bytes)) },
    ],
    series: [
      {},
      ...keys.map((key) => {
        const { fill, line } = coloursOf(element, colourOf(key));
        return { label: key, fill, stroke: line, width: 1, points: { show: false } };
      }),
    ],
    bands: keys.slice(1).map((_, index): uPlot.Band => ({ series: [index + 2, index + 1] })),
    hooks: {
      setCursor: [(plot) => point(plot.cursor.idx ?? undefined)],
      setSelect: [
        (plot) => {
          const { left, width } = plot.select;
          if (width >= SELECTION_MIN) select({ from: plot.posToVal(left, 'x'), to: plot.posToVal(left + width, 'x') });
        },
      ],
    },
  };
}

/** Labels of the time axis; with seconds where a minute is a wide part of it. */
function timeTexts(_plot: uPlot, splits: number[]): string[] {
  const seconds = splits.length > 1 && splits[1]! - splits[0]! < 60;
  return splits.map((time) => timeText(time, seconds));
}

/** The colours of a class, from the style sheet: the canvas does not see it. */
function coloursOf(element: HTMLElement, colour: string): { fill: string; line: string } {
  const probe = document.createElement('i');
  probe.className = colour;
  element.append(probe);
  const style = getComputedStyle(probe);
  const found = { fill: style.getPropertyValue('--fill').trim(), line: style.getPropertyValue('--line').trim() };
  probe.remove();
  return found;
}
