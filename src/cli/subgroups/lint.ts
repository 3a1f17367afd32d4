// subgroups lint: finds rules of the operator that cannot mean what they say. Each finding has its file, line and remedy.
import { load } from '../../config/load.ts';
import { loadRuleFiles, readRuleFiles } from '../../config/rule-files.ts';
import { lint } from '../../rules/linter.ts';
import { escapedJson, escapeForTerminal } from '../../text/hostile.ts';
import { counted } from '../counted.ts';
import { catalogueRules, readDocuments, sourcesOf } from '../load-host.ts';
import type { GivenSettings } from '../verb.ts';

/**
 * @param paths of rule files; without any, the files that the settings name
 * @returns status 1 where there is a finding @throws ConfigError for a file that cannot be used
 */
export async function lintFiles(
  settings: GivenSettings,
  paths: readonly string[],
  json: boolean,
): Promise<{ output: string; status: 0 | 1 }> {
  const files = paths.length > 0 ? await readRuleFiles(paths, paths) : await configuredFiles(settings);
  const rules = readDocuments(files).map((document) => document.rules);
  const places = new Map(
    rules.flatMap((some, i) => some.map((rule) => [rule.name, { file: files[i]!.file, rule }] as const)),
  );
  const findings = lint(rules.flat(), catalogueRules).map(({ rule: name, severity, message }) => {
    const { file, rule } = places.get(name)!;
    return { file, line: rule.line, rule: name, group: rule.group, subgroup: rule.subgroup, severity, message };
  });
  findings.sort(
    (a, b) =>
      files.findIndex(({ file }) => file === a.file) - files.findIndex(({ file }) => file === b.file) ||
      (a.line ?? 0) - (b.line ?? 0),
  );
  const status = findings.length > 0 ? 1 : 0;
  if (json) return { output: escapedJson(findings, 2), status };
  const lines = findings.map(({ file, line, group, subgroup, severity, message }) =>
    escapeForTerminal(`${file}:${line ?? 0}: ${severity}: ${group}/${subgroup}: ${message}`),
  );
  const names = files.map(({ file }) => file).join(', ');
  const summary = names
    ? `${counted(findings.length, 'finding')} in ${counted(rules.flat().length, 'rule')} of ${names}`
    : 'There is no rule file to look at: none is configured, and no FILE is given.';
  return { output: `${[...lines, escapeForTerminal(summary)].join('\n')}\n`, status };
}

async function configuredFiles(settings: GivenSettings) {
  const sources = sourcesOf(settings);
  return loadRuleFiles((await load(sources)).config.subgroups, sources);
}
