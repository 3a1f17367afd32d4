// /api/v1/rules
import { inSlices } from '../../agent/time-slices.ts';
import type { ApiRequest } from './answer.ts';
import { unix } from './known.ts';
import type { DocumentOf } from './schema.ts';

/** Processes that are counted together. */
const STEP = 512;

export async function rulesDocument({ agent, snapshot }: ApiRequest): Promise<DocumentOf<'rules'>> {
  const { rows } = snapshot.view;
  const { rules } = agent;
  rows.pinCount++;
  try {
    const sums = await inSlices(sumByRule(rows));
    return {
      at: unix(snapshot.time),
      snapshot: snapshot.serial,
      rules: rules.map(({ name, group, subgroup }, index) => {
        const { processes = 0, footprint = 0 } = sums.get(name) ?? {};
        // "catalogue/db.toml#postgres" and "./subgroups.toml:3": the file, and the rule in it.
        const source = name.replace(/[#:][^#:/]*$/, '');
        return {
          rule: name,
          group,
          subgroup,
          source,
          order: index + 1,
          processes,
          footprint_bytes: Math.round(footprint),
        };
      }),
    };
  } finally {
    rows.pinCount--;
  }
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
