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
  const began = rows.pinCount > 0;
  while (rows.pinCount > 0) await turn();
  return began;
}

test('the page of an expected scrape is made before it comes, with the same bytes', async (t) => {
  const { renderer, next } = await snapshots(t);
  await pageOf(renderer, await next());
  const snapshot = await next();
  renderer.ahead(snapshot);
  assert.ok(await writes(snapshot));
  const made = renderer.body(snapshot, 'text', true, state);
  assert.equal(snapshot.view.rows.pinCount, 0, 'nothing is left to write');
  const text = gunzipSync(Buffer.concat((await made).pieces)).toString();
  assert.equal(text, (await pageOf(new Renderer(enabledOf(config)), snapshot)).text);
});

test('nothing is made for nobody: before the first scrape, after one that did not come, in another format', async (t) => {
  const { renderer, next } = await snapshots(t);
  const ahead = async () => {
    const snapshot = await next();
    renderer.ahead(snapshot);
    return { snapshot, wrote: await writes(snapshot) };
  };
  assert.equal((await ahead()).wrote, false);
  await pageOf(renderer, (await ahead()).snapshot);
  const first = await ahead();
  assert.equal(first.wrote, true);
  assert.equal((await ahead()).wrote, false, 'the scrape that was expected did not come');
  const second = await ahead();
  await pageOf(renderer, second.snapshot);
  const third = await ahead();
  const plain = renderer.body(third.snapshot, 'text', false, state);
  assert.ok(third.snapshot.view.rows.pinCount > 0, 'another format is not there');
  await plain;
});

test('new settings forget what was asked for', async (t) => {
  const { renderer, next } = await snapshots(t);
  await pageOf(renderer, await next());
  renderer.configure(enabledOf({ ...config, collector_process: false }));
  const snapshot = await next();
  renderer.ahead(snapshot);
  assert.equal(await writes(snapshot), false);
});
