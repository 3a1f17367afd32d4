// What all dashboards share: variables, links to the other dashboards, and selectors made of the variables.
import {
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { buildInfo } from '../../src/collectors/exporter.ts';
import { groupFootprint } from '../../src/collectors/group.ts';
import { datasource } from './panels.ts';

/** Selector: series of the chosen exporters. */
export const host = '{job=~"$job", instance=~"$instance"}';
/** Selector: series of the chosen groups and subgroups. */
export const group = '{job=~"$job", instance=~"$instance", group=~"$group", subgroup=~"$subgroup"}';
/** Selector: series of single processes of these groups, without the sum "(rest)" of `per_process: top`. */
export const proc = group.replace('{', '{pid!="", ');

interface BoardOptions {
  readonly uid: string;
  readonly title: string;
  readonly help: string;
  /** Whether the dashboard shows one exporter or any number of them. */
  readonly instances: 'one' | 'any';
  /** Whether the reader can choose groups and subgroups. */
  readonly groups: boolean;
}

/** A dashboard without panels yet: its variables, links and time range. */
export function board({ uid, title, help, instances, groups }: BoardOptions): DashboardBuilder {
  const dashboard = new DashboardBuilder(title)
    .uid(uid)
    .description(help)
    .tags(['herakles', 'memory', 'processes'])
    .editable()
    .refresh('30s')
    .time({ from: 'now-1h', to: 'now' })
    .timezone('browser')
    .tooltip(DashboardCursorSync.Crosshair)
    .link(
      new DashboardLinkBuilder('Herakles')
        .type(DashboardLinkType.Dashboards)
        .tags(['herakles'])
        .includeVars(true)
        .keepTime(true),
    )
    .withVariable(new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'))
    .withVariable(variable('job', `label_values(${buildInfo.name}, job)`))
    .withVariable(variable('instance', `label_values(${buildInfo.name}{job=~"$job"}, instance)`, instances === 'any'));
  if (!groups) return dashboard;
  const chosen = host.replace('}', ', group=~"$group"}');
  return dashboard
    .withVariable(variable('group', `label_values(${groupFootprint.name}${host}, group)`))
    .withVariable(variable('subgroup', `label_values(${groupFootprint.name}${chosen}, subgroup)`));
}

function variable(name: string, query: string, several = true): QueryVariableBuilder {
  const made = new QueryVariableBuilder(name)
    .label(name[0]!.toUpperCase() + name.slice(1))
    .datasource(datasource)
    .query({ query, refId: `variable-${name}` })
    .definition(query)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc);
  if (!several) return made;
  return made.multi(true).includeAll(true).allValue('.+').current({ selected: true, text: 'All', value: '$__all' });
}
