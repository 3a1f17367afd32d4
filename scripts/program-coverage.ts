// Makes the part of docs/coverage.md about container images and programs. catalogue/programs.tsv has what runs in each of them
// and where an operator looks for it, written by hand; the rules of the catalogue decide where it lands. A line has four columns:
//
//   list   name   group/subgroup   the process: [comm=NAME] [exe=PATH] and its command line
//   list   name   why no process of it stays
//
// The command line is divided at spaces. In double quotes it is one argument, as programs write that set their title.
import { readFileSync } from 'node:fs';
import { type Identity, UNCLASSIFIED, UNKNOWN_IDENTITY } from '../src/rules/identity.ts';
import { baseName } from '../src/rules/interpreter.ts';
import { shippedClassifier } from './shipped-rules.ts';

/** The lists of programs.tsv, in the order of the document. */
export const PROGRAM_LISTS = {
  docker: 'Official images of Docker Hub',
  bitnami: 'Images of Bitnami',
  registry: 'Other images',
  cncf: 'Graduated and incubating projects of the CNCF',
  program: 'Programs that people host themselves',
} as const;

export interface CoveredProgram {
  readonly list: keyof typeof PROGRAM_LISTS;
  readonly name: string;
  /** The process as the file has it; '' where none stays. */
  readonly process: string;
  /** Where an operator looks for it, "web/nginx"; '' where no process stays. */
  readonly expected: string;
  /** Where the rules put it: "other/other" where none matches. */
  readonly group: string;
  /** Why no process of it stays; '' for a daemon. */
  readonly reason: string;
}

/** Every line of the file with what the catalogue says of it, in the order of the file. */
export function coveredPrograms(): CoveredProgram[] {
  const text = readFileSync(new URL('../catalogue/programs.tsv', import.meta.url), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line, index) => {
      const [list = '', name = '', place = '', process = ''] = line.split('\t');
      if (!Object.hasOwn(PROGRAM_LISTS, list) || name === '' || place.includes('/') !== (process !== ''))
        throw new Error(
          `catalogue/programs.tsv:${index + 1}: give a list, a name, and a group with a process or a reason`,
        );
      const known = { list: list as CoveredProgram['list'], name, process };
      if (process === '') return { ...known, expected: '', group: '', reason: place };
      const { group, subgroup } = shippedClassifier.classify(identityOf(process));
      return { ...known, expected: place, group: `${group}/${subgroup}`, reason: '' };
    });
}

/** How many lines of a list are processes that stay, and how many of these a rule names, by its runtime or by more. */
export function sharesOf(list: keyof typeof PROGRAM_LISTS, programs: readonly CoveredProgram[]) {
  const processes = programs.filter((each) => each.list === list && each.reason === '');
  const named = processes.filter(({ group }) => group !== WITHOUT_RULE);
  const byRuntime = named.filter(({ group }) => group.startsWith('runtime/'));
  return { processes: processes.length, named: named.length, byRuntime: byRuntime.length };
}

/** The sections of docs/coverage.md, one for each list, with a table of its shares before them. */
export function programSections(): string[] {
  const programs = coveredPrograms();
  const lists = Object.entries(PROGRAM_LISTS) as [keyof typeof PROGRAM_LISTS, string][];
  const shares = lists.map(([list, title]) => {
    const { processes, named, byRuntime } = sharesOf(list, programs);
    const names = new Set(programs.filter((each) => each.list === list).map(({ name }) => name)).size;
    const percent = ((100 * named) / processes).toFixed(1);
    return `| ${title} | ${names} | ${processes} | ${named} | ${percent} % | ${byRuntime} |`;
  });
  const sections = lists.flatMap(([list, title]) => [
    `## ${title}`,
    '',
    '| Name | Process | Group |',
    '|---|---|---|',
    ...programs.filter((each) => each.list === list).map(rowOf),
    '',
  ]);
  return [...INTRODUCTION, ...shares, '', ...sections];
}

const INTRODUCTION = [
  'The processes are written down by hand, as the images and packages are known to start them; they were not run for this table.',
  'A process in a group of `runtime` is named by its interpreter only: its command line, such as `node server.js`, does not say',
  'which program it is. Give such a service a rule of your own, by its unit or container.',
  '',
  '| List | Names | Processes | Named | Share | Of these by runtime |',
  '|---|---|---|---|---|---|',
];

function rowOf({ name, process, group, reason }: CoveredProgram): string {
  const shown = process.length > COMMAND_SHOWN ? `${process.slice(0, COMMAND_SHOWN)} …` : process;
  const what = group === WITHOUT_RULE ? `no rule: ${group}` : group || reason;
  return `| ${name} | ${shown === '' ? '' : `\`${shown.replaceAll('|', '\\|')}\``} | ${what} |`;
}

/** How much of a command line the document shows. */
const COMMAND_SHOWN = 70;
/** Where a process lands that no rule matches. */
const WITHOUT_RULE = `${UNCLASSIFIED.group}/${UNCLASSIFIED.subgroup}`;

/** The process that a line describes. Its comm is the base name of its first argument, unless the line gives one. */
function identityOf(process: string): Identity {
  const [, comm = '', exe = '', command = ''] = /^(?:comm=(.*?) (?=exe=|[./"\w@-]))?(?:exe=(\S+) )?(.*)$/.exec(
    process,
  )!;
  const argv = command.startsWith('"') ? [command.slice(1, -1)] : command.split(' ');
  const name = comm || baseName(argv[0]!).slice(0, 15);
  return { ...UNKNOWN_IDENTITY, name, exe, argv };
}
