// Where the memory is now, and beside it the same areas over time.
import { type HourProps, HourSection } from './hour.tsx';
import { type Tile, Treemap } from './treemap.tsx';

interface AreasProps extends HourProps {
  readonly head: string;
  /** What the treemap shows, for people who cannot see it. */
  readonly label: string;
  readonly tiles: readonly Tile[];
}

export function Areas({ head, label, tiles, ...hour }: AreasProps) {
  return (
    <div class="beside">
      <section class="panel">
        <h2>{head}</h2>
        <Treemap label={label} tiles={tiles} />
      </section>
      <HourSection {...hour} />
    </div>
  );
}
