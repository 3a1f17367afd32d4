// Which of the media types that can be had a client takes (RFC 9110, 12.5.1).

/** The offered type with the highest weight, the first of equals; undefined where the client takes none of them. */
export function choose(accept: string | undefined, offered: readonly string[]): string | undefined {
  if (accept === undefined || accept.trim() === '') return offered[0];
  const ranges = accept.slice(0, 4096).split(',').map(parse);
  let best: string | undefined;
  let most = 0;
  for (const type of offered) {
    const weight = weigh(type, ranges);
    if (weight > most) [best, most] = [type, weight];
  }
  return best;
}

interface Range {
  readonly type: string;
  readonly weight: number;
}

function parse(range: string): Range {
  const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
  const q = parameters.find((parameter) => parameter.startsWith('q='));
  const weight = q === undefined ? 1 : Number(q.slice(2));
  return { type, weight: weight >= 0 && weight <= 1 ? weight : 0 };
}

/** The most specific range that fits decides. */
function weigh(type: string, ranges: readonly Range[]): number {
  const plain = type.split(';')[0]!;
  for (const wanted of [plain, `${plain.split('/')[0]}/*`, '*/*']) {
    const range = ranges.find((one) => one.type === wanted);
    if (range) return range.weight;
  }
  return 0;
}
