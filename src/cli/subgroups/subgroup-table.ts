// subgroups: the rules in force, and how many processes each subgroup has now.
import { Classifier } from '../../rules/classifier.ts';
import type { Invocation } from '../arguments.ts';
import { loadSetup, openHost, sourcesOf } from '../load-host.ts';
import { collectOnce } from '../scan/scan.ts';
import { textTable } from '../table.ts';

export async function subgroups(asked: Invocation): Promise<string> {
  const setup = await loadSetup(sourcesOf(asked));
  const { view } = await collectOnce(setup, openHost(setup.config));
  const processes = new Map(
    view.groups.map((row) => [`${row.counters.group}/${row.counters.subgroup}`, row.processes]),
  );
  const known = new Classifier(setup.rules, setup.catalogue).subgroups();
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
    known,
  )}\n`;
}
