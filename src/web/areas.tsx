// Where the memory is now, and beside it the same areas over time.
import { useMemo } from 'preact/hooks';
import { type HourProps, HourSection } from './hour.tsx';
import { type Tile, Treemap } from './treemap.tsx';

interface AreasProps extends HourProps {
  readonly head: string;
  /** What the treemap shows, for people who cannot see it. */
  readonly label: string;
  readonly tiles: readonly Tile[];
}

export function Areas({ head, label, tiles, ...hour }: AreasProps) {
  // The same element again is not rendered again: another order of the table leaves the tiles as they are.
  const treemap = useMemo(() => <Treemap label={label} tiles={tiles} />, [label, tiles]);
  return (
    <div class="beside">
      <section class="panel">
        <h2>{head}</h2>
        {treemap}
      </section>
      <HourSection {...hour} />
    </div>
  );
}
