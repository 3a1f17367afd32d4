// The manual page herakles-node-exporter(1), from the table of settings and the list of verbs (man(7), groff_man(7)).
import { readFileSync } from 'node:fs';
import { program, VERSION_HELP } from '../src/cli/program.ts';
import type { Verb, VerbGroup } from '../src/cli/verb.ts';
import { verbs } from '../src/cli/verbs.ts';
import { flagsOf, keys, noFlagsOf, optionOf, variableOf } from '../src/config/options.ts';

const { version, description } = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url).pathname, 'utf8'),
) as { version: string; description: string };

/** Text for roff: what is typed keeps its hyphens, and no line begins with a request. */
const roff = (text: string): string =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('…', '...')
    .replace(/^([.'])/gm, '\\&$1');
const bold = (text: string): string => `\\fB${roff(text)}\\fR`;
const italic = (text: string): string => `\\fI${roff(text)}\\fR`;
const paragraph = (head: string, ...body: readonly string[]): string[] => ['.TP', head, ...body];

export function manPage(): string {
  const lines = [
    '.\\" Made by scripts/generate.ts from the table of options and the list of commands: change it there.',
    `.TH ${roff(program.name.toUpperCase())} 1 "" "${roff(`${program.name} ${version}`)}" "User Commands"`,
    '.SH NAME',
    `${roff(program.name)} \\- ${roff(description)}`,
    '.SH SYNOPSIS',
    `.B ${roff(program.name)}`,
    '.RI [ command ]\n.RI [ option ...]',
    '.SH DESCRIPTION',
    'Without a command the program serves metrics to Prometheus, by default at http://localhost:9215/metrics:',
    roff(
      'memory and CPU of each process and of each group of processes. A value that may not be read is absent, never 0;',
    ),
    `${bold(`${program.name} check`)} says what this user may read, and which capability gives the rest.`,
    '.SH COMMANDS',
    ...verbs.flatMap(command),
    ...paragraph(`${bold('help')} [${italic('command')}]`, 'Print the help of a command.'),
    '.SH OPTIONS',
    'Options are settings: each can also stand in a configuration file, under its name with underscores and without the',
    roff('leading hyphens, or in the environment. In lists, items are separated by commas, or the option is repeated.'),
    ...paragraph(
      `${bold('-c')}, ${bold('--config')}, ${bold('--config.file')} ${italic('FILE')}`,
      'Configuration file that wins over the files in the usual places.',
    ),
    ...paragraph(`${bold('-h')}, ${bold('--help')}`, 'Print help; after a command, the help of that command.'),
    ...paragraph(bold('--version'), roff(VERSION_HELP)),
    ...settings(),
    ...ENDING,
  ];
  return `${lines.join('\n')}\n`;
}

function command(verb: Verb | VerbGroup): string[] {
  const { name, summary } = verb;
  if (!('run' in verb)) return paragraph(bold(name), roff(summary));
  const operands = (verb.arguments ?? []).map(({ name, count }) => {
    const shown = italic(name);
    return { one: shown, optional: `[${shown}]`, list: `[${shown} ...]` }[count];
  });
  const lines = paragraph([bold(name), ...operands].join(' '), roff(summary));
  for (const { name, count, help } of verb.arguments ?? [])
    if (count !== 'one' || !name.includes('|')) lines.push('.RS', ...paragraph(italic(name), roff(help)), '.RE');
  for (const { name, short, placeholder, default: initial, help } of verb.options ?? []) {
    const flags = [...(short ? [bold(short)] : []), bold(name)].join(', ');
    const value = placeholder ? ` ${italic(placeholder)}` : '';
    lines.push('.RS', ...paragraph(flags + value, roff(initial ? `${help} Default: ${initial}.` : help)), '.RE');
  }
  return lines;
}

function settings(): string[] {
  const lines: string[] = [];
  let heading = '';
  for (const key of keys) {
    const { type, section, help, reloadable, default: initial } = optionOf(key);
    if (section !== heading) lines.push(`.SS ${roff(section)}`);
    heading = section;
    const flags = [...flagsOf(key), ...(type.placeholder ? [] : noFlagsOf(key))].map(bold).join(', ');
    const value = String(type.write(initial));
    const notes = [
      ...(value ? [`Default: ${roff(value)}.`] : []),
      ...(reloadable ? [] : ['It takes effect at the next start.']),
      `Environment: ${bold(variableOf(key))}.`,
    ];
    lines.push(...paragraph(type.placeholder ? `${flags} ${italic(type.placeholder)}` : flags, roff(help), ...notes));
  }
  return lines;
}

const ENDING = [
  '.SH ENVIRONMENT',
  roff('Each setting is also a variable: HERAKLES_ and its name in capitals, such as HERAKLES_PORT for --port.'),
  '.SH FILES',
  roff(
    'A later file wins over an earlier one, the environment over files, options over all. Each may also end in .yml, .json',
  ),
  'or .toml.',
  ...['/etc/herakles/config.yaml', '~/.config/herakles/config.yaml', './herakles.yaml', '--config FILE'].flatMap(
    (path) => ['.TP', italic(path), 'Configuration.'],
  ),
  ...['/etc/herakles/subgroups.toml', './subgroups.toml'].flatMap((path) => [
    '.TP',
    italic(path),
    'Rules of this host, which decide before the rules that ship with the program.',
  ]),
  '.SH SIGNALS',
  ...paragraph(
    bold('SIGHUP'),
    'Load the configuration and the rules again. If they have a fault, those in force stay.',
  ),
  ...paragraph(`${bold('SIGTERM')}, ${bold('SIGINT')}`, 'Answer the requests in flight, and end.'),
  '.SH EXIT STATUS',
  ...paragraph(bold('0'), 'Done.'),
  ...paragraph(bold('1'), 'What is asked for cannot be had or written, or the answer is no.'),
  ...paragraph(bold('2'), 'What is given is wrong: the command line, the configuration or a rule file.'),
  ...paragraph(bold('141'), 'Nobody reads the output any more.'),
  '.SH SEE ALSO',
  '.BR proc (5),',
  '.BR capabilities (7),',
  '.BR systemd.service (5)',
];
