// A treemap: the area of a tile is proportional to its bytes. A tile is a link to the next level. Tiles have no space
// between them, since that would take from small ones more than from large ones; a line inside of each tells them apart.
import { hierarchy, treemap, treemapSquarify } from 'd3-hierarchy';
import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { formatBytes, formatPercent } from '../text/units.ts';
import type { Place } from './place.ts';
import { PlaceLink, visible } from './shown.tsx';

export interface Tile {
  readonly key: string;
  readonly name: string;
  readonly bytes: number;
  readonly estimated: boolean;
  /** Class with the colour. */
  readonly colour: string;
  /** The next level; undefined where there is none. */
  readonly to?: Place;
}

interface TreemapProps {
  readonly label: string;
  readonly tiles: readonly Tile[];
}

/** More tiles would be too small to be told apart; the smallest become one. */
const TILES_MAX = 80;
/** Size from which a tile has text, pixels. */
const NAMED_WIDTH = 60;
const NAMED_HEIGHT = 26;

export function Treemap({ label, tiles }: TreemapProps) {
  const frame = useRef<HTMLElement>(null);
  const size = useSize(frame);
  const placed = useMemo(() => layout(fewer(tiles), size.width / size.height), [tiles, size]);
  const total = tiles.reduce((sum, { bytes }) => sum + bytes, 0);
  return (
    <nav class="treemap" aria-label={label} ref={frame}>
      {placed.map(({ tile, x, y, width, height }) => {
        const bytes = `${tile.estimated ? '~' : ''}${formatBytes(tile.bytes)}`;
        const title = `${visible(tile.name)}: ${bytes}, ${formatPercent(tile.bytes / total, 1)}`;
        const named = width * size.width > NAMED_WIDTH && height * size.height > NAMED_HEIGHT;
        const style = { left: percent(x), top: percent(y), width: percent(width), height: percent(height) };
        const shared = { class: `tile ${tile.colour}`, title, style };
        const content = named && (
          <div>
            <bdi>{visible(tile.name)}</bdi> <span>{bytes}</span>
          </div>
        );
        return tile.to ? (
          <PlaceLink key={tile.key} {...shared} to={tile.to} bytes={tile.bytes} {...(!named && { label: title })}>
            {content}
          </PlaceLink>
        ) : (
          <span key={tile.key} {...shared} data-bytes={tile.bytes}>
            {content}
          </span>
        );
      })}
    </nav>
  );
}

const percent = (share: number): string => `${share * 100}%`;

function fewer(tiles: readonly Tile[]): readonly Tile[] {
  const bySize = tiles.filter(({ bytes }) => bytes > 0).sort((a, b) => b.bytes - a.bytes);
  const small = bySize.slice(TILES_MAX - 1);
  if (small.length < 2) return bySize;
  const bytes = small.reduce((sum, each) => sum + each.bytes, 0);
  const rest = { key: '(rest)', name: `${small.length} smaller`, bytes, estimated: small.some((one) => one.estimated) };
  return [...bySize.slice(0, TILES_MAX - 1), { ...rest, colour: 'cx' }];
}

/** Places as shares of the frame. @param aspect width of the frame over its height */
export function layout(tiles: readonly Tile[], aspect: number) {
  const root = hierarchy<{ tile?: Tile; children?: { tile: Tile }[] }>({
    children: tiles.map((tile) => ({ tile })),
  }).sum(({ tile }) => tile?.bytes ?? 0);
  const placed = treemap<{ tile?: Tile; children?: { tile: Tile }[] }>().tile(treemapSquarify).size([aspect, 1])(root);
  return placed
    .leaves()
    .flatMap(({ data: { tile }, x0, x1, y0, y1 }) =>
      tile ? [{ tile, x: x0 / aspect, y: y0, width: (x1 - x0) / aspect, height: y1 - y0 }] : [],
    );
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** Size of the frame, pixels. */
function useSize(frame: { readonly current: HTMLElement | null }): Size {
  const [size, setSize] = useState<Size>({ width: 600, height: 400 });
  useLayoutEffect(() => {
    const watch = new ResizeObserver(([entry]) => {
      const { width, height } = entry!.contentRect;
      if (width > 0 && height > 0) setSize({ width, height });
    });
    watch.observe(frame.current!);
    return () => watch.disconnect();
  }, []);
  return size;
}
