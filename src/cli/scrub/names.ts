// Tells names from values. Names (of options, variables, folders, classes) may be shown, since a person chose them for
// others to read. A secret is either random, and no name looks like `wJalrXUtnFEMI`, or its place says that it is a value.

import { NAME_WORDS, PLAIN_WORDS } from './words.ts';

/** Stands for what is hidden. */
export const HIDDEN = '***';

/** Letters of one case, a capital with the small letters behind it, or digits: the parts of `HttpPort8080`. */
const RUNS = /[A-Z]?[a-z]+|[A-Z]+|\d+/g;
/** So many letters and digits of a name stand in one run, on average; of random text it is about 1.8. */
const RUN_LENGTH_MIN = 3;
/** Longer runs of letters and digits are keys and hashes. */
const NAME_MAX = 40;
/** Shorter ones say too little to be random. */
const SHORT = 4;
/** Digits of a number in a name, a date aside: longer numbers are identifiers. */
const DIGITS_MAX = 6;
const DATE = /^(?:19|20)\d{6}$/;
/** A key as hexadecimal digits. */
const HEXADECIMAL = /^(?=.*\d)[\da-f]{8,}$/i;
const UNPRONOUNCEABLE = /[bcdfghjklmnpqrstvwxz]{5}/i;
/** `log4j`, `node12` */
const SHORT_WITH_NUMBER = /^[A-Za-z]{2,5}\d{1,2}[a-z]?$/;

/** Whether letters and digits look like a name: `postgresql15`, `ETLServiceStarter`; not `x9Kz2LqP`. */
function isReadable(part: string): boolean {
  if (part.length <= SHORT || SHORT_WITH_NUMBER.test(part) || NAME_WORDS.has(part.toLowerCase())) return true;
  if (/^\d+$/.test(part)) return part.length <= DIGITS_MAX || DATE.test(part);
  if (part.length > NAME_MAX || HEXADECIMAL.test(part)) return false;
  const runs = part.match(RUNS) ?? [];
  return (
    part.length >= RUN_LENGTH_MIN * runs.length && !runs.some((run) => run.length > 6 && UNPRONOUNCEABLE.test(run))
  );
}

/** Whether a text of letters, digits and the given signs looks like a name: `x86_64-linux-gnu`, `node.name`. */
export function isName(text: string): boolean {
  if (text.length > 200 || !/^[\w.+@~-]+$/.test(text)) return false;
  const parts = text.split(/[^A-Za-z0-9]+/).filter(Boolean);
  // Many short parts in a row are as random as one long part: a secret with dashes in it.
  const short = parts.filter((part) => /\d/.test(part) && /[A-Za-z]/.test(part)).length;
  return parts.every(isReadable) && short <= 3;
}

/** Small, capitalized, or in capitals. */
const WORD_CASE = /^(?:[a-z][a-z0-9]*|[A-Z][a-z0-9]*|[A-Z][A-Z0-9]*)$/;

const partsOf = (name: string): string[] =>
  name
    .split(/[^A-Za-z0-9]+/)
    .flatMap((part) => (WORD_CASE.test(part) && NAME_WORDS.has(part.toLowerCase()) ? [part] : (part.match(RUNS) ?? [])))
    .filter(Boolean);

/** Whether a name is made of words for names and small numbers only: `listenNetwork`, `data-dir`, `HTTP2`. */
export function isWordyName(name: string): boolean {
  if (name.length > 80 || !/^[A-Za-z][\w.-]*$/.test(name)) return false;
  return partsOf(name).every((part) => NAME_WORDS.has(part.toLowerCase()) || /^\d{1,2}$/.test(part));
}

/** Whether a text is one of the plain words, or up to three of them: `start`, `INFO`, `read-only`. */
export function isPlainWord(text: string): boolean {
  if (text.length > 40) return false;
  if (PLAIN_WORDS.has(text) || (WORD_CASE.test(text) && PLAIN_WORDS.has(text.toLowerCase()))) return true;
  const parts = text.split(/[-_.:]/);
  return parts.length <= 3 && parts.every((part) => WORD_CASE.test(part) && PLAIN_WORDS.has(part.toLowerCase()));
}

/** Words in the name of an option or variable that say that its value is a secret, whatever it looks like. */
const SECRET =
  /pass(?:w(?:or)?d|phrase|code)?(?=$|[^a-z])|passw|secret|token|api[-_.]?key|(?:access|private|account|encryption|master|shared|signing|host|pre)[-_.]?key|auth(?!or(?!i))|credential|cookie|session[-_.]?(?:id|key)|(?:^|[-_.])(?:pw|pwd|psk|key|pin|sig|hmac|unseal|encrypt|salt|community)$|dsn$|signature|unseal|hmac|(?:store|key)pass$|webhook|connection[-_.]?string/i;
/** Names that say secret although their value only says where or how. */
const ABOUT_SECRETS =
  /(?:file|path|dir|directory|folder|url|uri|mode|type|format|class|name|length|size|ttl|bits|count)s?$/i;

/** Whether the value of this name is hidden whatever it looks like. */
export const isSecretName = (name: string): boolean =>
  name.length <= 200 && SECRET.test(name) && !ABOUT_SECRETS.test(name);
