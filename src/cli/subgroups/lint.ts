// subgroups lint: what in the operator's rule files cannot be meant so, each finding with its place and a remedy.
import { load } from '../../config/load.ts';
import { loadRuleFiles, readRuleFiles } from '../../config/rule-files.ts';
import { lint } from '../../rules/linter.ts';
import { escapeForTerminal } from '../../text/hostile.ts';
import type { Invocation } from '../arguments.ts';
import { readDocuments, shipped, sourcesOf } from '../load-host.ts';

type Asked = Extract<Invocation, { verb: 'subgroups lint' }>;

/** @returns status 1 where there is a finding @throws ConfigError for a file that cannot be used */
export async function lintFiles(asked: Asked): Promise<{ output: string; status: 0 | 1 }> {
  const files = asked.files.length > 0 ? await readRuleFiles(asked.files, asked.files) : await configured(asked);
  const rules = readDocuments(files).map((document) => document.rules);
  const places = new Map(
    rules.flatMap((some, i) => some.map((rule) => [rule.name, { file: files[i]!.file, rule }] as const)),
  );
  const findings = lint(rules.flat(), shipped).flatMap(({ rule: name, severity, message }) => {
    const { file, rule } = places.get(name) ?? {};
    if (!file || !rule) return []; // one of the catalogue's; that has tests of its own
    return [{ file, line: rule.line, rule: name, group: rule.group, subgroup: rule.subgroup, severity, message }];
  });
  findings.sort(
    (a, b) =>
      files.findIndex(({ file }) => file === a.file) - files.findIndex(({ file }) => file === b.file) ||
      (a.line ?? 0) - (b.line ?? 0),
  );
  const status = findings.length > 0 ? 1 : 0;
  if (asked.json) return { output: `${JSON.stringify(findings, undefined, 2)}\n`, status };
  const lines = findings.map(({ file, line, group, subgroup, severity, message }) =>
    escapeForTerminal(`${file}:${line ?? 0}: ${severity}: ${group}/${subgroup}: ${message}`),
  );
  const looked = files.map(({ file }) => file).join(', ') || 'no rule file, for none is configured';
  const summary = `${findings.length} findings in ${rules.flat().length} rules of ${looked}`;
  return { output: `${[...lines, escapeForTerminal(summary)].join('\n')}\n`, status };
}

async function configured(asked: Asked) {
  const sources = sourcesOf(asked);
  return loadRuleFiles((await load(sources)).config.subgroups, sources.cwd);
}
