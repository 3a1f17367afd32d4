// Says which group and subgroup a process belongs to, and why. precedence.ts says which rule decides when several
// match, rule-index.ts finds that rule soon, and match-target.ts compares a rule's value with what a process has. Both
// classify() and explain() compare by that one function, so they cannot disagree.
import { MatchWork } from '../pattern/match-work.ts';
import { type Classification, type Identity, UNCLASSIFIED } from './identity.ts';
import { KnownNames } from './known-names.ts';
import { findMatcher, MatchTarget } from './match-target.ts';
import { type Look, lookDecides, otherLooks } from './other-looks.ts';
import { byPrecedence } from './precedence.ts';
import type { Rule, RuleKey } from './rule.ts';
import { RuleIndex } from './rule-index.ts';
import { type Ranked, rankedRule } from './rule-table.ts';
import { runToEnd } from './run-to-end.ts';

/** One key of a rule, compared with a process. */
export interface KeyResult {
  readonly key: RuleKey;
  /** What the rule asks for, as written there: the value that matched, or all of them when none did. */
  readonly wanted: readonly string[];
  /** What the process has. */
  readonly value: string;
}

/** A rule compared with a process, key by key. It matches where no key failed. */
export interface RuleResult {
  readonly rule: Rule;
  readonly held: readonly KeyResult[];
  readonly failed: readonly KeyResult[];
}

/** Why a process belongs where it does. */
export interface ClassificationExplanation {
  readonly classification: Classification;
  /** The rule that decided; undefined when none matched. */
  readonly winner: RuleResult | undefined;
  /** Other rules that match, in the order in which they would have decided. */
  readonly otherMatches: readonly RuleResult[];
  /**
   * Rules that have two keys or more, and only one of them failed; in order of precedence. A command line alone is no reason: an
   * option such as --port, which some rule asks for beside a name, is common to many programs.
   */
  readonly nearMisses: readonly RuleResult[];
  /** Whether patterns of some rules were not asked, because their work for one process is limited (match-work.ts). */
  readonly cutShort: boolean;
}

/** A rule that decides, and the look at the process under which it does. */
interface Decision {
  readonly ranked: Ranked;
  readonly look: Look;
}

/** All rules of one subgroup, in the order in which they decide. */
export interface Subgroup {
  readonly group: string;
  readonly subgroup: string;
  readonly rules: readonly Rule[];
}

/** Compares one rule with a process. */
export const compareRule = (rule: Rule, identity: Identity): RuleResult => compare(rule, seenAs(identity));

const seenAs = (identity: Identity): MatchTarget => new MatchTarget(identity, MatchWork.unlimited());

function compare(rule: Rule, target: MatchTarget): RuleResult {
  const held: KeyResult[] = [];
  const failed: KeyResult[] = [];
  for (const [key, matchers] of rule.keys.list) {
    const matcher = findMatcher(key, matchers, target);
    const value = target.value(key);
    if (matcher) held.push({ key, wanted: [matcher.text], value });
    else failed.push({ key, wanted: matchers.map(({ text }) => text), value });
  }
  return { rule, held, failed };
}

/** Classifies processes, about a microsecond each: keep the answer for as long as the identity holds. */
export class Classifier {
  /** In the order in which they decide. */
  readonly rules: readonly Rule[];
  private readonly index = new RuleIndex();
  private readonly known = new KnownNames();
  /** Of classify(), for one process after the other. */
  private readonly work = new MatchWork();

  /**
   * @param userRules the operator's own, in the order of their files
   * @param catalogue the rules that ship with the product
   * @param enter whether to make the index of the rules now; steps() makes it with pauses
   */
  constructor(userRules: readonly Rule[], catalogue: readonly Rule[], enter = true) {
    this.rules = byPrecedence(userRules, catalogue);
    if (enter) runToEnd(this.enter());
  }

  /** Makes the same classifier with pauses, so that an exporter which serves can load many rules. */
  static *steps(userRules: readonly Rule[], catalogue: readonly Rule[]): Generator<void, Classifier, void> {
    const classifier = new Classifier(userRules, catalogue, false);
    yield* classifier.enter();
    return classifier;
  }

  private *enter(): Generator<void, void, void> {
    const ranked: Ranked[] = [];
    for (const [rank, rule] of this.rules.entries()) {
      this.known.add(rule);
      ranked.push(rankedRule(rule, rank));
      // An expression that the empty text has to be tried on has no required literals: every process will need its
      // automaton. It is made here, with pauses, rather than for the first process.
      for (const matcher of rule.keys.get('argv') ?? []) matcher.test('');
      yield;
    }
    yield* this.index.fill(ranked);
  }

  classify(identity: Identity): Classification {
    this.work.begin();
    const target = new MatchTarget(identity, this.work);
    const own = this.index.find(target);
    const decided = own && !own.rule.fallback ? own : (this.decideByLooks(target, own)?.ranked ?? own);
    this.work.end();
    return decided?.classification ?? UNCLASSIFIED;
  }

  /**
   * The rule that decides under another name, where the process as it is has no rule, or only one for its interpreter.
   * The work of patterns is limited for all looks together.
   */
  private decideByLooks(target: MatchTarget, own: Ranked | undefined): Decision | undefined {
    const looks = otherLooks(
      target.identity,
      target.value('script'),
      this.known,
      own?.isName ?? false,
      target.argv0Start,
    );
    let runtime: Decision | undefined;
    for (let i = 0; i < looks.length; i++) {
      const look = looks[i]!;
      const ranked = this.index.find(new MatchTarget(look.identity, target.work));
      if (!ranked || !lookDecides(look, ranked.rule, own !== undefined)) continue;
      if (!ranked.rule.fallback) return { ranked, look };
      runtime ??= { ranked, look };
    }
    return own ? undefined : runtime;
  }

  /**
   * Compares every rule, without a limit to the work; for one process at a time, on demand. The winner is the rule that
   * classify() finds within its limit.
   */
  explain(identity: Identity): ClassificationExplanation {
    const limited = new MatchTarget(identity);
    const own = this.index.find(limited);
    const byLook = own && !own.rule.fallback ? undefined : this.decideByLooks(limited, own);
    const decided = byLook?.ranked ?? own;
    limited.work.end();
    const target = new MatchTarget(identity, MatchWork.unlimited());
    const results = this.rules.map((rule) => compare(rule, target));
    target.work.end();
    const matches = results.filter(({ failed }) => failed.length === 0);
    const nearMisses = results.filter(
      ({ held, failed }) => failed.length === 1 && held.some(({ key }) => key !== 'argv'),
    );
    const winner = decided && compare(decided.rule, seenAs(byLook?.look.identity ?? identity));
    const otherMatches = matches.filter(({ rule }) => rule !== winner?.rule);
    const classification = winner
      ? { group: winner.rule.group, subgroup: winner.rule.subgroup, rule: winner.rule.name }
      : UNCLASSIFIED;
    const cutShort = limited.work.exhausted;
    return { classification, winner, otherMatches, nearMisses, cutShort };
  }

  /**
   * Compares a rule that decides with the process as it is; or under the first other name under which the rule matches,
   * where it does not match as it is.
   */
  compareDecision(rule: Rule, identity: Identity): { result: RuleResult; look?: Look } {
    const target = seenAs(identity);
    const result = compare(rule, target);
    if (result.failed.length === 0) return { result };
    const named = this.index.find(target)?.isName ?? false;
    for (const look of otherLooks(identity, target.value('script'), this.known, named)) {
      const other = compareRule(rule, look.identity);
      if (other.failed.length === 0) return { result: other, look };
    }
    return { result };
  }

  /** Every subgroup of the rules, by group and name. other/other, where nothing matches, is not among them. */
  subgroups(): readonly Subgroup[] {
    const found = new Map<string, { group: string; subgroup: string; rules: Rule[] }>();
    for (const rule of this.rules) {
      const key = `${rule.group}\0${rule.subgroup}`;
      const entry = found.get(key) ?? { group: rule.group, subgroup: rule.subgroup, rules: [] };
      entry.rules.push(rule);
      found.set(key, entry);
    }
    return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, subgroup]) => subgroup);
  }
}
