// The text of a configuration file → its flat keys with values and lines. A parser is loaded only when a file of its
// format exists, because it takes resident memory. Any text gives entries or Malformed, and nothing else.
//
// JSON is YAML 1.2, so the YAML parser reads it: JSON.parse knows neither lines nor keys that are written twice. But
// JSON.parse decides what is JSON: a comment, or a comma after the last value, is refused in a .json file.
import { MalformedFileError } from './malformed-file.ts';
import { parseText } from './parser-thread.ts';
import { type ConfigFileEntry, flat } from './toml-entries.ts';
import { isAlias, isMap, isScalar, isSeq, type YamlMap, type YamlNode } from './yaml-tree.ts';

/** How files are parsed, by the ending of their names. */
export const formats = new Map<string, (text: string) => ConfigFileEntry[] | Promise<ConfigFileEntry[]>>([
  ['yaml', parseYaml],
  ['yml', parseYaml],
  ['json', parseJson],
  ['toml', (text) => parseText('toml', text)],
]);

async function parseYaml(text: string): Promise<ConfigFileEntry[]> {
  const root = await parseText('yaml', text, 4, 'YAML 1.2');
  if (root === null || (isScalar(root) && root.value === null)) return [];
  if (!isMap(root)) throw new MalformedFileError(root.line, 'is no mapping; write lines of the form key: value');
  return entriesOf(root);
}

function entriesOf(root: YamlMap): ConfigFileEntry[] {
  return root.items.map(({ key, value }) => {
    if (!isScalar(key)) throw new MalformedFileError(root.line, 'has a key that is no plain name; write key: value');
    const at = key.line;
    const plain = (node: YamlNode | null) => {
      if (isAlias(node)) throw new MalformedFileError(at, 'uses a YAML alias; write the value out');
      return isScalar(node) ? flat(node.value) : flat(node);
    };
    return { key: String(key.value), value: isSeq(value) ? value.items.map(plain) : plain(value), line: at };
  });
}

async function parseJson(text: string): Promise<ConfigFileEntry[]> {
  const root = await parseText('yaml', text.replace(/\r(?!\n)/g, ' '), 4, 'JSON');
  if (!isMap(root)) throw new MalformedFileError(root ? root.line : 1, 'is no object; write {"key": value, …}');
  try {
    JSON.parse(text);
  } catch {
    throw new MalformedFileError(
      lineOfYaml(text),
      'is valid YAML, but not valid JSON; correct this line, or name the file .yaml',
    );
  }
  return entriesOf(root);
}

/** A string of JSON (RFC 8259, section 7). */
const JSON_STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"/g;

/**
 * What YAML has in braces and JSON has not, where each string is a run of quotes: a comma before a closing bracket, a
 * character of no JSON token, `---`, a string that JSON does not end, a key without quotes, a key without a value.
 */
const YAML_ONLY = /(?<=,\s*)[}\]]|[^\s{}[\],:"\w.+-]|---|"(?=[^"\s,:}\]])|[\w.+-](?=\s*:)|(?<=\{\s*)"(?="*\s*[,}])/;

/** The line, from 1, of the first thing in a text that makes it YAML and not JSON. */
function lineOfYaml(text: string): number {
  const masked = text.replace(JSON_STRING, ({ length }) => '"'.repeat(length));
  return text.slice(0, Math.max(0, masked.search(YAML_ONLY))).split('\n').length;
}
