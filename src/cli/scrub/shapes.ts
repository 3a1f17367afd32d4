// Shows of a value what has a harmless shape, and puts `***` in place of the rest. Harmless are numbers of few digits, plain
// words, paths, files, hosts with their ports, classes, and pairs and lists of them; of a URL also its scheme. Nothing
// else is: a shape that nobody thought of is hidden. Nothing is looked up on the disk, so a capture hides the same
// everywhere.
//
// Example: `mysql://app:x@db.example.com:3306/shop?password=y` becomes `mysql://***@db.example.com:3306/***?password=***`.
import { isIPv6 } from 'node:net';
import { HIDDEN, isName, isPlainWord, isSecretName, isWordyName } from './names.ts';
import { EXTENSIONS, HOST_ENDINGS, PACKAGE_ROOTS, ROOT_FOLDERS } from './words.ts';

/** Longer values are hidden as a whole; a class path is a list of shorter ones. */
const VALUE_MAX = 4096;

const BOOLEAN = /^(?:true|false|yes|no|on|off|none|null|nil)$/i;
/** Up to five digits, as a port has, with a sign, a fraction, a unit; sizes and ranges of them; versions. */
const NUMBER =
  /^[+-]?\d{1,5}(?:\.\d{1,4})?(?:[kmgtp]i?b?|[nmµu]?s|min|m|h|d|w|x|%|b)?$|^\d{1,5}(?:[-x:/]\d{1,5}){1,2}$|^v?\d{1,3}(?:\.\d{1,3}){1,3}$/i;
const IPV4 = /^\d{1,3}(?:\.\d{1,3}){3}(?:\/\d{1,2})?$/;
const IPV6 = /^\[?([\da-f:.]{2,45})\]?(?:%\w{1,15})?(?:\/\d{1,3})?$/i;
const DEVICE =
  /^(?:(?:eth|wlan|br|bond|tun|tap|docker|vmnet|vmbr|veth|vxlan|virbr|lo|wpan|ppp|tty|ttyS|pts\/)\d{1,2}|en[ops]\d{1,3}(?:[sf]\d{1,2}){0,2})$/;
const SIGNS_ONLY = /^[-.*=:,;/|&(){}[\]<>!?+]{1,4}$/;
const LOCALE = /^[a-z]{2}[-_][A-Z]{2}(?:\.UTF-8)?$/;
const VARIABLE_NAME = /^[A-Z_][A-Z0-9_]*$/;

/** A word that needs no look into its parts. Text of one or two characters is no secret worth the name. */
function isHarmlessWord(text: string): boolean {
  if (/^\w{1,2}$/.test(text)) return true;
  return (
    NUMBER.test(text) ||
    isPlainWord(text) ||
    SIGNS_ONLY.test(text) ||
    DEVICE.test(text) ||
    LOCALE.test(text) ||
    isAddress(text)
  );
}

const isAddress = (text: string): boolean => IPV4.test(text) || isIPv6(IPV6.exec(text)?.[1] ?? '');

/** `db.example.com`, `localhost`, an address; not `correct.horse.battery`. */
function isHostName(text: string): boolean {
  if (text === 'localhost' || isAddress(text)) return true;
  const labels = text.split('.');
  return labels.length > 1 && text.length <= 100 && HOST_ENDINGS.has(labels.at(-1)!) && isName(text);
}

/** `HOST:PORT`, `:PORT`, `*:PORT`, or a host alone. */
function isHostAndPort(text: string): boolean {
  const [, host = '', port] = /^(.*?)(?::(\d{1,5}|\*))?$/s.exec(text) ?? [];
  return isHostName(host) || isHostName(text) || (port !== undefined && (host === '' || host === '*'));
}

/** `org.apache.kafka.Kafka`, `javax.xml.jaxp-provider`. */
const isClass = (text: string): boolean => {
  const parts = text.split(/[./]/);
  return (
    parts.length > 1 && PACKAGE_ROOTS.has(parts[0]!) && /^[\w.$/-]+$/.test(text) && isName(text.replace(/[$/]/g, '.'))
  );
};

/** The application that a Python server runs: `shop.web:application`. */
const isApplication = (text: string): boolean =>
  /^[a-z_][\w.]{0,99}:(?:app|application|asgi|wsgi|api|create_app)(?:\(\))?$/.test(text) && isName(text.split(':')[0]!);

/** `server.js`, `my.cnf`, `lib-1.4.jar`. */
function isFileName(text: string): boolean {
  const dot = text.lastIndexOf('.');
  const [stem, ending] = [text.slice(0, dot), text.slice(dot + 1)];
  if (dot <= 0 || !EXTENSIONS.has(ending.toUpperCase() === ending ? ending.toLowerCase() : ending)) return false;
  // Many secrets have a dot before their last letter.
  return ending.length === 1 ? isWordyName(stem) : isName(text);
}

const PATH_START = /^(?:~[\w-]*|\.{1,2})?\//;

/** Whether the first folder of an absolute path is one that systems have: no secret begins so. */
const isRooted = (text: string): boolean => ROOT_FOLDERS.has(/^\/([\w-]+)(?:\/|$)/.exec(text)?.[1] ?? '');

const isSegment = (text: string): boolean =>
  text === '' || /^[.*]{1,2}$/.test(text) || isName(text.replace(/[*{}%,:]/g, '.')) || isHarmlessWord(text);

/** Whether an absolute path of unknown folders is one, and no secret that begins with a slash: `/scripts/run.sh`. */
function isPath(text: string): boolean {
  if (isRooted(text) || !text.startsWith('/')) return true;
  const folders = text.slice(1).replace(/\/$/, '').split('/');
  if (isFileName(folders.at(-1)!) && folders.every((folder) => /^[a-z][a-z0-9._-]*$/.test(folder) && isName(folder)))
    return true;
  return folders.every((folder) => folder === folder.toLowerCase() && isWordyName(folder));
}

/** A path with `***` for folders that look random, and for what stands behind `?` and `#`. */
function scrubPath(text: string): string {
  const [, path = '', query = ''] = /^([^?#]*)(.*)$/s.exec(text) ?? [];
  const shown = path.split('/').map((segment) => {
    const equals = segment.indexOf('=');
    if (equals > 0) return scrubPair(segment, equals);
    return isSegment(segment) ? segment : HIDDEN;
  });
  return shown.join('/') + scrubQuery(query);
}

/** `?a=1&token=x` keeps the names. */
const scrubQuery = (text: string): string =>
  text === ''
    ? ''
    : text[0] +
      text
        .slice(1)
        .split('&')
        .map((pair) => scrubQueryPair(pair))
        .join('&');

function scrubQueryPair(pair: string): string {
  const equals = pair.indexOf('=');
  return equals > 0 && isWordyName(pair.slice(0, equals)) ? `${pair.slice(0, equals)}=${HIDDEN}` : HIDDEN;
}

/** Schemes whose authority is a host, also one of a single word. */
const HOST_SCHEME =
  /^(?:amqps?|clickhouse|consul|etcd|ftps?|git|grpcs?|https?|imaps?|jdbc:\w+|kafka|ldaps?|memcached?|mongodb(?:\+srv)?|mqtts?|mysql|nats|nfs|pool|postgres(?:ql)?|rediss?|rsync|rtsp|s?ftp|smb|smtps?|socks[45]h?|ssh|ssl|tcp|tls|udp|wss?|zk)$/i;

const isScheme = (text: string): boolean =>
  HOST_SCHEME.test(text) || /^(?:s3|gs)$/.test(text) || isWordyName(text.replace(/[+:]/g, '-'));

/** `SCHEME://…`: shows the scheme, the hosts and ports, the names of a query, and plain words of the path. */
function scrubUrl(scheme: string, rest: string): string {
  const start = `${scheme}://`;
  // A password may hold any sign, so what stands before the last @ is hidden as a whole. Behind a slash it may be one of
  // the path, and nobody can tell what is the host.
  const at = rest.lastIndexOf('@');
  if (/[/?#]/.test(rest.slice(0, Math.max(at, 0)))) return start + HIDDEN;
  const shown = at < 0 ? '' : `${HIDDEN}@`;
  const [, authority = '', path = '', query = ''] = /^([^/?#]*)([^?#]*)(.*)$/s.exec(rest.slice(at + 1)) ?? [];
  if (authority === '' && at < 0 && isRooted(path)) return start + scrubPath(path + query);
  const hosts = authority.split(',').map((host) => (isUrlHost(scheme, host) ? host : HIDDEN));
  const folders = path.split('/').map((folder) => (isUrlFolder(folder) ? folder : HIDDEN));
  return start + shown + hosts.join(',') + folders.join('/') + scrubQuery(query);
}

function isUrlHost(scheme: string, host: string): boolean {
  if (host === '' || isHostAndPort(host)) return true;
  return HOST_SCHEME.test(scheme) && /^[a-z][a-z0-9-]{0,30}(?::\d{1,5})?$/.test(host) && isName(host.split(':')[0]!);
}

/** A path of a URL may hold a key (Slack, Telegram), so its folders are shown only where they are words or files. */
const isUrlFolder = (text: string): boolean =>
  text === '' ||
  text === '-' ||
  /^v\d{1,2}$/.test(text) ||
  isPlainWord(text) ||
  (isFileName(text) && isWordyName(text));

/** `NAME=VALUE`, with the place of the equals sign. */
function scrubPair(text: string, equals: number): string {
  const [name, value] = [text.slice(0, equals), text.slice(equals + 1)];
  if (isWordyName(name)) return `${name}=${scrubNamed(name, value)}`;
  // Any other name may be the start of a secret that has an equals sign in it.
  if (isName(name) && (isRooted(value) || /^[a-z]+:\/\//.test(value))) return `${name}=${scrubValue(value)}`;
  return VARIABLE_NAME.test(name) && isName(name) && /[^=]/.test(value) ? `${name}=${HIDDEN}` : HIDDEN;
}

/** The value of a name: hidden whatever it looks like where the name says secret. */
export function scrubNamed(name: string, value: string): string {
  if (!isSecretName(name)) return scrubValue(value);
  return scrubSecret(value);
}

/** What its place says to be a secret: shown where it can be none. */
export function scrubSecret(value: string): string {
  if (value === '' || BOOLEAN.test(value)) return value;
  return (isRooted(value) && isPathOf(value)) || /^https?:\/\//.test(value) ? scrubValue(value) : HIDDEN;
}

const isPathOf = (text: string): boolean => !/[\s"'`\\@?#=]/.test(text);

/** Text of one or two characters is harmless alone, but a longer secret with commas in it is a list of such. */
const saysNothing = (item: string): boolean =>
  /^(?:\W+|\w{1,2})$/.test(item) && !NUMBER.test(item) && !isPlainWord(item);

/** Lists whose items are separated by one sign. */
function scrubList(text: string, sign: string): string {
  let secret = false;
  const items = text.split(sign).map((item) => {
    // A secret may hold the sign: what stands behind it belongs to it up to the next name.
    const name = /^([\w.-]+)=/.exec(item)?.[1];
    secret = name === undefined ? secret : isSecretName(name);
    return (secret && name === undefined) || (text.length > 5 && saysNothing(item)) ? HIDDEN : scrubValue(item);
  });
  const hidden = items.filter((item) => item.includes(HIDDEN));
  // Pieces of one secret: a word of it between two commas may look harmless.
  if (hidden.length > 0 && !hidden.some((item) => /^[\w./~-]*[=/]/.test(item))) return HIDDEN;
  return items.join(sign);
}

const PATH_LIST = /^(?:~|\.{0,2}\/)[^:]*:(?:~|\.{0,2}\/)/;

/** A value with `***` in place of whatever has no harmless shape. Any text gives a text; time is linear in its length. */
export function scrubValue(text: string): string {
  if (text === '' || BOOLEAN.test(text)) return text;
  if (PATH_LIST.test(text))
    return text
      .split(':')
      .map((path) => scrubShortValue(path))
      .join(':');
  return scrubShortValue(text);
}

/** `daemon off;` */
const isPlainText = (text: string): boolean =>
  text.length < 100 && text.split(/[\s;]+/).every((word) => word === '' || isPlainWord(word) || NUMBER.test(word));

function scrubShortValue(text: string): string {
  if (text === '') return '';
  if (text.length > VALUE_MAX || /["'`\\\0]/.test(text)) return HIDDEN;
  if (/\s/.test(text)) return isPlainText(text) ? text : HIDDEN;
  if (isHarmlessWord(text)) return text;
  if (/,[a-z+]{2,20}:\/\//.test(text)) return scrubList(text, ',');
  const [, scheme, rest] = /^([a-z][a-z0-9+.-]{0,30}(?::[a-z]{1,20})?):\/\/(.*)$/is.exec(text) ?? [];
  if (scheme !== undefined) return isScheme(scheme) ? scrubUrl(scheme, rest!) : HIDDEN;
  if (/[,;]/.test(text)) return scrubList(text, text.includes(';') ? ';' : ',');
  if (PATH_START.test(text)) return isPath(text) ? scrubPath(text) : HIDDEN;
  const equals = text.indexOf('=');
  if (equals > 0) return scrubPair(text, equals);
  if (isHostAndPort(text) || isClass(text) || isApplication(text) || isFileName(text)) return text;
  return scrubCompound(text);
}

/** First folders of a path from the present folder on. */
const RELATIVE =
  /^(?:\.(?:cache|config|git|local|tox|venv)|bin|build|dist|etc|lib|libexec|node_modules|sbin|share|src|target|usr|var|venv)\//;

/** `etc/shop/shop.conf`, `bin/rails`, `file:/x`, `tcp:127.0.0.1:80`. */
function scrubCompound(text: string): string {
  const [, kind, rest] = /^([a-z][a-z0-9]{0,11}):(.*)$/s.exec(text) ?? [];
  if (kind !== undefined) {
    if (isSecretName(kind)) return `${kind}:${HIDDEN}`;
    const shown = isPlainWord(kind) ? scrubValue(rest!) : HIDDEN;
    return shown === HIDDEN ? HIDDEN : `${kind}:${shown}`;
  }
  const [, host = '', path = ''] = /^([^:/]+):(\/.*)$/s.exec(text) ?? [];
  if (isHostName(host) && isRooted(path)) return `${host}:${scrubPath(path)}`;
  const folders = text.split('/');
  if (folders.length < 2 || !folders.every(isSegment) || text.includes('@')) return HIDDEN;
  const last = folders.at(-1)!;
  // `scott/tiger` is a user and a password, and so may `app/tiger` be.
  return isFileName(last) || RELATIVE.test(text) ? text : HIDDEN;
}
