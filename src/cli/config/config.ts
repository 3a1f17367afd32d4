// config show and config init: the configuration as text. What init prints, load() takes back unchanged.

import type { Loaded } from '../../config/load.ts';
import { defaults, type Key, keys, optionOf } from '../../config/options.ts';
import type { FileValue } from '../../config/value-types.ts';
import { escapedJson, escapeForTerminal } from '../../text/hostile.ts';

/** Every value in force and where it came from, as YAML with comments or as JSON ({key: {value, origin}}). */
export function showConfig({ config, origins }: Loaded, json: boolean): string {
  const written = keys.map((key) => [key, hidden(key, optionOf(key).type.write(config[key]))] as const);
  if (json) {
    const shown = written.map(([key, value]) => [key, { value, origin: origins[key] }]);
    return escapedJson(Object.fromEntries(shown), 2);
  }
  return written
    .map(([key, value]) => `${`${key}: ${yaml(value)}`.padEnd(40)} # ${escapeForTerminal(origins[key])}\n`)
    .join('');
}

/** A configuration file with every key, its meaning, what it takes and its default. */
export function initialConfig(): string {
  const lines = ['# Configuration of herakles-node-exporter. Every key may be left out; these are the defaults.'];
  let heading = '';
  for (const key of keys) {
    const { help, type: kind, reloadable, section } = optionOf(key);
    if (section !== heading) lines.push('', `## ${section}`);
    heading = section;
    const restart = reloadable ? '' : ' Takes effect at the next start.';
    lines.push('', `# ${help}${restart}`, `# Takes ${kind.expects}.`, `${key}: ${yaml(kind.write(defaults[key]))}`);
  }
  return `${lines.join('\n')}\n`;
}

const hidden = (key: Key, value: FileValue): FileValue => (optionOf(key).secret ? '<secret>' : value);

/** A value as YAML on one line: words, paths, durations and shares as they are, other text in quotes (JSON's are YAML's). */
function yaml(value: FileValue): string {
  if (typeof value === 'object') return `[${value.map(yaml).join(', ')}]`;
  if (typeof value !== 'string' || plain.test(value)) return String(value);
  return escapedJson(value);
}

const plain = /^(?!(?:true|false|null|yes|no|on|off|y|n)$)(?:[a-z/][\w/.-]*|\d+(?:\.\d+)?%|(?:\d+[dhms]+)+)$/;
