// Makes a command line fit to be shown: what looks like a secret becomes "***". Used wherever an operator asks for
// command lines; nowhere else do they leave the program.

const HIDDEN = '***';

/** Words in the name of a flag or variable that say its value is a secret. */
const SECRET_NAME =
  /pass(?:w(?:or)?d|phrase)?$|passw|secret|token|api[-_.]?key|(?:access|private|account|encryption|master|shared|signing)[-_.]?key|auth(?!or(?!i))|credential|cookie|session[-_.]?(?:id|key)|(?:^|[-_.])(?:pw|pwd|psk|key)$|dsn$|salt$|signature/i;

/** Secrets that only their program gives away. It may stand behind others: `sudo`, `docker exec`, `timeout`. */
interface Habit {
  readonly program: RegExp;
  /** What stands in front of a secret in the same argument. */
  readonly glued?: RegExp;
  /** Arguments whose next one is a secret. */
  readonly next?: RegExp;
  /** Arguments behind which all but flags are secrets. */
  readonly rest?: RegExp;
}

const HABITS: readonly Habit[] = [
  { program: /^(?:mysql|mariadb|mariabackup|xtrabackup)/, glued: /^-p(?=.)/ },
  { program: /^(?:mysqladmin|mariadb-admin)$/, rest: /^password$/ },
  { program: /^(?:mongo\w*|sshpass|mydumper|myloader|cqlsh|login)$/, glued: /^-p(?=.)/, next: /^-p$/ },
  {
    program: /^curl$/,
    glued: /^-[sSfkLivgI#]*u(?=.)/,
    next: /^-[sSfkLivgI#]*[uUbE]$|^--(?:proxy-)?user$|^--cert$/,
  },
  { program: /^(?:wget|etcdctl|lftp)$/, glued: /^--user=/, next: /^-u$|^--user$/ },
  {
    program: /^(?:redis|valkey|keydb)-cli$/,
    glued: /^-a(?=.)/,
    next: /^-a$/,
    rest: /^(?:auth|requirepass|masterauth)$/i,
  },
  { program: /^ldap\w*$/, glued: /^-w(?=.)/, next: /^-w$/ },
  { program: /^rabbitmqctl$/, rest: /^(?:add_user|change_password|authenticate_user)$/ },
  { program: /^(?:smbclient|rpcclient|smbcacls|net|wbinfo)$/, glued: /^-U(?=.)|^--user=/, next: /^-U$|^--user$/ },
  { program: /^samba-tool$/, glued: /^-U(?=.)/, next: /^-U$/, rest: /^(?:create|add|setpassword)$/ },
  { program: /^htpasswd$/, rest: /^-\w{0,9}b\w{0,9}$/ },
  { program: /^(?:zip|unzip|ipmitool|sqlcmd|mosquitto_\w+)$/, glued: /^-P(?=.)/, next: /^-P$|^--pw$/ },
  { program: /^(?:7z[ar]?|rar|unrar)$/, glued: /^-h?p(?=.)/ },
  { program: /^openssl$/, next: /^-[kK]$/ },
  { program: /^snmp(?!d)\w*$/, glued: /^-[cAX](?=.)/, next: /^-[cAX]$/ },
  { program: /^(?:nsupdate|dig)$/, next: /^-y$/ },
  { program: /^(?:sqlplus|rman|expdp|impdp|sqlldr)$/, glued: /^[^/\s@]{1,99}\/(?=[^/])/ },
  { program: /^qemu/, glued: /^secret,(?:.{0,99},)?data=/ },
];

// Command lines are hostile and long: no pattern looks far ahead from many places.
const URL_CREDENTIALS = /\b([a-z][a-z0-9+.-]{0,30}:\/\/)[^/\s]{0,2000}@/gi;
/** JSON web tokens, keys of well-known services, and long random words behind Bearer or Basic. */
const TOKENS =
  /(?<![\w-])eyJ[\w-]{8,}\.[\w-]+\.[\w-]*|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bgh[pousr]_\w{20,}|\bglpat-[\w-]{16,}|\bxox[abprs]-[\w-]{10,}|\bsk-[\w-]{16,}|\bhv[sb]\.[\w-]{16,}|(?<=\b(?:Bearer|Basic)\s{1,9})\S+/gi;
/** `name=`, `name: `, `"name":"`; what follows is the value. */
const NAMES = /(?<![\w.-])([\w.-]+)["']?[=:] ?(["']?)/g;

/** Headers that are secret to their end. */
const HEADERS = /\b((?:proxy-)?authorization|(?:set-)?cookie|x-auth-token)(: {0,9})[^"'\n]+/gi;
/** `IDENTIFIED BY '...'`, `PASSWORD '...'` of SQL; a shell writes its quotes as '\''. */
const SQL = /\b(identified by|password) {1,9}(?:'\\''[^']*(?:'\\'')?|'[^']*'?|"[^"]*"?)/gi;
/** Words of a shell, with their quotes, and what stands between two commands. */
const WORDS = /[;|&\n]+|(?:"(?:[^"\\]|\\.)*\\?"?|'[^']*'?|\\.?|[^\s"'\\;|&])+/gs;
/** Command lines inside of command lines are followed so far. */
const DEEPEST = 3;

/** Goes along a command line, word by word. */
class Reader {
  private habits: readonly Habit[] = [];
  private hideNext = false;
  private hideRest = false;

  /** The word as it may be shown; `text` shows one that is no flag. */
  read(word: string, text: (word: string) => string): string {
    const hidden = this.hideNext ? !word.startsWith('--') : this.hideRest && !word.startsWith('-');
    this.hideNext = false;
    if (hidden) return HIDDEN;
    for (const { glued, next, rest } of this.habits) {
      const start = glued?.exec(word)?.[0];
      if (start !== undefined) return start + HIDDEN;
      if (next?.test(word)) this.hideNext = true;
      if (rest?.test(word)) this.hideRest = true;
    }
    const [, start = '', name = '', sign] = /^(-{0,2}([\w.-]+)(=|$))/.exec(word) ?? [];
    if ((sign === '=' || word.startsWith('-')) && SECRET_NAME.test(name)) {
      this.hideNext = sign !== '=';
      return this.hideNext ? word : start + HIDDEN;
    }
    const program = word.slice(word.lastIndexOf('/') + 1);
    if (program.length < 64) {
      const known = HABITS.filter((habit) => habit.program.test(program));
      if (known.length > 0) this.habits = [...new Set([...this.habits, ...known])];
    }
    return text(word);
  }
}

/** The arguments with everything that looks like a secret replaced. Never longer than what it was given, but for `***`. */
export function scrub(argv: readonly string[]): string[] {
  const reader = new Reader();
  return argv.map((argument, index) => {
    const isTitle = index === 0 && argument.includes(' ');
    return isTitle ? scrubText(argument) : reader.read(argument, scrubText);
  });
}

/** Credentials in URLs and headers, tokens, `name=value` or `name: value` whose name says secret; a script's commands. */
export function scrubText(text: string): string {
  const known = text.replace(URL_CREDENTIALS, `$1${HIDDEN}@`).replace(TOKENS, HIDDEN);
  return scrubWords(scrubPairs(known.replace(HEADERS, `$1$2${HIDDEN}`).replace(SQL, `$1 ${HIDDEN}`)), 1);
}

/** A script: each of its commands is a command line, and so may be what stands in its quotes. */
function scrubWords(text: string, depth: number): string {
  if (!/\s/.test(text)) return text;
  let reader = new Reader();
  return text.replace(WORDS, (word) => {
    if (/^[;|&\n]/.test(word)) {
      reader = new Reader();
      return word;
    }
    const quote = /^["']/.exec(word)?.[0] ?? '';
    const inner = quote !== '' && word.endsWith(quote) ? word.slice(1, -1) : word;
    const shown = reader.read(inner, (plain) => (depth < DEEPEST && quote ? scrubWords(plain, depth + 1) : plain));
    return shown === inner ? word : shown === HIDDEN ? HIDDEN : inner === word ? shown : quote + shown + quote;
  });
}

function scrubPairs(text: string): string {
  let scrubbed = '';
  let at = 0;
  for (const { 0: whole, 1: name, 2: quote, index } of text.matchAll(NAMES)) {
    if (index < at || !SECRET_NAME.test(name!)) continue;
    const from = index + whole.length;
    const length = text.slice(from).search(quote === '"' ? /"|$/ : quote ? /'|$/ : /[\s&;,]|$/);
    if (length === 0) continue;
    scrubbed += text.slice(at, from) + HIDDEN;
    at = from + length;
  }
  return scrubbed + text.slice(at);
}

/** The same for the kernel's form: arguments, each ended by NUL. */
export function scrubCommandLine(cmdline: Uint8Array): Uint8Array {
  const text = Buffer.from(cmdline).toString('latin1');
  const ended = text.endsWith('\0');
  const argv = (ended ? text.slice(0, -1) : text).split('\0');
  return Buffer.from(scrub(argv).join('\0') + (ended ? '\0' : ''), 'latin1');
}
