// Completion for bash 4 and newer, without the package bash-completion (bash(1), "Programmable Completion").
import { program } from '../program.ts';
import type { Completed, KnownFlag, KnownWords } from './known-words.ts';

/** The variable `values` holds words to choose from, or this for a file. */
const FILE = '@file';

const valuesOf = (value: Completed): string => (value === 'file' ? FILE : value === 'text' ? '' : value.join(' '));
const spellings = (flags: readonly KnownFlag[]): string => flags.flatMap((flag) => flag.spellings).join(' ');

export function bashCompletion(known: KnownWords): string {
  const name = program.name;
  const fn = `_${name.replaceAll('-', '_')}`;
  const afterFlag = known.valueFlags.map(
    ({ spellings, value }) => `    ${spellings.join('|')}) values='${valuesOf(value)}' ;;`,
  );
  const ofCommand = known.commands.map(({ name, flags, takesSettings, operand }) => {
    const words = [...known.next(name).map(({ word }) => word), ...(operand ? [valuesOf(operand)] : [])].join(' ');
    return `    '${name}') values='${words}' flags="${takesSettings ? '$settings ' : ''}${spellings(flags)}" ;;`;
  });
  return `# Completion of ${name} for bash; made by "${name} completion bash".
${fn}_value() {
  # What stands behind a flag; fails where the flag takes no value.
  case $1 in
${[...new Set(afterFlag)].join('\n')}
    *) return 1 ;;
  esac
}

${fn}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} command='' word flags values i
  local settings='${spellings(known.settings)}'
  # bash takes --flag=value apart into three words.
  [[ $prev == = ]] && prev=\${COMP_WORDS[COMP_CWORD - 2]}
  [[ $cur == = ]] && cur=''
  if ! ${fn}_value "$prev"; then
    for ((i = 1; i < COMP_CWORD; i++)); do
      word=\${COMP_WORDS[i]}
      if ${fn}_value "$word"; then
        [[ \${COMP_WORDS[i + 1]} == = ]] && ((i++))
        ((i++))
        continue
      fi
      case "\${command:+$command }$word" in
        ${known.commands.flatMap(({ name }) => (name ? [`'${name}'`] : [])).join('|')}) command="\${command:+$command }$word" ;;
      esac
    done
    case $command in
${ofCommand.join('\n')}
    esac
    [[ $cur == -* ]] && values=$flags
  fi
  if [[ $values == ${FILE} ]]; then
    compopt -o filenames
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
  else
    mapfile -t COMPREPLY < <(compgen -W "$values" -- "$cur")
  fi
}

complete -F ${fn} ${name}
`;
}
