// Parses the text exposition for assertions. It is simple, refuses what it does not know, and shares no code with the
// product.
export type Sample = { name: string; labels: Record<string, string>; order: string[]; value: number; line: string };

const unescaped: Record<string, string> = { '\\\\': '\\', '\\"': '"', '\\n': '\n' };

/** One sample line: name{label="value",...} value [timestamp] */
function parseSample(line: string): Sample {
  const head = /^([a-zA-Z_:][a-zA-Z0-9_:]*)/.exec(line)?.[1];
  if (!head) throw new Error(`not a sample: ${line}`);
  let rest = line.slice(head.length);
  const labels: Record<string, string> = {};
  if (rest.startsWith('{')) {
    rest = rest.slice(1);
    while (!rest.startsWith('}')) {
      const label = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|(?=\}))/.exec(rest);
      if (!label) throw new Error(`malformed labels: ${line}`);
      const [all, name, value] = label as unknown as [string, string, string];
      if (name in labels) throw new Error(`label twice: ${line}`);
      labels[name] = value.replace(/\\./g, (pair) => unescaped[pair] ?? pair);
      rest = rest.slice(all.length);
    }
    rest = rest.slice(1);
  }
  const number = /^ (\S+)$/.exec(rest)?.[1];
  const value = number === undefined ? Number.NaN : Number(number.replace(/Inf$/, 'Infinity'));
  if (number === undefined || (Number.isNaN(value) && number !== 'NaN')) throw new Error(`malformed value: ${line}`);
  return { name: head, labels, order: Object.keys(labels), value, line };
}

/** One response, by family name and labels. */
export class Exposition {
  readonly types = new Map<string, string>();
  readonly helps = new Map<string, string>();
  readonly samples: Sample[] = [];
  readonly text: string;

  constructor(text: string) {
    this.text = text;
    if (!text.endsWith('\n')) throw new Error('a response ends with a newline');
    const seen = new Set<string>();
    for (const line of text.split('\n').slice(0, -1)) {
      const comment = /^# (TYPE|HELP) (\S+) (.*)$/.exec(line);
      if (comment) {
        const [, kind, family, rest] = comment as unknown as [string, string, string, string];
        const into = kind === 'TYPE' ? this.types : this.helps;
        if (into.has(family)) throw new Error(`${kind} twice for ${family}`);
        into.set(family, rest);
      } else if (!line.startsWith('#')) {
        const sample = parseSample(line);
        const key = `${sample.name}${JSON.stringify(Object.entries(sample.labels).sort())}`;
        if (seen.has(key)) throw new Error(`series twice: ${line}`);
        seen.add(key);
        this.samples.push(sample);
      }
    }
  }

  /** The series of a family that carry all these labels. */
  all(name: string, labels: Record<string, string | number> = {}): Sample[] {
    const wanted = Object.entries(labels);
    return this.samples.filter((s) => s.name === name && wanted.every(([key, value]) => s.labels[key] === `${value}`));
  }

  /** The value of the one series that carries these labels. */
  value(name: string, labels: Record<string, string | number> = {}): number {
    const found = this.all(name, labels);
    if (found.length !== 1) throw new Error(`${found.length} series ${name} ${JSON.stringify(labels)}`);
    return found[0]!.value;
  }

  sum(name: string, labels: Record<string, string | number> = {}): number {
    return this.all(name, labels).reduce((total, sample) => total + sample.value, 0);
  }
}
