import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { Machine } from '../../test/machine.ts';
import { defaults } from '../config/options.ts';
import type { ExporterState } from '../view/exporter-state.ts';
import { Renderer } from './render.ts';
import { Sampler, type Snapshot } from './sampler.ts';
import { enabledOf, samplerOptionsOf } from './settings.ts';

const config = { ...defaults, collector_exporter: false };
const classify = ({ name }: { name: string }) => ({ group: name, subgroup: name, rule: 'test' });
const state = () => ({}) as ExporterState; // its collector is off

/** Snapshots of one machine, and a renderer. */
async function snapshots(t: TestContext): Promise<{ renderer: Renderer; next: () => Promise<Snapshot> }> {
  const sampler = new Sampler(new Machine(), classify, samplerOptionsOf(config));
  t.after(() => sampler.stop());
  const next = async () => {
    await sampler.collect();
    return sampler.snapshot!;
  };
  return { renderer: new Renderer(enabledOf(config)), next };
}

const pageOf = async (renderer: Renderer, snapshot: Snapshot) => {
  const { pieces, parts } = await renderer.body(snapshot, 'text', true, state);
  return { text: gunzipSync(Buffer.concat(pieces)).toString(), parts };
};

/** Whether parts of a snapshot are being written; waits until they are. */
async function writes({ view: { rows } }: Snapshot): Promise<boolean> {
  const began = rows.isPinned;
  while (rows.isPinned) await turn();
  return began;
}

test('the page of an expected scrape is made before it comes, with the same bytes', async (t) => {
  const { renderer, next } = await snapshots(t);
  await pageOf(renderer, await next());
  renderer.ahead(await next());
  await pageOf(renderer, await next());
  const snapshot = await next();
  renderer.ahead(snapshot);
  assert.ok(await writes(snapshot));
  const made = renderer.body(snapshot, 'text', true, state);
  assert.equal(snapshot.view.rows.isPinned, false, 'nothing is left to write');
  const text = gunzipSync(Buffer.concat((await made).pieces)).toString();
  assert.equal(text, (await pageOf(new Renderer(enabledOf(config)), snapshot)).text);
});

test('a page is made ahead only for readers that came each of the last two times, and wanted the same', async (t) => {
  const { renderer, next } = await snapshots(t);
  /** An expected collection, and the formats that are asked for after it. @returns whether anything was made ahead */
  const ahead = async (...gzips: boolean[]) => {
    const snapshot = await next();
    renderer.ahead(snapshot);
    const wrote = await writes(snapshot);
    for (const gzip of gzips) await renderer.body(snapshot, 'text', gzip, state);
    return wrote;
  };
  for (const [what, wrote, ...gzips] of [
    ['before the first scrape', false, true],
    ['after the first', false, true],
    ['after two', true],
    ['after one that did not come', false, true],
    ['after the next', false, false],
    ['another format', false, true],
    ['formats in turn', false, false, true],
    ['the second format came again', true, false, true],
  ] as const)
    assert.equal(await ahead(...gzips), wrote, what);
});

test('new settings forget what was asked for', async (t) => {
  const { renderer, next } = await snapshots(t);
  await pageOf(renderer, await next());
  renderer.ahead(await next());
  await pageOf(renderer, await next());
  renderer.configure(enabledOf({ ...config, collector_process: false }));
  const snapshot = await next();
  renderer.ahead(snapshot);
  assert.equal(await writes(snapshot), false);
});
