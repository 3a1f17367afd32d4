// Reads the rule files of deploy/prometheus, and shortens them for tests, because a test does not last six hours.
// Shortened: every duration, and every number of seconds that stands for a duration, is divided; nothing else changes.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { parse, stringify } from 'yaml';
import { root, scratch } from './harness.ts';

export type Rule = {
  record?: string;
  alert?: string;
  expr: string;
  for?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
};
export type RuleGroup = { name: string; interval?: string; rules: Rule[] };

export const rulesFolder = `${root}deploy/prometheus/rules`;
export const ruleFiles = ['herakles-recording.yml', 'herakles-alerts.yml'];
export const ruleTests = readdirSync(`${rulesFolder}/tests`).sort();

export const readGroups = (file: string): RuleGroup[] =>
  (parse(readFileSync(`${rulesFolder}/${file}`, 'utf8')) as { groups: RuleGroup[] }).groups;

export const allRules = (): Rule[] => ruleFiles.flatMap((file) => readGroups(file).flatMap(({ rules }) => rules));

/** The expression under a recorded name. */
export function recorded(name: string): string {
  const rule = allRules().find(({ record }) => record === name);
  if (!rule) throw new Error(`no rule records ${name}`);
  return rule.expr;
}

const seconds = { s: 1, m: 60, h: 3600, d: 86_400 };
/** Windows and horizons that the expressions name in seconds: an hour, two, six, a day. */
const horizons = /(?<![\w.:])(3600|7200|21600|86400)(?![\w.])/g;

/** A window needs a few scrapes, and they are a second apart. */
const shortest = 4;
const divide = (length: number, factor: number): number => Math.max(shortest, Math.round(length / factor));

/** An expression whose windows, steps and offsets are shorter. */
export const shortenDurations = (text: string, factor: number): string =>
  text.replace(/(?<![\w:])(\d+)([smhd])\b/g, (_, count, unit) => {
    return `${divide(Number(count) * seconds[unit as keyof typeof seconds], factor)}s`;
  });
const shortenText = (text: string, factor: number): string =>
  shortenDurations(text, factor).replace(horizons, (length) => String(divide(Number(length), factor)));

/**
 * Writes copies of all rule files for Prometheus to load, evaluated every second.
 * @param factor what durations are divided by; 1 leaves expressions as they are
 */
export function copyRules(factor = 1): string[] {
  const dir = scratch();
  return ruleFiles.map((file) => {
    const groups = readGroups(file).map((group) => ({
      ...group,
      interval: '1s',
      rules: group.rules.map((rule) => {
        if (factor === 1) return rule;
        const pending = rule.for ? { for: shortenText(rule.for, factor) } : {};
        return { ...rule, ...pending, expr: shortenText(rule.expr, factor) };
      }),
    }));
    writeFileSync(`${dir}/${file}`, stringify({ groups }));
    return `${dir}/${file}`;
  });
}
