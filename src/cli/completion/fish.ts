// Completion for fish 3 and newer (fish's documentation, "complete").
import { program } from '../program.ts';
import type { Completed, KnownFlag, KnownWords } from './known-words.ts';

const quoted = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`;

/** -x: a value that is no file; -F: a file; nothing: no value. */
const valuePart = (value: Completed | undefined): string =>
  value === undefined ? '' : value === 'file' ? ' -rF' : value === 'text' ? ' -x' : ` -xa ${quoted(value.join(' '))}`;

export function fishCompletion(known: KnownWords): string {
  const name = program.name;
  const lines: string[] = [];
  const add = (condition: string, rest: string): void => {
    lines.push(`complete -c ${name} -n ${quoted(condition)} ${rest}`);
  };
  const addFlag = (condition: string, { spellings, help, value }: KnownFlag): void => {
    const words = spellings.map((one) => (one.startsWith('--') ? `-l ${one.slice(2)}` : `-s ${one.slice(1)}`));
    add(condition, `${words.join(' ')}${valuePart(value)} -d ${quoted(help)}`);
  };
  for (const command of known.commands) {
    const at = `__herakles_is ${quoted(command.name)}`;
    for (const { word, summary } of known.next(command.name)) add(at, `-a ${word} -d ${quoted(summary)}`);
    for (const flag of command.flags) addFlag(at, flag);
    if (command.operand && command.operand !== 'text')
      add(at, command.operand === 'file' ? '-F' : `-a ${quoted(command.operand.join(' '))}`);
  }
  const without = known.commands.filter(({ takesSettings }) => !takesSettings).map((command) => quoted(command.name));
  for (const flag of known.settings) addFlag(`not __herakles_is ${without.join(' ')}`, flag);
  const verbs = known.commands.flatMap((command) => (command.name ? [quoted(command.name)] : []));
  return `# Completion of ${name} for fish; made by "${name} completion fish".
function __herakles_is -d 'Whether the command line so far is one of these commands'
    set -l command ''
    set -l previous ''
    for word in (commandline -opc)[2..-1]
        set -l longer (string trim -- "$command $word")
        if not contains -- "$previous" ${known.valueFlags.flatMap(({ spellings }) => spellings).join(' ')}
            and contains -- "$longer" ${verbs.join(' ')}
            set command $longer
        end
        set previous $word
    end
    contains -- "$command" $argv
end

complete -c ${name} -f
${lines.join('\n')}
`;
}
