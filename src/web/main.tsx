// The live page. The exporter sends a page that is whole without script; this program takes its place in a browser that
// runs it, once the first answers are there. It talks to /api/v1/ alone.
import 'uplot/dist/uPlot.min.css';
import './colours.css';
import './page.css';
import { render } from 'preact';
import { useEffect } from 'preact/hooks';
import type { GroupsDocument, HostDocument } from '../server/api-v1/schema.ts';
import { useDocument } from './feed.ts';
import { GroupView, Overview } from './groups-view.tsx';
import { Foot, Head, Trail } from './head.tsx';
import { usePlace } from './place.ts';
import { ProcessPage } from './process-view.tsx';
import { ProcessesView } from './processes-view.tsx';
import { visible } from './shown.tsx';

function Page({ shown }: { shown: () => void }) {
  const place = usePlace();
  const host = useDocument<HostDocument>('host');
  const { value, fault } = useDocument<GroupsDocument>('groups');
  const ready = host.value !== undefined && value !== undefined;
  const name = host.value?.host.name;
  const where =
    place.pid ?? ([place.group, place.subgroup].filter((part) => part !== undefined).join('/') || undefined);
  useEffect(() => {
    if (ready) shown();
  }, [ready]);
  useEffect(() => {
    document.title = [where, name, 'Herakles'].flatMap((part) => (part ? [visible(part)] : [])).join(' – ');
  }, [where, name]);
  useShortcuts();
  if (!ready) return null;
  const { groups } = value;
  const own = groups.filter(({ group }) => group === place.group);
  const entry = own.find(({ subgroup }) => subgroup === place.subgroup);
  return (
    <>
      <Head host={host} place={place} />
      <main>
        {fault && <p class="bad">{fault}</p>}
        {place.page !== 'process' && <Trail place={place} />}
        {place.page === 'overview' && <Overview place={place} groups={groups} host={host} />}
        {place.page === 'process' && <ProcessPage key={place.pid} place={place} />}
        {place.page === 'group' && place.subgroup === undefined && (
          <GroupView place={place} groups={groups} host={host} />
        )}
        {place.page === 'group' && place.subgroup !== undefined && (
          <ProcessesView key={`${place.group}/${place.subgroup}`} place={place} entry={entry} host={host} />
        )}
      </main>
      <Foot host={host} />
    </>
  );
}

/** "/" goes to the filter, Escape leaves it. */
function useShortcuts(): void {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const typing = event.target instanceof HTMLInputElement;
      if (event.key === 'Escape' && typing) (event.target as HTMLInputElement).blur();
      if (event.key !== '/' || typing || event.ctrlKey || event.metaKey || event.altKey) return;
      const filter = document.querySelector<HTMLInputElement>('input.filter');
      if (!filter) return;
      event.preventDefault();
      filter.focus();
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, []);
}

const live = document.createElement('div');
live.className = 'live';
render(
  <Page
    shown={() => {
      if (live.isConnected) return;
      document.body.replaceChildren(live);
      dispatchEvent(new Event('resize'));
    }}
  />,
  live,
);
