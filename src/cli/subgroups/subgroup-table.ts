// subgroups: a table of the rules in force, with the number of processes that each subgroup has now.
import { Classifier } from '../../rules/classifier.ts';
import { collectOnce } from '../collect-once.ts';
import { loadSetup, openHost, sourcesOf } from '../load-host.ts';
import { textTable } from '../table.ts';
import type { GivenSettings } from '../verb.ts';

export async function subgroupTable(settings: GivenSettings): Promise<string> {
  const setup = await loadSetup(sourcesOf(settings));
  const { view } = await collectOnce(setup, await openHost(setup.config), { footprints: 'none' });
  const processes = new Map(
    view.groups.map((row) => [`${row.counters.group}/${row.counters.subgroup}`, row.processes]),
  );
  const declared = new Classifier(setup.rules, setup.catalogue).subgroups();
  return `${textTable(
    [
      { head: 'GROUP', text: ({ group }) => group },
      { head: 'SUBGROUP', text: ({ subgroup }) => subgroup },
      {
        head: 'PROCESSES',
        text: ({ group, subgroup }) => String(processes.get(`${group}/${subgroup}`) ?? 0),
        right: true,
      },
      { head: 'RULES', text: ({ rules }) => rules.map(({ name }) => name).join(', ') },
    ],
    declared,
  )}\n`;
}
