// docs/api.md, made from the declarations of the API: the documents with their parameters, and every field.
import { API, type ApiDocument, type DocumentName, documents } from '../src/server/api-v1/documents.ts';
import type { Field } from '../src/server/api-v1/field.ts';
import { schema } from '../src/server/api-v1/schema.ts';

const INTRODUCTION = `# API

<!-- Made from src/server/api-v1 by scripts/generate.ts: change it there. -->

The exporter answers \`GET ${API}…\` with JSON, for people and programs that look at one host now: the page in the browser is
one of them. Prometheus keeps using [the metrics](metrics.md), which say the same numbers of the same collection.

\`\`\`sh
curl --silent --compressed http://localhost:9215/api/v1/groups
\`\`\`

* An answer is of the newest collection, and never begins one. Its number is \`snapshot\`: documents with the same number fit
  together. Before the first collection has succeeded the status is 503.
* A field is absent where its value is not known; it is never 0 then. \`null\` is only in series: no value at that time.
  New fields may come; what a field means does not change.
* \`ETag\` names the collection, the start of the exporter and its last reload. A request with \`If-None-Match\` is answered
  with 304 while nothing but ages has changed.
* Passwords, TLS, limits and the check of the host name are those of all other pages. \`Accept-Encoding: gzip\` is honoured.
* A parameter that is not listed here, and a value that is not allowed, are answered with 400 and a sentence that says what is.
* No command line is in any document. User, unit, container, executable and rule of a process need \`process_info\`.
* Processes without series of their own, because of \`per_process\`, \`max_processes\`, \`min_uss_kb\` or \`max_series\`, are in the
  documents: these settings limit series. Processes that are hidden by name are in none: \`include_names\`, \`exclude_names\`,
  \`search_mode\` and \`disable_others\` say what may be seen. Sums of groups have all of them, as in the metrics.
* History and events reach back as far as \`history\` says, and no further than the start of the exporter: a reload keeps them, a
  restart does not. The largest processes of each subgroup have a history.
`;

const escaped = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');

export function apiReference(): string {
  const sections = Object.entries(documents).map(([name, document]) =>
    section(document, Object.entries(schema[name as DocumentName])),
  );
  return [INTRODUCTION, ...sections].join('\n');
}

function section({ path, help, parameters }: ApiDocument, fields: readonly [name: string, field: Field][]): string {
  const lines = [`## \`GET ${path}\``, '', help, ''];
  if (Object.keys(parameters).length > 0) {
    lines.push('| Parameter | Takes | Meaning |', '|---|---|---|');
    for (const [name, { takes, meaning }] of Object.entries(parameters))
      lines.push(`| \`${name}\` | ${escaped(takes)} | ${escaped(meaning)} |`);
    lines.push('');
  }
  lines.push('| Field | Type | Meaning |', '|---|---|---|');
  for (const [name, field] of fields) lines.push(...rowsOf(name, field));
  return `${lines.join('\n')}\n`;
}

function rowsOf(name: string, field: Field): string[] {
  const { kind, optional, values, meaning, fields, item } = field;
  const list = kind === 'list' ? '[]' : '';
  const inner = kind === 'list' && item?.kind === 'object' ? item : field;
  const type = kind === 'list' ? `list of ${typeOf(item!)}` : typeOf(field);
  const what = values.length > 0 ? `${meaning} One of ${values.map((value) => `\`${value}\``).join(', ')}.` : meaning;
  const rows = Object.entries(inner === field ? fields : inner.fields);
  return [
    `| \`${name}${list}\` | ${type}${optional ? ', may be absent' : ''} | ${escaped(what)} |`,
    ...rows.flatMap(([child, declared]) => rowsOf(`${name}${list}.${child}`, declared)),
  ];
}

function typeOf({ kind, item, nullable }: Field): string {
  const of = { text: 'text', number: 'number', flag: 'true or false', object: 'object', list: 'list', map: 'object' };
  const inner = kind === 'list' || kind === 'map' ? ` of ${typeOf(item!)}` : '';
  return `${of[kind]}${inner}${nullable ? ' or null' : ''}`;
}
