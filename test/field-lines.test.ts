// Processes as operators' hosts have them. field/pasted.json: command lines that people pasted in public, with the
// groups that an operator would call right (several may be; a group alone where any of its subgroups is).
// field/unseen.json, field/servers.json, field/strangers.json, field/services.json and field/blind.json: more of them, whose
// groups were written down before any rule was compared with them.
// field/invented.json: lines in the habits of such hosts. Both show what a rule's own examples cannot: how much of a
// host has a name, and how much has a wrong one.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { shippedClassifier } from '../scripts/shipped-rules.ts';
import { isWithoutRule, UNKNOWN_IDENTITY } from '../src/rules/identity.ts';
import { ServiceGroups } from '../src/rules/service-groups.ts';

interface FieldLine {
  readonly want: readonly string[];
  readonly comm: string;
  readonly argv: readonly string[];
  readonly exe?: string;
  readonly unit?: string;
  readonly container?: string;
}

const linesOf = (file: string): FieldLine[] =>
  JSON.parse(readFileSync(new URL(`field/${file}`, import.meta.url), 'utf8'));
const services = new ServiceGroups();
services.max = 10_000;

/** Where a line lands: its group, and whether a rule named it. */
function placeOf({ comm, ...line }: FieldLine) {
  const identity = { ...UNKNOWN_IDENTITY, ...line, name: comm };
  const own = shippedClassifier.classify(identity);
  const found = isWithoutRule(own) ? (services.of(identity) ?? own) : own;
  return { group: found.group, place: `${found.group}/${found.subgroup}` };
}

/** Groups that say nothing wrong of a program: the operator's own service, the runtime, and nothing. */
const MODEST = new Set(['other', 'service', 'runtime']);

for (const [file, count] of [
  ['pasted.json', 199],
  ['unseen.json', 150],
  ['servers.json', 186],
  ['strangers.json', 640],
  ['services.json', 680],
  ['blind.json', 156],
  ['invented.json', 170],
] as const)
  test(`of the lines in ${file} at least 97 % are right, and at most 2 % have a wrong name`, () => {
    const lines = linesOf(file);
    assert.ok(lines.length >= count);
    const placed = lines.map((line) => ({
      ...placeOf(line),
      want: line.want,
      argv: line.argv.join(' ').slice(0, 100),
    }));
    const wrong = placed.filter(({ want, group, place }) => !want.includes(place) && !want.includes(group));
    const wronglyNamed = wrong.filter(({ group }) => !MODEST.has(group));
    const shown = wrong.map(({ place, want, argv }) => `${place}, not ${want.join(' or ')}: ${argv}`).join('\n');
    assert.ok(wrong.length <= lines.length * 0.03, shown);
    assert.ok(wronglyNamed.length <= lines.length * 0.02, shown);
  });

/** Names that many people give to programs of their own; a known program has each of them as well. */
const ORDINARY_NAMES =
  'authserver backup_agent catalogd cleanup-controller clustercontroller coda cortex crm datacollector ' +
  'documentserver exportd fileserver forwarder-agent gc-agent gc_worker guard_monitor hawk healthd hydra installd ' +
  'karma katana kms lighthouse linkcheck lms logagent logd login mailserver mailwatch mediaserver msg_server nebula ' +
  'netmon next notifyd orbit orchestrator package-server panel payload pebble pen pluto policyd proton proxyd ' +
  'ranger registry-server relayd relayproxy rest-server runbatch scand service-manager stagehand starter stash ' +
  'statuspage storage_broker streaming sync_server syslog-agent system-agent tiger traced trojan uma viewagent zeus ' +
  'approx conduit discover dmagent dmserver domino folks glider heart ibserver monkey mongoose motion mpa naive ' +
  'nanny onboard opsagent orderer overture preload emerald florence fossil fractal franz grendel helix hyper magnus ' +
  'neuron nil ord pat peony pulse-agent pump reprise rigel stat_server surf view zeal repagent repctl slserver ' +
  'speaker sysmon webhook wings ' +
  'rep panel-api-server argus boundary bore burrow chisel convoy ergo fort lego obi odyssey pinot piper vroom ' +
  'agent api app backend bot core gateway hub manager monitor proxy scheduler server sync web worker';

test('a program that shares only its name with a known program is not taken for it', () => {
  const named = ORDINARY_NAMES.split(' ').flatMap((name) =>
    [
      { comm: name, argv: [`/home/joe/${name}/${name}`, '--port', '8080'] },
      { comm: 'python3', argv: ['python3', `/srv/${name}/${name}.py`] },
      { comm: 'python3', argv: ['/usr/bin/python3', `/usr/local/bin/${name}`] },
      { comm: 'run', argv: [`/opt/${name}/bin/run`] },
    ]
      .map((line) => ({ line, ...placeOf({ want: [], ...line }) }))
      .filter(({ group }) => !MODEST.has(group))
      .map(({ line, place }) => `${place}: ${line.argv.join(' ')}`),
  );
  assert.deepEqual(named, []);
});
