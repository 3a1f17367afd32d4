// The hour of a host, a group or a subgroup: stacked areas, their legend, the span that is looked at, and what grew in it.
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { Chart } from './chart.tsx';
import { useSource } from './feed.ts';
import { type Growth, growthIn, type Hour, hourOf, summed, type TimeSpan } from './history.ts';
import { COLOURS, type Palette } from './palette.ts';
import { go, type Place } from './place.ts';
import { Bytes, changeText, Name, PlaceLink, timeText } from './shown.tsx';

export interface HourProps {
  readonly place: Place;
  readonly hour: Hour | undefined;
  readonly fault: string | undefined;
  /** How far back the history goes, seconds; 0 where none is kept. */
  readonly kept: number | undefined;
  readonly palette: Palette;
  /** Which area a series is part of; undefined: of none. */
  readonly areaOf: (key: string) => string;
  /** The place that a line of "what grew" leads to. */
  readonly placeOf: (key: string) => Place | undefined;
}

/** The history of `of`, kept up to date. @param kept how far back it goes, seconds */
export const useHour = (of: string, kept = 0) => useSource<Hour>(`history ${of} ${kept}`, () => hourOf(of, kept));

/** Key of all areas that have no colour of their own. */
const OTHERS = 'others';
const GROWTH_ROWS = 8;
/** Less is an error of rounding, not a change. */
const PAGE_BYTES = 4096;

/** Stands where there is nothing to draw, and says why. */
export const NoHour = ({ head, children }: { head: string; children: ComponentChildren }) => (
  <section class="panel">
    <h2>{head}</h2>
    <p class="dim">{children}</p>
  </section>
);

export function HourSection({ place, hour, fault, kept, palette, areaOf, placeOf }: HourProps) {
  const [point, setPoint] = useState<number>();
  if (!hour || hour.at.length < 2)
    return (
      <NoHour head="Footprint over time">
        {kept === 0
          ? 'No history is kept, because the setting history is 0.'
          : (fault ?? 'The first points are on their way.')}
      </NoHour>
    );
  const areas = summed(hour, (key) => (palette.has(areaOf(key)) ? areaOf(key) : OTHERS));
  const keys = byLastValue(areas);
  if (keys.length === 0) return <NoHour head="Footprint over time">Nothing here has a history.</NoHour>;
  const whole = { from: hour.at[0]!, to: hour.at.at(-1)! };
  const chosen = timeSpanOf(place, whole);
  const nameOf = (key: string) => hour.names.get(key) ?? key;
  const select = (span: TimeSpan) => go(withSpan(place, span));
  return (
    <section class="panel">
      <header>
        <h2>Footprint over time</h2>
        <SpanButtons place={place} whole={whole} />
      </header>
      <Chart
        label={`Footprint over ${Math.round((whole.to - whole.from) / 60)} minutes, as stacked areas`}
        hour={areas}
        keys={keys}
        colourOf={(key) => palette.classOf(key)}
        span={chosen === whole ? undefined : chosen}
        onSelect={select}
        onPoint={setPoint}
      />
      <Legend hour={areas} keys={keys} palette={palette} point={point} nameOf={nameOf} />
      <GrowthList growth={growthIn(hour, chosen)} span={chosen} placeOf={placeOf} nameOf={nameOf} />
    </section>
  );
}

/** Keys of areas, the largest at the bottom and the others on top. */
function byLastValue({ series }: Hour): string[] {
  const largest = (key: string) => Math.max(...series.get(key)!.map((value) => value ?? 0));
  const own = [...series.keys()].filter((key) => key !== OTHERS).sort((a, b) => largest(b) - largest(a));
  return [...own.slice(0, COLOURS), ...(series.has(OTHERS) && largest(OTHERS) >= 1 ? [OTHERS] : [])];
}

const withSpan = ({ span: _, from: __, to: ___, ...place }: Place, { from, to }: TimeSpan): Place => ({
  ...place,
  from: String(Math.floor(from)),
  to: String(Math.ceil(to)),
});

/** The span that the address names, as far as there is history; else all of it. */
export function timeSpanOf({ span, from, to }: Place, whole: TimeSpan): TimeSpan {
  const seconds = Number(span);
  if (seconds > 0) return { from: Math.max(whole.from, whole.to - seconds), to: whole.to };
  const begin = Number(from ?? Number.NaN);
  const end = Number(to ?? Number.NaN);
  if (!(end > begin && begin < whole.to && end > whole.from)) return whole;
  return { from: Math.max(begin, whole.from), to: Math.min(end, whole.to) };
}

const SPANS = [
  ['60', '1 min'],
  ['300', '5 min'],
  ['900', '15 min'],
  [undefined, 'all'],
] as const;

function SpanButtons({ place, whole }: { place: Place; whole: TimeSpan }) {
  const drawn = timeSpanOf(place, whole) !== whole && !place.span;
  return (
    <fieldset class="spans">
      <legend class="hidden">What grew in the last …</legend>
      {SPANS.map(([seconds, name]) => {
        const { from: _, to: __, span: ___, ...rest } = place;
        const pressed = !drawn && place.span === seconds;
        return (
          <button
            key={name}
            type="button"
            aria-pressed={pressed}
            onClick={() => go(seconds ? { ...rest, span: seconds } : rest, 'replace')}
          >
            {name}
          </button>
        );
      })}
    </fieldset>
  );
}

interface LegendProps {
  readonly hour: Hour;
  readonly keys: readonly string[];
  readonly palette: Palette;
  readonly point: number | undefined;
  readonly nameOf: (key: string) => string;
}

function Legend({ hour, keys, palette, point, nameOf }: LegendProps) {
  const index = point !== undefined && point < hour.at.length ? point : hour.at.length - 1;
  return (
    <div class="legend">
      <time class="dim">{timeText(hour.at[index]!)}</time>
      <ul>
        {keys.map((key) => (
          <li key={key}>
            <i class={`swatch ${palette.classOf(key)}`} />
            <Name text={nameOf(key)} /> <Bytes bytes={hour.series.get(key)?.[index] ?? undefined} />
          </li>
        ))}
      </ul>
    </div>
  );
}

interface GrowthListProps {
  readonly growth: readonly Growth[];
  readonly span: TimeSpan;
  readonly placeOf: (key: string) => Place | undefined;
  readonly nameOf: (key: string) => string;
}

function GrowthList({ growth: all, span, placeOf, nameOf }: GrowthListProps) {
  const growth = all.filter(({ before, after }) => Math.abs(after - before) >= PAGE_BYTES);
  return (
    <>
      <h3>
        Growth from {timeText(span.from)} to {timeText(span.to)}, largest first
      </h3>
      {growth.length === 0 ? (
        <p class="dim">Nothing changed in this span. Draw over the chart to choose another one.</p>
      ) : (
        <table class="growth">
          <thead>
            <tr>
              <th scope="col">What</th>
              <th scope="col" class="n">
                Growth
              </th>
              <th scope="col" class="n">
                From
              </th>
              <th scope="col" class="n">
                To
              </th>
            </tr>
          </thead>
          <tbody>
            {growth.slice(0, GROWTH_ROWS).map(({ key, before, after }) => {
              const to = placeOf(key);
              const name = <Name text={nameOf(key)} />;
              return (
                <tr key={key}>
                  <td>{to ? <PlaceLink to={to}>{name}</PlaceLink> : name}</td>
                  <td class="n">
                    <data value={String(after - before)}>{changeText(after - before)}</data>
                  </td>
                  <td class="n">
                    <Bytes bytes={before} />
                  </td>
                  <td class="n">
                    <Bytes bytes={after} />
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      )}
    </>
  );
}
