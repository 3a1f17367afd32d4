// Completion for zsh 5 and newer, through _arguments (zshcompsys(1), "Completion Functions").
import { program } from '../program.ts';
import type { Completed, KnownCommand, KnownFlag, KnownWords } from './known-words.ts';

/** A text between single quotes. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
/** In a specification of _arguments, and in a list of _describe, a colon ends a part; brackets end a help text. */
const plain = (text: string): string => text.replace(/[\\:[\]]/g, '\\$&');

const action = (value: Completed): string =>
  value === 'file' ? 'file:_files' : value === 'text' ? 'value: ' : `value:(${value.join(' ')})`;

/** One specification for each spelling. The spellings exclude each other, unless the flag may be repeated. */
const specs = (flags: readonly KnownFlag[]): string[] =>
  flags.flatMap(({ spellings, help, value }) =>
    spellings.map((spelling) => {
      const mark = value === undefined ? '' : spelling.startsWith('--') ? '=' : '+';
      return `    ${quoted(`${spelling}${mark}[${plain(help)}]${value === undefined ? '' : `:${action(value)}`}`)}`;
    }),
  );

function branch({ name, flags, takesSettings, operand }: KnownCommand, known: KnownWords): string {
  const words = known.next(name).map(({ word }) => word);
  const own = [
    ...(takesSettings ? ['    $settings'] : []),
    ...specs(flags),
    ...(words.length > 0 ? [`    ${quoted(`:command:(${words.join(' ')})`)}`] : []),
    ...(operand && operand !== 'text' ? [`    ${quoted(`*:${action(operand)}`)}`] : []),
  ];
  return `    ${quoted(name)}) _arguments -s -S : \\\n${own.map((line) => `  ${line}`).join(' \\\n')} ;;`;
}

export function zshCompletion(known: KnownWords): string {
  const name = program.name;
  const fn = `_${name}`;
  const verbs = known.next('').map(({ word, summary }) => `    ${quoted(`${word}:${summary}`)}`);
  const [root, ...others] = known.commands as [KnownCommand, ...KnownCommand[]];
  const groups = others.filter((command) => known.next(command.name).length > 0).map((command) => quoted(command.name));
  return `#compdef ${name}
# Completion of ${name} for zsh; made by "${name} completion zsh".
${fn}() {
  local context state line command second
  typeset -A opt_args
  local -a settings verbs
  settings=(
${specs(known.settings).join('\n')}
  )
  verbs=(
${verbs.join('\n')}
  )
  _arguments -C -s -S : $settings \\
${specs(root.flags).join(' \\\n')} \\
    '1: :->verb' \\
    '*:: :->rest' && return
  if [[ $state == verb ]]; then
    _describe command verbs
    return
  fi
  # The words begin at the verb here. A verb of two words is one where its second word is complete.
  command=$words[1]
  case $command in
    ${groups.join('|')})
      second=$words[2]
      if (( CURRENT > 2 )) && [[ " ${others.map(({ name }) => name.replace(' ', '/')).join(' ')} " == *" $command/$second "* ]]; then
        command="$command $second"
        shift words
        (( CURRENT-- ))
      fi ;;
  esac
  case $command in
${others.map((command) => branch(command, known)).join('\n')}
  esac
}

if [[ $funcstack[1] == ${fn} ]]; then
  ${fn} "$@"
else
  compdef ${fn} ${name}
fi
`;
}
