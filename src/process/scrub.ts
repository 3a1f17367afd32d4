// Makes a command line fit to be shown: what looks like a secret becomes "***". Used wherever an operator asks for
// command lines; nowhere else do they leave the program.

const HIDDEN = '***';

/** Words in the name of a flag or variable that say its value is a secret. */
const SECRET_NAME =
  /pass(?:w(?:or)?d|phrase)?$|passw|secret|token|api[-_.]?key|access[-_.]?key|private[-_.]?key|auth(?!or)|credential|cookie|session[-_.]?(?:id|key)|(?:^|[-_.])(?:pw|pwd|psk|key)$|dsn$|salt$|signature/i;

/** Flags of one letter that take a password glued to them or as the next argument, by program. */
const SHORT_FLAGS: readonly { program: RegExp; glued?: RegExp; next?: RegExp }[] = [
  { program: /^(?:mysql|mariadb|mysqldump|mysqladmin|xtrabackup)/, glued: /^-p(?=.)/ },
  { program: /^(?:curl|wget)/, glued: /^-u(?=.)/, next: /^-u$|^--user$|^--proxy-user$/ },
  { program: /^(?:redis-cli|mongo|mongosh|sshpass|ldap\w*)$/, glued: /^-[apw](?=.)/, next: /^-[apw]$/ },
];

const URL_CREDENTIALS = /\b([a-z][a-z0-9+.-]*:\/\/)[^/\s:@]*(?::[^/\s@]*)?@/gi;
/** JSON web tokens, keys of well-known services, and long random words behind Bearer or Basic. */
const TOKENS =
  /\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bgh[pousr]_\w{20,}|\bglpat-[\w-]{16,}|\bxox[abprs]-[\w-]{10,}|\bsk-[\w-]{16,}|\bhv[sb]\.[\w-]{16,}|(?<=\b(?:Bearer|Basic)\s+)\S+/gi;
const PAIRS = /([\w.-]+)([=:])([^\s&;,]+)/g;

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
    const flag = /^-{1,2}([\w.-]+)$/.exec(argument)?.[1];
    if (flag && SECRET_NAME.test(flag)) hideNext = true;
    return scrubText(argument);
  });
}

/** Credentials in URLs, tokens, and `name=value` or `name: value` whose name says secret. */
export function scrubText(text: string): string {
  return text
    .replace(URL_CREDENTIALS, `$1${HIDDEN}@`)
    .replace(TOKENS, HIDDEN)
    .replace(PAIRS, (whole, name: string, sign: string) =>
      SECRET_NAME.test(name) ? `${name}${sign}${HIDDEN}` : whole,
    );
}

/** The same for the kernel's form: arguments, each ended by NUL. */
export function scrubCommandLine(cmdline: Uint8Array): Uint8Array {
  const text = Buffer.from(cmdline).toString('latin1');
  const ended = text.endsWith('\0');
  const argv = (ended ? text.slice(0, -1) : text).split('\0');
  return Buffer.from(scrub(argv).join('\0') + (ended ? '\0' : ''), 'latin1');
}
