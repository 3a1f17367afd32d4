// Where the reader is: host, group, subgroup or process, with sort order, filter and span. All of it stands in the address,
// so a link shows another person the same, and the back button works. The same addresses give pages without script.
//
// Example: ./groups?group=db&subgroup=postgres&sort=rss is the processes of db/postgres, largest RSS first.
import { useEffect, useState } from 'preact/hooks';

export interface Place {
  readonly page: 'overview' | 'group' | 'process';
  readonly group?: string;
  readonly subgroup?: string;
  /** When the process of the link started, Unix time in seconds: another one may have its pid by now. */
  readonly start?: string;
  readonly pid?: string;
  /** Key of a column; with a "-" before it in the other direction. */
  readonly sort?: string;
  readonly filter?: string;
  /** The last so many seconds. */
  readonly span?: string;
  /** A span between two Unix times. */
  readonly from?: string;
  readonly to?: string;
}

const KEYS = ['group', 'subgroup', 'start', 'pid', 'sort', 'filter', 'span', 'from', 'to'] as const;
const PAGES = { overview: '', group: 'groups', process: 'processes' } as const;

/** @param path of a URL, below any prefix that a proxy adds */
export function placeOf(path: string, query: string): Place {
  const parameters = new URLSearchParams(query);
  const given = KEYS.flatMap((key) => {
    const value = parameters.get(key);
    return value === null || value === '' ? [] : [[key, value] as const];
  });
  const place: Omit<Place, 'page'> = Object.fromEntries(given);
  if (path.endsWith('/processes') && place.pid) return { ...place, page: 'process' };
  if (path.endsWith('/groups') && place.group !== undefined) return { ...place, page: 'group' };
  return { ...place, page: 'overview' };
}

export function linkTo(place: Place): string {
  const parameters = new URLSearchParams();
  for (const key of KEYS) if (place[key] !== undefined && place[key] !== '') parameters.set(key, place[key]);
  const query = parameters.toString();
  return `./${PAGES[place.page]}${query === '' ? '' : `?${query}`}`;
}

/** What stays in the address where the reader goes on: the span, which is about time, not about a thing. */
export const onward = (from: Place, to: Place): Place => {
  const { span, from: begin, to: end } = from;
  return { ...to, ...(span && { span }), ...(begin && { from: begin }), ...(end && { to: end }) };
};

const listeners = new Set<() => void>();
const here = (): Place => placeOf(location.pathname, location.search);

/** @param how 'replace' where the step is not worth a press of the back button */
export function go(place: Place, how: 'push' | 'replace' = 'push'): void {
  history[how === 'push' ? 'pushState' : 'replaceState'](null, '', linkTo(place));
  for (const listener of listeners) listener();
}

export function usePlace(): Place {
  const [place, setPlace] = useState(here);
  useEffect(() => {
    const update = () => setPlace(here());
    listeners.add(update);
    addEventListener('popstate', update);
    return () => {
      listeners.delete(update);
      removeEventListener('popstate', update);
    };
  }, []);
  return place;
}
