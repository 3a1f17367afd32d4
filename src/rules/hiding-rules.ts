// Finds the rules that hide a rule: earlier rules whose values cover some of its values under every key that they have.
// The linter asks this for every rule, so comparing each with all earlier ones would take time quadratic in their
// number. Instead each rule is entered under the values of one of its keys, the key with the rarest values:
//   comm = "nginx", unit = "a.service"   under the text "a.service" of unit, where many rules have comm = "nginx"
//   comm = "postgres_*"                  under the text "postgres_*" and the start "postgr" of comm
// A rule that it hides has a covered value under that key, and finds it by the value's text or by the value's start.
//
// That finds every hiding rule but in two cases, which are limited to stay linear: of globs without a start (`*-agent`)
// the first OPEN_MAX are compared, and of the rules found for one rule the first FOUND_MAX.
import { globPrefix } from '../pattern/pattern.ts';
import type { Matcher } from './matcher.ts';
import type { Condition, Rule, RuleKey } from './rule.ts';

const OPEN_MAX = 100;
const FOUND_MAX = 100;
/** Lengths of starts by which globs are entered; each glob under the longest that its literal prefix has. */
const START_LENGTHS = [96, 48, 24, 12, 6, 3] as const;

/**
 * Whether the glob `wide` matches everything that `narrow` matches. Decided for exact texts, and for globs that are a
 * literal prefix and a star; other patterns cover only equal ones, so that a finding is never wrong.
 */
function globCovers(wide: Matcher, narrow: Matcher): boolean {
  if (wide.path !== narrow.path) return false;
  if (narrow.form === 'literal') return wide.test(narrow.text);
  const prefix = /^([^*?[\\]*)\*$/.exec(wide.text)?.[1];
  return narrow.form === 'glob' && prefix !== undefined && !wide.path && narrow.text.startsWith(prefix);
}

/** The values of a key that another rule's values cover. */
export function coveredValues(narrow: readonly Matcher[], wide: readonly Matcher[]): Matcher[] {
  const same = new Set(wide.map(({ form, text }) => `${form} ${text}`));
  const globs = wide.filter(({ form }) => form === 'glob').slice(0, OPEN_MAX);
  return narrow.filter(
    (value) => same.has(`${value.form} ${value.text}`) || globs.some((glob) => globCovers(glob, value)),
  );
}

/** The earlier rules, found by their values. Each rule is asked about before it is added. */
export class HidingRules {
  readonly #texts = new Map<string, Rule[]>();
  readonly #starts = new Map<string, Rule[]>();
  readonly #open = new Map<RuleKey, Rule[]>();
  /** How many rules have a value, by key and text. */
  readonly #uses: ReadonlyMap<string, number>;

  /** @param rules all that will be added, to know which values are rare */
  constructor(rules: readonly Rule[]) {
    const uses = new Map<string, number>();
    for (const { keys } of rules)
      for (const [key, matchers] of keys.list)
        for (const { text } of matchers) uses.set(`${key} ${text}`, (uses.get(`${key} ${text}`) ?? 0) + 1);
    this.#uses = uses;
  }

  add(rule: Rule): void {
    const [key, matchers] = this.#rarestKey(rule);
    for (const matcher of matchers) {
      append(this.#texts, `${key} ${matcher.text}`, rule);
      if (matcher.form !== 'glob') continue;
      const prefix = globPrefix(matcher.text);
      const length = START_LENGTHS.find((letters) => letters <= prefix.length);
      if (length === undefined) append(this.#open, key, rule);
      else append(this.#starts, `${key} ${prefix.slice(0, length)}`, rule);
    }
  }

  /** Rules added before that may hide this one, in any order. */
  of(rule: Rule): ReadonlySet<Rule> {
    const found = new Set<Rule>();
    const take = (list: readonly Rule[] | undefined, max: number): void => {
      for (let i = 0; list && i < list.length && i < max && found.size < FOUND_MAX; i++) found.add(list[i]!);
    };
    for (const [key, matchers] of rule.keys.list) {
      for (const { text, form } of matchers) {
        take(this.#texts.get(`${key} ${text}`), FOUND_MAX);
        if (form !== 'literal' && form !== 'glob') continue;
        for (const letters of START_LENGTHS)
          if (letters <= text.length) take(this.#starts.get(`${key} ${text.slice(0, letters)}`), FOUND_MAX);
      }
      if (matchers.some(({ form }) => form === 'literal' || form === 'glob')) take(this.#open.get(key), OPEN_MAX);
    }
    return found;
  }

  #rarestKey({ keys }: Rule): Condition {
    const usesOf = ([key, matchers]: Condition) => {
      let most = 0;
      for (const { text, form } of matchers) {
        const uses = this.#uses.get(`${key} ${text}`)!;
        // Rules with globs can be found by more than their text, so an exact value is preferred.
        most = Math.max(most, form === 'glob' ? 2 * uses : uses);
      }
      return most;
    };
    const entries = keys.list;
    let best = entries[0]!;
    for (const entry of entries.slice(1)) if (usesOf(entry) < usesOf(best)) best = entry;
    return best;
  }
}

function append<K>(lists: Map<K, Rule[]>, key: K, rule: Rule): void {
  const list = lists.get(key);
  if (!list) lists.set(key, [rule]);
  else if (list.at(-1) !== rule) list.push(rule);
}
