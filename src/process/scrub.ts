// Makes a command line fit to be shown: what looks like a secret becomes "***". Used wherever an operator asks for
// command lines; nowhere else do they leave the program.

const HIDDEN = '***';

/** Words in the name of a flag or variable that say its value is a secret. */
const SECRET_NAME =
  /pass(?:w(?:or)?d|phrase)?$|passw|secret|token|api[-_.]?key|access[-_.]?key|private[-_.]?key|auth(?!or(?!i))|credential|cookie|session[-_.]?(?:id|key)|(?:^|[-_.])(?:pw|pwd|psk|key)$|dsn$|salt$|signature/i;

/** Flags of one letter that take a password glued to them or as the next argument, by program. */
const SHORT_FLAGS: readonly { program: RegExp; glued?: RegExp; next?: RegExp }[] = [
  { program: /^(?:mysql|mariadb|mysqldump|mysqladmin|xtrabackup)/, glued: /^-p(?=.)/ },
  { program: /^(?:curl|wget)/, glued: /^-u(?=.)/, next: /^-u$|^--user$|^--proxy-user$/ },
  { program: /^(?:redis-cli|mongo|mongosh|sshpass|ldap\w*)$/, glued: /^-[apw](?=.)/, next: /^-[apw]$/ },
];

// Command lines are hostile and long: no pattern looks far ahead from many places.
const URL_CREDENTIALS = /\b([a-z][a-z0-9+.-]{0,30}:\/\/)[^/\s]{0,2000}@/gi;
/** JSON web tokens, keys of well-known services, and long random words behind Bearer or Basic. */
const TOKENS =
  /(?<![\w-])eyJ[\w-]{8,}\.[\w-]+\.[\w-]*|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bgh[pousr]_\w{20,}|\bglpat-[\w-]{16,}|\bxox[abprs]-[\w-]{10,}|\bsk-[\w-]{16,}|\bhv[sb]\.[\w-]{16,}|(?<=\b(?:Bearer|Basic)\s{1,9})\S+/gi;
/** `name=`, `name: `, `"name":"`; what follows is the value. */
const NAMES = /(?<![\w.-])([\w.-]+)["']?[=:] ?(["']?)/g;

/** The arguments with everything that looks like a secret replaced. Never longer than what it was given, but for `***`. */
export function scrub(argv: readonly string[]): string[] {
  const program = (argv[0] ?? '').split('/').at(-1)!;
  let hideNext = false;
  return argv.map((argument, index) => {
    if (index === 0) return scrubText(argument);
    const hidden = hideNext && !argument.startsWith('--');
    hideNext = false;
    if (hidden) return HIDDEN;
    for (const { program: known, glued, next } of SHORT_FLAGS) {
      if (!known.test(program)) continue;
      if (glued?.test(argument) && !argument.startsWith('--')) return argument.slice(0, 2) + HIDDEN;
      if (next?.test(argument)) hideNext = true;
    }
    const [, start = '', name = '', sign] = /^(-{0,2}([\w.-]+)(=|$))/.exec(argument) ?? [];
    if (!SECRET_NAME.test(name)) return scrubText(argument);
    if (sign === '=') return start + HIDDEN;
    hideNext = argument.startsWith('-');
    return argument;
  });
}

/** Credentials in URLs, tokens, and `name=value` or `name: value` whose name says secret. */
export function scrubText(text: string): string {
  return scrubPairs(text.replace(URL_CREDENTIALS, `$1${HIDDEN}@`).replace(TOKENS, HIDDEN));
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
