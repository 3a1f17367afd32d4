// What all dashboards share: variables, links to the other dashboards, and selectors made of the variables.
import {
  AnnotationQueryBuilder,
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
import { groupFootprint, groupOldest, groupOomKills } from '../../src/collectors/group.ts';
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
    .withVariable(variable('subgroup', `label_values(${groupFootprint.name}${chosen}, subgroup)`))
    .annotation(oomKills())
    .annotation(restarts());
}

/** A difference, and not increase(): a step shows each kill once, however far apart scrapes are. */
function oomKills(): AnnotationQueryBuilder {
  const now = groupOomKills.name + group;
  return annotation('OOM kills', 'red', `${now} - ${now} offset 1m > 0`, 'killed for memory');
}

/**
 * The value is the time: the start of the oldest process. Of a group whose oldest process changes again and again, such as
 * shells, nothing is shown.
 */
function restarts(): AnnotationQueryBuilder {
  const oldest = groupOldest.name + group;
  const expression = `1000 * (${oldest} and changes(${oldest}[1h]) > 0 < 5)`;
  return annotation('Restarts', 'blue', expression, 'restarted').useValueForTime(true);
}

const annotation = (name: string, color: string, expression: string, what: string): AnnotationQueryBuilder =>
  new AnnotationQueryBuilder()
    .name(name)
    .datasource(datasource)
    .enable(true)
    .iconColor(color)
    .expr(expression)
    .step('60s')
    .titleFormat(`{{group}}/{{subgroup}} ${what}`)
    .textFormat('{{instance}}')
    .tagKeys('group,subgroup');

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
