import assert from 'node:assert/strict';
import { test } from 'node:test';
import { site } from '../../test/api-site.ts';
import { rulesPage } from './document-pages.ts';

const all = new URLSearchParams();

test('a page of rules is made once for a collection, and again after a reload', async (t) => {
  const { agent, collect } = site(t);
  await collect();
  const first = await rulesPage(agent, all);
  assert.match(first.html, /2 of 2 rules/);
  assert.equal(await rulesPage(agent, all), first);
  const filtered = await rulesPage(agent, new URLSearchParams({ filter: 'nginx' }));
  assert.match(filtered.html, /1 of 2 rules/);
  assert.equal(await rulesPage(agent, all), first, 'both are kept');
  await agent.reload();
  assert.notEqual(await rulesPage(agent, all), first, 'rules may be others now');
  const reloaded = await rulesPage(agent, all);
  await collect(1);
  assert.notEqual(await rulesPage(agent, all), reloaded, 'other processes may match now');
});
