// Content negotiation (RFC 9110, section 12): which of several representations a client accepts. One parser reads Accept
// and Accept-Encoding alike. Headers are hostile input: what is read of one is bounded, because each request may have a long
// one, and any text gives an answer.
//
// Example: "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.3" has two elements, of weights 0.5 and 0.3.
import type { Format } from '../exposition/encode.ts';

/** One element of a header, in lower case. */
interface Preference {
  /** Media type, media range or content coding: "text/html", "text/*", "gzip". */
  readonly value: string;
  /** Weight from 0 to 1; 0 says that the client does not accept this. */
  readonly weight: number;
  readonly parameters: ReadonlyMap<string, string>;
}

/** What is read of a header. Browsers send some 10 elements in 150 characters, Prometheus 8 elements in 350. */
const HEADER_MAX_CHARACTERS = 1024;
const ELEMENTS_MAX = 32;
const PARAMETERS_MAX = 8;

function parsePreferences(header: string): Preference[] {
  return header
    .slice(0, HEADER_MAX_CHARACTERS)
    .split(',', ELEMENTS_MAX)
    .map((element) => {
      const [value = '', ...rest] = element.split(';', PARAMETERS_MAX).map((part) => part.trim().toLowerCase());
      const pairs = rest.map((parameter): [string, string] => {
        const equals = parameter.indexOf('=');
        return equals < 0 ? [parameter, ''] : [parameter.slice(0, equals), parameter.slice(equals + 1)];
      });
      const parameters = new Map(pairs.reverse()); // the first of equal names counts
      return { value, weight: parseWeight(parameters.get('q')), parameters };
    });
}

/**
 * A weight is a number from 0 to 1 (RFC 9110, 12.4.2), 1 where none is given. More digits than three, and ".5", are taken
 * as old clients write them. What is malformed or larger counts as 0: a client cannot win by a weight that no other has.
 */
function parseWeight(q: string | undefined): number {
  if (q === undefined) return 1;
  const weight = /^(?:\d(?:\.\d*)?|\.\d+)$/.test(q) ? Number(q) : 0;
  return weight <= 1 ? weight : 0;
}

/**
 * The offered media type of the highest weight, the first one of equals; undefined where the client accepts none. For
 * each type, the most specific range decides: "text/html" before "text/*" before "*\/*".
 */
export function chooseMediaType(accept: string | undefined, offered: readonly string[]): string | undefined {
  if (accept === undefined || accept.trim() === '') return offered[0];
  const preferences = parsePreferences(accept);
  const weightOf = (type: string): number => {
    const plain = type.split(';')[0]!;
    const ranges = [plain, `${plain.split('/')[0]}/*`, '*/*'];
    const found = ranges.map((range) => preferences.find(({ value }) => value === range)).find((one) => one);
    return found?.weight ?? 0;
  };
  let best: string | undefined;
  let bestWeight = 0;
  for (const type of offered) {
    const weight = weightOf(type);
    if (weight > bestWeight) [best, bestWeight] = [type, weight];
  }
  return best;
}

const EXPOSITION_FORMATS: ReadonlyMap<string, { readonly format: Format; readonly versions: readonly string[] }> =
  new Map([
    ['application/openmetrics-text', { format: 'openmetrics', versions: ['1.0.0', '0.0.1'] }],
    ['text/plain', { format: 'text', versions: ['0.0.4'] }],
    ['text/*', { format: 'text', versions: ['0.0.4'] }],
    ['*/*', { format: 'text', versions: ['0.0.4'] }],
  ]);

/**
 * The format of a scrape. OpenMetrics only for a client that names it, in a version that we write; for all others the text
 * format, as Prometheus' own clients do it: a scrape is never answered with 406. The first one of equal weights wins.
 */
export function chooseFormat(accept: string | undefined): Format {
  let best: Format = 'text';
  let bestWeight = 0;
  for (const { value, weight, parameters } of parsePreferences(accept ?? '')) {
    const known = EXPOSITION_FORMATS.get(value);
    const version = parameters.get('version');
    if (!known || (version !== undefined && !known.versions.includes(version))) continue;
    if (weight > bestWeight) [best, bestWeight] = [known.format, weight];
  }
  return best;
}

/** Whether the client accepts gzip (RFC 9110, 12.5.3), by name or by "*". */
export function acceptsGzip(acceptEncoding: string | undefined): boolean {
  const weights = new Map(parsePreferences(acceptEncoding ?? '').map(({ value, weight }) => [value, weight]));
  return (weights.get('gzip') ?? weights.get('*') ?? 0) > 0;
}
