// /api/v1/rules
import { inSlices } from '../../agent/time-slices.ts';
import type { ApiRequest } from './answer.ts';
import { unix } from './known.ts';
import type { DocumentOf } from './schema.ts';

/** Processes that are counted together. */
const STEP = 512;

export async function rulesDocument({ agent, snapshot }: ApiRequest): Promise<DocumentOf<'rules'>> {
  const sums = await inSlices(sumByRule(snapshot.view.rows));
  return {
    at: unix(snapshot.time),
    snapshot: snapshot.serial,
    rules: agent.rules.map(({ name: rule, group, subgroup }, index) => {
      const { processes = 0, footprint = 0 } = sums.get(rule) ?? {};
      // "catalogue/db.toml#postgres" and "./subgroups.toml:3": the file, and the rule in it.
      const source = rule.replace(/[#:][^#:/]*$/, '');
      return { rule, group, subgroup, source, order: index + 1, processes, footprint_bytes: Math.round(footprint) };
    }),
  };
}

function* sumByRule(rows: ApiRequest['snapshot']['view']['rows']) {
  const sums = new Map<string, { processes: number; footprint: number }>();
  for (let row = 0; row < rows.length; row++) {
    if (row % STEP === STEP - 1) yield;
    const { rule } = rows.description[row]!;
    const sum = sums.get(rule) ?? { processes: 0, footprint: 0 };
    sum.processes++;
    sum.footprint += rows.footprint[row]! || 0;
    sums.set(rule, sum);
  }
  return sums;
}
