// Hides secrets in a command line: text that looks like a secret becomes "***". Command lines leave the program only where
// an operator asks for them (explain PID and capture), and then only through here.

const HIDDEN = '***';

/** Words in the name of a flag or variable that say its value is a secret. */
const SECRET_NAME =
  /pass(?:w(?:or)?d|phrase)?$|passw|secret|token|api[-_.]?key|(?:access|private|account|encryption|master|shared|signing)[-_.]?key|auth(?!or(?!i))|credential|cookie|session[-_.]?(?:id|key)|(?:^|[-_.])(?:pw|pwd|psk|key)$|dsn$|salt$|signature/i;

/** Arguments that are secrets only for one program. Its name may stand behind another: `sudo`, `docker exec`. */
interface ProgramSecrets {
  readonly program: RegExp;
  /** The text in front of a secret in the same argument: `-p` of `-psecret`. */
  readonly glued?: RegExp;
  /** Arguments after which one secret follows. */
  readonly next?: RegExp;
  /** Arguments after which every argument is a secret, except flags. */
  readonly rest?: RegExp;
}

const PROGRAMS: readonly ProgramSecrets[] = [
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

// Command lines are hostile and long. So no pattern may look far ahead from many places: that would take quadratic time.
const URL_CREDENTIALS = /\b([a-z][a-z0-9+.-]{0,30}:\/\/)[^/\s]{0,2000}@/gi;
/** JSON web tokens, keys of well-known services, and long random words behind Bearer or Basic. */
const TOKENS =
  /(?<![\w-])eyJ[\w-]{8,}\.[\w-]+\.[\w-]*|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bgh[pousr]_\w{20,}|\bglpat-[\w-]{16,}|\bxox[abprs]-[\w-]{10,}|\bsk-[\w-]{16,}|\bhv[sb]\.[\w-]{16,}|(?<=\b(?:Bearer|Basic)\s{1,9})\S+/gi;
/** `name=`, `name: ` or `"name":"`, which the value follows. */
const NAMES = /(?<![\w.-])([\w.-]+)["']?[=:] ?(["']?)/g;

/** Headers whose whole value is secret. */
const HEADERS = /\b((?:proxy-)?authorization|(?:set-)?cookie|x-auth-token)(: {0,9})[^"'\n]+/gi;
/** `IDENTIFIED BY '...'`, `PASSWORD '...'` of SQL; a shell writes its quotes as '\''. */
const SQL = /\b(identified by|password) {1,9}(?:'\\''[^']*(?:'\\'')?|'[^']*'?|"[^"]*"?)/gi;
/** Words of a shell, with their quotes, and the separators of two commands. */
const WORDS = /[;|&\n]+|(?:"(?:[^"\\]|\\.)*\\?"?|'[^']*'?|\\.?|[^\s"'\\;|&])+/gs;
/** A quoted word may be a command line with quoted words: they are followed to this depth. */
const DEPTH_MAX = 3;

/** Goes along a command line, word by word. */
class WordScrubber {
  private known: readonly ProgramSecrets[] = [];
  private hideNext = false;
  private hideRest = false;

  /** The word without secrets. `text` scrubs a word that is not a flag. */
  scrub(word: string, text: (word: string) => string): string {
    const hidden = this.hideNext ? !word.startsWith('--') : this.hideRest && !word.startsWith('-');
    this.hideNext = false;
    if (hidden) return HIDDEN;
    for (const { glued, next, rest } of this.known) {
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
      const found = PROGRAMS.filter((entry) => entry.program.test(program));
      if (found.length > 0) this.known = [...new Set([...this.known, ...found])];
    }
    return text(word);
  }
}

/** The arguments with everything that looks like a secret replaced by `***`. */
export function scrub(argv: readonly string[]): string[] {
  const scrubber = new WordScrubber();
  return argv.map((argument, index) => {
    const isTitle = index === 0 && argument.includes(' ');
    return isTitle ? scrubText(argument) : scrubber.scrub(argument, scrubText);
  });
}

/** Credentials in URLs and headers, tokens, `name=value` or `name: value` whose name says secret; a script's commands. */
export function scrubText(text: string): string {
  const known = text.replace(URL_CREDENTIALS, `$1${HIDDEN}@`).replace(TOKENS, HIDDEN);
  return scrubWords(scrubPairs(known.replace(HEADERS, `$1$2${HIDDEN}`).replace(SQL, `$1 ${HIDDEN}`)), 1);
}

/** A script: each of its commands is a command line, and a quoted word may be one too. */
function scrubWords(text: string, depth: number): string {
  if (!/\s/.test(text)) return text;
  let scrubber = new WordScrubber();
  return text.replace(WORDS, (word) => {
    if (/^[;|&\n]/.test(word)) {
      scrubber = new WordScrubber();
      return word;
    }
    const quote = /^["']/.exec(word)?.[0] ?? '';
    const inner = quote !== '' && word.endsWith(quote) ? word.slice(1, -1) : word;
    const shown = scrubber.scrub(inner, (plain) => (depth < DEPTH_MAX && quote ? scrubWords(plain, depth + 1) : plain));
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

/** The same for the form of /proc/PID/cmdline: arguments, each ended by NUL. */
export function scrubCommandLine(cmdline: Uint8Array): Uint8Array {
  const text = Buffer.from(cmdline).toString('latin1');
  const ended = text.endsWith('\0');
  const argv = (ended ? text.slice(0, -1) : text).split('\0');
  return Buffer.from(scrub(argv).join('\0') + (ended ? '\0' : ''), 'latin1');
}
