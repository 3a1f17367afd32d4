import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Metafile } from 'esbuild';
import { metafilesOfProgram } from './built-program.ts';
import { root } from './bundle.mjs';
import { noticeOf, packagesOf, sbomOf } from './bundled-packages.mjs';

test('NOTICE and SBOM name each library that has code in the bundle, and no other library', () => {
  const paths = metafilesOfProgram
    .flatMap(({ inputs }) => Object.keys(inputs))
    .filter((path) => path.includes('node_modules/'));
  const named = [...new Set(paths.map((path) => path.split('node_modules/').at(-1)!.split('/')[0]!))].sort();
  assert.ok(named.includes('bcryptjs'), 'the library of the thread for passwords, a bundle in the bundle');
  const packages = packagesOf(metafilesOfProgram, root);
  assert.deepEqual(
    packages.map(({ name }) => name),
    named,
  );
  const notice = noticeOf(packages);
  for (const name of named) {
    const folder = join(root, 'node_modules', name);
    const file = readdirSync(folder).find((entry) => /^license/i.test(entry))!;
    const text = readFileSync(join(folder, file), 'utf8').trim();
    assert.ok(notice.includes(text), `the licence of ${name}, word by word`);
  }
  assert.ok(notice.includes(readFileSync(`${root}bpf/LICENSE`, 'utf8').trim()), 'that of the BPF program too');
  const sbom = sbomOf({ version: '1.2.3', packages }) as { components: { purl: string }[] };
  const purls = named.map((name) => {
    const { version } = JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8'));
    return `pkg:npm/${name}@${version}`;
  });
  assert.deepEqual(
    sbom.components.map(({ purl }) => purl),
    purls,
  );
});

test('an SBOM of an artefact with Node.js inside has that, with what is in it', () => {
  const node = { node: '24.1.0', openssl: '3.5.1', modules: '137', ngtcp2: '' };
  const { components } = sbomOf({ version: '1.2.3', packages: [], node }) as { components: object[] };
  assert.equal(components.length, 1);
  const { type, name, version, components: inside } = components[0] as Record<string, unknown>;
  assert.deepEqual(
    { type, name, version, components: inside },
    {
      ...{ type: 'platform', name: 'node', version: '24.1.0' },
      components: [{ type: 'library', name: 'openssl', version: '3.5.1' }],
    },
  );
});

test('a library without a licence cannot be bundled', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'herakles-licence-'));
  t.after(() => rmSync(folder, { recursive: true }));
  cpSync(join(root, 'package.json'), join(folder, 'node_modules/some/package.json'));
  const outputs = { 'x.js': { inputs: { 'node_modules/some/a.js': { bytesInOutput: 1 } } } };
  const metafile = { inputs: {}, outputs } as unknown as Metafile;
  assert.throws(() => packagesOf([metafile], folder), /some has no licence .* no file LICENSE/);
});
