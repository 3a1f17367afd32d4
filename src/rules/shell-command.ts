// What a shell starts, as far as its command line alone says: the one program of `sh -c TEXT`, and the program that a
// start script is named after. The text is not run, and only the simple forms that people write into services and cron
// tables are read:
//   cd /srv/app && exec nginx -g 'daemon off;' > /dev/null 2>&1   →  nginx -g …
//   pg_dump x | gzip > x.gz                                       →  nothing: two programs
import { TITLE_LENGTH_MAX } from './title.ts';

/** Commands that prepare, and start nothing that stays. */
const PREPARES = /^(?:cd|export|set|umask|ulimit|source|\.|sleep|mkdir|rm|chown|chmod|unset|trap|test|\[|true|:|echo)$/;
/** A word that sets a variable for the program behind it, as a shell, env(1) and sudo(8) take such words. */
export const ASSIGNMENT = /^[A-Za-z_]\w*=/;

/** The words of the only program that a text starts; none where it starts several, or nothing. */
export function commandOf(text: string): readonly string[] {
  // What is quoted holds no operators of the shell: it becomes one word.
  const plain = text
    .slice(0, TITLE_LENGTH_MAX)
    .replace(/'[^']*'|"[^"]*"/g, (quoted) => quoted.slice(1, -1).replace(/[\s;|&<>()`$]/g, '_'))
    .replace(/\d?>>?&?\s*\S+|<\s*\S+/g, ' ');
  if (/[|()`]/.test(plain)) return [];
  const commands = plain
    .split(/&&|;|\n|&/)
    .map((command) => withoutPrefix(command.trim().split(/\s+/)))
    .filter(([first = '']) => first !== '' && !PREPARES.test(first));
  return commands.length === 1 ? commands[0]! : [];
}

/** Without variables and `exec`, which stand before the program. */
function withoutPrefix(words: readonly string[]): readonly string[] {
  let at = 0;
  while (at < words.length && (words[at] === 'exec' || ASSIGNMENT.test(words[at]!))) at++;
  return words.slice(at);
}

const EXTENSION = /\.(?:sh|bash|ksh|zsh)$/;
const VERB_BEFORE = /^(?:re)?(?:start|run|launch|exec)[-_.]?(?=[A-Za-z]{3})/;
const VERB_BEHIND =
  /[-_.]?(?:start|run|launch|launcher|starter|service|wrapper|entrypoint|daemon|class|foreground|startup)$/;

/**
 * Names of programs that a start script is called after: "RocketChat" and "rocketchat" of "startRocketChat", "minio" of
 * "minio-run.sh", "kafka-server" and "kafka" of "kafka-server-start.sh".
 */
export function programNamesOf(script: string): string[] {
  if (script.length > TITLE_LENGTH_MAX) return [];
  const stem = script.replace(EXTENSION, '');
  const names = new Set<string>();
  const add = (name: string) => {
    if (name.length < 3 || name === script) return;
    names.add(name);
    names.add(name.toLowerCase());
  };
  add(stem);
  let bare = stem.replace(VERB_BEFORE, '');
  add(bare);
  for (let last = ''; bare !== last; add(bare)) {
    last = bare;
    bare = bare.replace(VERB_BEHIND, '');
  }
  if (bare !== stem) add(bare.replace(/[-_.]server$/, ''));
  return [...names];
}
