// Makes the generated files of the monitoring mixin from the rules and dashboards that ship. What a user of the mixin may
// change becomes an expression in `_config`: selector, job, cluster, runbook, and of each alert threshold, duration and
// severity. Nothing is listed here: a new alert or dashboard is in the mixin after `npm run generate`.
import { readdirSync, readFileSync } from 'node:fs';
import { parse, parseDocument, type YAMLMap, type YAMLSeq } from 'yaml';
import { boards } from '../grafana/index.ts';

type Rule = {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
};
type Group = { readonly name: string; readonly rules: readonly Rule[] };
/** A group, with the comments that stand before it and before its rules. */
type Commented = { readonly group: Group; readonly before: string; readonly ruleComments: readonly string[] };

const prometheus = new URL('../prometheus/', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, prometheus), 'utf8');

const HEADER =
  '// Made from deploy/prometheus and deploy/grafana by scripts/generate.ts: change it there.\n' +
  '// To use it, import mixin.libsonnet; docs/alerting.md shows how.\n';

const ruleFiles = readdirSync(new URL('rules/', prometheus)).filter((name) => name.endsWith('.yml'));
const files = ruleFiles.sort().map((name) => commentedGroups(read(`rules/${name}`)));
const job: string = parse(read('prometheus.yml')).scrape_configs[0].job_name;

/** For scripts/generate.ts: the files of the mixin that are generated. */
export const mixinFiles: readonly { readonly path: string; make(): string }[] = [
  { path: 'deploy/mixin/config.libsonnet', make: config },
  { path: 'deploy/mixin/rules.libsonnet', make: rules },
  { path: 'deploy/mixin/dashboards.libsonnet', make: dashboards },
];

function commentedGroups(text: string): Commented[] {
  const nodes = (parseDocument(text).get('groups') as YAMLSeq<YAMLMap>).items;
  return (parse(text).groups as Group[]).map((group, index) => {
    const node = nodes[index]!;
    const inside = node.get('rules') as YAMLSeq<YAMLMap>;
    const comment = (one: YAMLMap, first: string | null | undefined) => one.commentBefore ?? first ?? '';
    const ruleComments = inside.items.map((rule, at) => comment(rule, at === 0 ? inside.commentBefore : ''));
    return { group, before: node.commentBefore ?? '', ruleComments };
  });
}

const indent = (text: string, by: number): string => text.replace(/^(?=.)/gm, ' '.repeat(by));
const comment = (text: string): string => (text === '' ? '' : `${text.replace(/^/gm, '//')}\n`);

/** A string of jsonnet; one of several lines becomes a block. */
function quote(text: string): string {
  if (text.includes('\n')) return `|||\n${indent(text, 2)}|||`;
  const quoted = text.replaceAll('\\', '\\\\');
  return text.includes("'") && !text.includes('"') ? `"${quoted}"` : `'${quoted.replaceAll("'", "\\'")}'`;
}

/** A key of an object of jsonnet; `for` is a word of the language. */
const keyOf = (name: string): string => (/^[a-zA-Z_]\w*$/.test(name) && name !== 'for' ? name : quote(name));
const member = (name: string): string => (keyOf(name) === name ? `.${name}` : `[${quote(name)}]`);

/** A number with which something is compared, and with which nothing else is done; not 0, which asks whether there is any. */
const THRESHOLD =
  /(?<=(?:[<>]=?|[=!]=)\s+(?:bool\s+)?)(?!0+(?:\.0+)?(?![\d.]))\d+(?:\.\d+)?(?=\s*(?:\)|$|\n|(?:and|or|unless)\b))/;

const thresholdOf = ({ expr }: Rule): string | undefined => THRESHOLD.exec(expr)?.[0];

/** The expression of jsonnet that makes this text: what `_config` decides is filled in. */
function filled(text: string, replace: (escaped: string) => string): string {
  const escaped = text.replaceAll('%', '%%');
  const made = replace(escaped);
  if (made === escaped) return quote(text);
  return `${quote(made)} % ${made.includes('%(threshold)') ? '(words + own)' : 'words'}`;
}

const expression = (text: string): string =>
  filled(text, (escaped) =>
    escaped
      .replace(THRESHOLD, '%(threshold).12g')
      .replaceAll(job, '%(job)s')
      .replaceAll(/\b(?:herakles_\w+|up)\b(\{?)/g, (name, brace) => `${name}${brace ? '%(andMore)s' : '%(alone)s'}`)
      .replaceAll(/\b(by|on) \((?=\w)/g, '$1 (%(cluster)s'),
  );

const annotation = (text: string): string =>
  filled(text, (escaped) =>
    escaped
      .replaceAll(job, '%(job)s')
      .replaceAll('http://{{', '%(scheme)s://{{')
      .replaceAll('"{job=%%q,', '"{%(clusterMatcher)sjob=%%q,')
      .replaceAll(' $labels.job ', ' %(clusterValue)s$labels.job '),
  );

/** The place in `_config` of what can be changed in a rule, as a list of names. */
const placeOf = ({ alert, record, labels }: Rule): string[] =>
  alert ? ['alerts', alert, labels?.severity ?? 'none'] : ['records', record!];

/** Names and values in jsonnet of what can be changed in a rule. */
function changeable(rule: Rule): [string, string][] {
  const threshold = thresholdOf(rule);
  const found: [string, string | undefined][] = [
    ['threshold', threshold],
    ['for', rule.for && quote(rule.for)],
    ['severity', rule.labels?.severity && quote(rule.labels.severity)],
  ];
  return found.flatMap(([name, value]) => (value ? [[name, value]] : []));
}

function ruleText(rule: Rule): string {
  const { alert, record, expr, for: pending, labels = {}, annotations = {}, ...others } = rule;
  const lines = changeable(rule).length > 0 ? [`local own = config${placeOf(rule).map(member).join('')},`] : [];
  if (alert) lines.push(`alert: ${quote(alert)},`);
  if (record) lines.push(`record: ${quote(record)},`);
  lines.push(`expr: ${expression(expr)},`);
  if (pending) lines.push("'for': own['for'],");
  for (const [name, value] of Object.entries(others)) lines.push(`${keyOf(name)}: ${JSON.stringify(value)},`);
  const fields = (entries: [string, string][]) =>
    entries.map(([name, value]) => `  ${keyOf(name)}: ${value},`).join('\n');
  const labelled = Object.entries(labels).map(([name, value]): [string, string] => {
    return [name, name === 'severity' ? 'own.severity' : quote(value)];
  });
  if (labelled.length > 0) lines.push('labels: {', fields(labelled), '},');
  const told = Object.entries(annotations).map(([name, value]): [string, string] => {
    const anchor = value.slice(value.lastIndexOf('#'));
    return [name, name === 'runbook_url' ? `runbook(${quote(anchor)}, ${annotation(value)})` : annotation(value)];
  });
  if (told.length > 0) lines.push('annotations: {', fields(told), '},');
  return `{\n${indent(lines.join('\n'), 2)}\n},\n`;
}

function groupText({ group, before, ruleComments }: Commented): string {
  const { name, rules, ...others } = group;
  const lines = Object.entries(others).map(([key, value]) => `${keyOf(key)}: ${quote(String(value))},\n`);
  const inside = rules.map((rule, index) => comment(ruleComments[index]!) + ruleText(rule)).join('');
  const text = `name: ${quote(name)},\n${lines.join('')}rules: [\n${indent(inside, 2)}],\n`;
  return `${comment(before)}{\n${indent(text, 2)}},\n`;
}

function rules(): string {
  const alerting = (groups: readonly Commented[]) => groups.some(({ group }) => group.rules.some(({ alert }) => alert));
  const field = (name: string, groups: readonly Commented[]) =>
    `${name}+:: {\n  groups+: [\n${indent(groups.map(groupText).join(''), 4)}  ],\n},\n`;
  const fields = [
    field('prometheusAlerts', files.filter(alerting).flat()),
    field('prometheusRules', files.filter((groups) => !alerting(groups)).flat()),
  ];
  return `${HEADER}{
  local config = $._config.herakles,
  // What is filled into expressions and annotations: matchers that stand alone or before others, and labels.
  local cluster = config.clusterLabel,
  local words = {
    alone: if config.selector == '' then '' else '{' + config.selector + '}',
    andMore: if config.selector == '' then '' else config.selector + ', ',
    cluster: if cluster == '' then '' else cluster + ', ',
    clusterMatcher: if cluster == '' then '' else cluster + '=%q,',
    clusterValue: if cluster == '' then '' else '$labels.' + cluster + ' ',
    job: config.job,
    scheme: config.scheme,
  },
  local runbook(anchor, shipped) = if config.runbookUrl == null then shipped else config.runbookUrl + anchor,

${indent(fields.join('\n'), 2)}}
`;
}

function config(): string {
  const { refresh, timezone } = JSON.parse(boards[0]!.make());
  const places = new Map<string, string>();
  for (const rule of files.flat().flatMap(({ group }) => group.rules)) {
    const values = changeable(rule).map(([name, value]) => `${keyOf(name)}: ${value}`);
    if (values.length === 0) continue;
    const [kind, name, severity] = placeOf(rule) as [string, string, string?];
    const text = severity ? `    ${keyOf(severity)}: { ${values.join(', ')} },\n` : '';
    const key = `${kind} ${name}`;
    places.set(key, (places.get(key) ?? '') + (severity ? text : `    ${values.join(', ')},\n`));
  }
  const listed = (kind: string): string =>
    [...places]
      .filter(([key]) => key.startsWith(`${kind} `))
      .map(([key, text]) => `  ${keyOf(key.slice(kind.length + 1))}: {\n${text}  },\n`)
      .join('');
  const text = `// Matchers of all series of the exporter, such as 'job="herakles-proc-mem", env="production"'. Empty: every series.
selector: '',
// The job of the exporters in Prometheus.
job: ${quote(job)},
// The label by which Prometheus tells clusters apart, where it has several. Empty: it has no such label.
clusterLabel: '',
// http or https: how people reach the exporters, which serve the runbook of each alert.
scheme: 'http',
// The address of your own copy of docs/alerting.md. null: the page /runbooks of the exporter.
runbookUrl: null,
// Tags are added to the tag "herakles", by which the dashboards link to each other.
dashboards: { refresh: ${quote(refresh)}, timezone: ${quote(timezone)}, tags: [] },
// Of each alert, by its severity: the number with which its expression compares, how long that must last, the severity.
alerts: {
${listed('alerts')}},
// Of recording rules that count what is above a number: that number.
records: {
${listed('records')}},
`;
  return `${HEADER}{\n  // Mixins that are used together share _config: so everything is under a name of its own.\n  _config+:: {\n    herakles+: {\n${indent(text, 6)}    },\n  },\n}\n`;
}

function dashboards(): string {
  const lines = boards.map(({ path }) => {
    const file = path.replace(/^deploy\//, '../');
    return `    ${quote(file.slice(file.lastIndexOf('/') + 1))}: board(import ${quote(file)}),\n`;
  });
  return `${HEADER}{
  local config = $._config.herakles,
  // Data links lead to the pages of the exporters, so they depend on the scheme.
  local linked(value) =
    if std.isObject(value) then std.mapWithKey(function(_, inner) linked(inner), value)
    else if std.isArray(value) then std.map(linked, value)
    else if std.isString(value) && std.startsWith(value, 'http://\${') then config.scheme + value[4:]
    else value,
  local board(made) = linked(made) + {
    refresh: config.dashboards.refresh,
    timezone: config.dashboards.timezone,
    tags+: config.dashboards.tags,
  },

  grafanaDashboards+:: {
${lines.join('')}  },
}
`;
}
