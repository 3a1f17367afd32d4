// Where a click in a table leads: from a host to its dashboard, from a subgroup to its processes, from there to the pages
// of the exporter. Links follow from the labels of a table, so that every table with a host, subgroup or process has them.

interface DataLink {
  readonly title: string;
  readonly url: string;
  readonly targetBlank: boolean;
}

/** The dashboards that links lead to. */
export const uids = { host: 'herakles-host', memory: 'herakles-proc-mem' } as const;

/** What Grafana fills in: one of its own values, a column of the row, or the choice in a variable of the dashboard. */
const filled = (name: string): string => `\${${name}}`;
const column = (heading: string): string => `__data.fields["${heading}"]`;
const same = (variable: string): string => filled(`${variable}:queryparam`);
const set = (variable: string, value: string): string => `var-${variable}=${filled(`${value}:percentencode`)}`;

function toBoard(title: string, uid: string, ...variables: string[]): DataLink {
  const parameters = [same('datasource'), same('job'), ...variables, filled('__url_time_range')];
  return { title, url: `/d/${uid}?${parameters.join('&')}`, targetBlank: false };
}

const toExporter = (title: string, instance: string, path: string): DataLink => ({
  ...{ title, url: `http://${filled(instance)}${path}`, targetBlank: true },
});

/** The links of a label's column, in a table whose labels have these headings. */
export function linksOf(label: string, headings: Readonly<Record<string, string>>): DataLink[] {
  const { instance, group } = headings;
  const host = instance ? set('instance', column(instance)) : same('instance');
  if (label === 'instance') {
    const host = set('instance', '__value.raw');
    return [
      toBoard('This host', uids.host, host),
      toBoard('Memory of its processes', uids.memory, host),
      toExporter('Page of the exporter', '__value.raw', '/'),
    ];
  }
  if (label === 'group') return [toBoard('Processes of the group', uids.memory, host, set('group', '__value.raw'))];
  if (label === 'subgroup') {
    const outer = group ? set('group', column(group)) : same('group');
    return [toBoard('Processes of the subgroup', uids.memory, host, outer, set('subgroup', '__value.raw'))];
  }
  if (label === 'pid') {
    const path = `/explain?pid=${filled('__value.raw')}`;
    return [toExporter('Why its PSS was read or not', instance ? column(instance) : 'instance', path)];
  }
  return [];
}
