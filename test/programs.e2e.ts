// Real programs get the right subgroup: every process of each program, with its workers, sessions and helpers, is in a
// subgroup that programs.ts names for it, and each kind of process that programs.ts names is there.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { ensure } from '../scripts/test-servers.mjs';
import { type Exporter, eventually, need, needRoot, startExporter } from './harness.ts';
import { Place, type Program } from './place.ts';
import { readTruth } from './proc-truth.ts';
import { PROGRAMS } from './programs.ts';

/** Pid, comm and command line of each process that has memory. */
function processesOf(place: Place) {
  return place.namespace.pids().flatMap((pid) => {
    const comm = readTruth(pid)?.comm;
    if (comm === undefined) return []; // a zombie, or gone
    const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    return [{ pid, text: `${comm} ${line}` }];
  });
}

/** Fails unless each process is in its subgroup, and each kind of process is there. */
async function assertLands(place: Place, { lands }: Program, exporter: Exporter): Promise<void> {
  const earlier = processesOf(place);
  const scrape = await exporter.scrape();
  const later = processesOf(place);
  const lasting = earlier.filter(({ pid, text }) => later.some((other) => other.pid === pid && other.text === text));
  const landed = lasting.map(({ pid, text }) => {
    const [sample, ...more] = scrape.all('herakles_mem_process_rss_bytes', { pid });
    assert.ok(sample && more.length === 0, `${text}: ${more.length + (sample ? 1 : 0)} series of pid ${pid}`);
    return { where: `${sample.labels.group}/${sample.labels.subgroup}`, text };
  });
  const found = JSON.stringify(landed, null, 1);
  for (const { where, text } of landed) assert.ok(lands[where], `${where} has ${text}: ${found}`);
  for (const [where, kinds] of Object.entries(lands)) {
    for (const kind of kinds) {
      const count = landed.filter((proc) => proc.where === where && proc.text.includes(kind)).length;
      const wanted = kinds.filter((other) => other === kind).length;
      assert.ok(count >= wanted, `${count} instead of ${wanted} '${kind}' in ${where}: ${found}`);
    }
  }
}

// Three tests at a time: they mostly wait.
describe('real programs land right', { concurrency: 3 }, () => {
  const ends: (() => void | Promise<void>)[] = [];
  let exporter: Promise<Exporter>;
  before(() => {
    try {
      ensure(...Object.values(PROGRAMS).flatMap(({ needs }) => needs)); // all together, so that no test waits for another one's packages
    } catch {} // each test says what is missing for it
    exporter = startExporter(
      { after: (end) => void ends.push(end) },
      { args: ['--cache-ttl', '0s', '--no-service-groups'] },
    );
  });
  after(async () => {
    for (const end of ends) await end();
  });

  for (const [name, program] of Object.entries(PROGRAMS)) {
    test(name, { timeout: 300_000 }, async (t) => {
      if (!needRoot(t)) return;
      const paths = need(t, ...program.needs);
      if (!paths) return;
      const place = await Place.open(t);
      try {
        await program.start(place, paths[program.needs[0]!]!);
        await eventually(async () => assertLands(place, program, await exporter), 20_000, 250);
      } catch (error) {
        const said = place.started.map((run) => `${run.stdout}${run.stderr}`.slice(-2000)).join('\n');
        throw new Error(`${(error as Error).message}\n${said}`);
      }
    });
  }
});
