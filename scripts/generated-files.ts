// The files that are made from declarations: references in docs/, dashboards, the rules as a Kubernetes object, and the
// numbers of series in pages that are written by hand. generate.ts writes them; test/documents.test.ts compares them with what is committed.
import { boards } from '../deploy/grafana/index.ts';
import { prometheusRule } from '../deploy/kubernetes/prometheus-rule.ts';
import { mixinFiles } from '../deploy/mixin/mixin.ts';
import { switchOf } from '../src/collectors/collector.ts';
import { collectors } from '../src/collectors/index.ts';
import { flagOf, keys, optionOf, variableOf } from '../src/config/options.ts';
import { apiReference } from './api-reference.ts';
import { coverage } from './debian-coverage.ts';
import { manPage } from './man-page.ts';
import { pagesWithSeriesNumbers } from './series-numbers.ts';

/** Every generated file: its path, and the function that makes its text. A new one is a line here. */
export const generatedFiles: readonly { path: string; make(): string }[] = [
  { path: 'docs/configuration.md', make: configuration },
  { path: 'docs/metrics.md', make: metrics },
  { path: 'docs/api.md', make: apiReference },
  { path: 'docs/coverage.md', make: coverage },
  { path: 'deploy/man/herakles-node-exporter.1', make: manPage },
  ...boards,
  prometheusRule,
  ...mixinFiles,
  ...pagesWithSeriesNumbers,
];

function configuration(): string {
  const lines = [
    '# Configuration',
    '',
    '<!-- Made from src/config/options.ts by scripts/generate.ts: change it there. -->',
    '',
    'A value is taken from the last of these that states it:',
    '',
    '1. the default',
    '2. `/etc/herakles/config.yaml`',
    '3. `~/.config/herakles/config.yaml`',
    '4. `./herakles.yaml`',
    '5. the file named by `--config FILE` (`-c`, `--config.file`)',
    '6. the environment, `HERAKLES_` and the key in capitals',
    '7. flags',
    '',
    'Each file may also be named `.yml`, `.json` or `.toml`; two of them side by side are an error. Keys are flat. A list',
    'replaces the list of the source before it. In the environment and in flags its items are separated by commas, and a',
    'flag may be repeated. A number where a duration belongs counts seconds. Relative paths start at the folder of the',
    'file that states them, else at the working directory.',
    '',
    '`config show` prints every value in force and where it came from; `config init` prints a file to start from.',
    'Whatever is not understood (an unknown key or `HERAKLES_` variable, a wrong type, a value out of range, a missing',
    'file that was named) ends the start with status 2 and one message that names every fault, its place and the remedy;',
    'at a reload the configuration in force stays. Variables in which Kubernetes describes a Service named `herakles…`',
    'are passed over.',
    '',
    'A flag of `true or false` takes no value: its `--no-` form says false. `--web.disable-exporter-metrics` says false as well.',
    'Keys marked † take effect at the next start,',
    'all others at a reload.',
  ];
  let heading = '';
  for (const key of keys) {
    const { type, section, help, reloadable, spellings, opposites, default: initial } = optionOf(key);
    if (section !== heading) {
      lines.push('', `## ${section}`, '', '| Key | Takes | Default | Flag | Environment | Meaning |');
      lines.push('|---|---|---|---|---|---|');
    }
    heading = section;
    const value = String(type.write(initial));
    const both = (flag: string) => (type.placeholder ? flag : flag.replace('--', '--[no-]'));
    const flags = [...[flagOf(key), ...spellings].map(both), ...opposites].map((flag) => `\`${flag}\``).join(' ');
    const cells = [
      `\`${key}\`${reloadable ? '' : ' †'}`,
      type.expects,
      value && `\`${value}\``,
      flags,
      `\`${variableOf(key)}\``,
      help,
    ];
    lines.push(`| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`);
  }
  return `${lines.join('\n')}\n`;
}

function metrics(): string {
  const lines = [
    '# Metrics',
    '',
    '<!-- Made from src/collectors by scripts/generate.ts: change it there. -->',
    '',
    'A series is absent where its value is not known: an unknown value is never written as 0. All values are in bytes and seconds.',
    '',
    'Two counters have names that are older than the naming rules; their type in OpenMetrics is `unknown`. They,',
    '`herakles_cpu_group_usage_percent_sum` and `herakles_exporter_processes_total` are the only exceptions to the rules.',
    'In OpenMetrics the family of a counter is named without `_total`, that of an info metric without `_info`.',
  ];
  for (const collector of collectors) {
    const { name, help, families } = collector;
    lines.push('', `## \`${name}\``, '', `${help} Switched by \`${switchOf(collector)}\`.`, '');
    lines.push('| Family | Type | Labels | Meaning |', '|---|---|---|---|');
    for (const { name, type, textType, labels, help } of families) {
      const shown = type === 'unknown' ? `${textType} (OpenMetrics: unknown)` : type;
      lines.push(`| \`${name}\` | ${shown} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`);
    }
  }
  return `${lines.join('\n')}\n`;
}
