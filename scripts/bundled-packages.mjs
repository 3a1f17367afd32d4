// Which libraries are inside a bundle, with their licences: from esbuild's own list of what it put in (the metafile), so a
// library cannot be bundled and forgotten. NOTICE and the SBOM are made from it.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A library. A bundle contains some of its code.
 * @typedef {{ name: string, version: string, licence: string, text: string }} Package
 */

const FOLDER = /^(.*\bnode_modules\/(?:@[^/]+\/)?[^/]+)\//;

/**
 * The libraries whose code is in the output of one of these builds, by name.
 * @param {readonly import('esbuild').Metafile[]} metafiles of the bundle, and of the bundles that it holds as text
 * @param {string} root the folder to which the paths in the metafiles are relative
 * @returns {Package[]}
 * @throws {Error} where a library says no licence, or has no file with its text
 */
export function packagesOf(metafiles, root) {
  const outputs = metafiles.flatMap(({ outputs }) => Object.values(outputs));
  const inputs = outputs.flatMap(({ inputs }) => Object.entries(inputs));
  const used = inputs.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([path]) => FOLDER.exec(path)?.[1]);
  const folders = [...new Set(used.filter((path) => path !== undefined))];
  return folders.map((path) => readPackage(join(root, path))).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * @param {string} folder
 * @returns {Package}
 */
function readPackage(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e(\.|$)/i.test(entry));
  if (typeof license !== 'string' || !file)
    throw new Error(`${folder} has no licence in package.json or no file LICENSE: it cannot be bundled without both`);
  return { name, version, licence: license, text: readFileSync(join(folder, file), 'utf8').trim() };
}

/** The program that `bpf pin` loads: the kernel wants a licence that is compatible with the GPL. */
export const BPF_LICENCE = 'GPL-2.0-only OR BSD-2-Clause';

/**
 * The text of NOTICE: each library with its licence, word by word, and that of the BPF program.
 * @param {readonly Package[]} packages
 * @param {Package} [node] the Node.js inside an executable, with the licences of all that it holds
 */
export function noticeOf(packages, node) {
  const parts = [...packages, ...(node ? [node] : [])].map(
    ({ name, version, licence, text }) => `${name} ${version} (${licence})\n\n${text}\n`,
  );
  const bpf = readFileSync(new URL('../bpf/LICENSE', import.meta.url), 'utf8');
  parts.push(`BPF program (${BPF_LICENCE})\n\n${bpf}`);
  const head = 'herakles-node-exporter is licensed under the Apache License 2.0. It contains these libraries:\n';
  return [head, ...parts].join(`\n${'-'.repeat(80)}\n\n`);
}

/**
 * Debian packages. An image holds their libraries.
 * @typedef {{
 *   suite: string, architecture: string, packages: readonly { name: string, version: string, sha256: string }[],
 * }} DebianPackages
 */

/**
 * What an artefact holds, as CycloneDX 1.5 in JSON (cyclonedx.org/docs/1.5/json): the program, the libraries of its bundle,
 * where the artefact has a Node.js inside, that with the libraries that Node.js itself reports (process.versions), and
 * packages of Debian.
 * @param {{
 *   version: string, packages: readonly Package[], node?: Readonly<Record<string, string>> | undefined,
 *   debian?: DebianPackages | undefined,
 * }} contents `node` is process.versions of the Node.js inside
 * @returns {object}
 */
export function sbomOf({ version, packages, node, debian }) {
  const program = 'pkg:npm/herakles-node-exporter';
  const libraries = packages.map(({ name, version, licence }) => {
    const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
    return { type: 'library', 'bom-ref': purl, name, version, purl, licenses: [{ license: { id: licence } }] };
  });
  const { node: nodeVersion, ...inner } = node ?? {};
  const within = Object.entries(inner).filter(([name, version]) => version && !NOT_LIBRARIES.includes(name));
  const runtime = {
    ...{ type: 'platform', 'bom-ref': `pkg:generic/node@${nodeVersion}`, name: 'node', version: nodeVersion },
    ...{ purl: `pkg:generic/node@${nodeVersion}`, cpe: `cpe:2.3:a:nodejs:node.js:${nodeVersion}:*:*:*:*:*:*:*` },
    licenses: [{ license: { id: 'MIT' } }],
    components: within.map(([name, version]) => ({ type: 'library', name, version })),
  };
  const components = [...libraries, ...(nodeVersion ? [runtime] : []), ...(debian ? systemOf(debian) : [])];
  const root = `${program}@${version}`;
  return {
    ...{ bomFormat: 'CycloneDX', specVersion: '1.5', version: 1 },
    metadata: {
      component: {
        ...{ type: 'application', 'bom-ref': root, name: 'herakles-node-exporter', version, purl: root },
        licenses: [{ license: { id: 'Apache-2.0' } }],
      },
    },
    components,
    dependencies: [{ ref: root, dependsOn: components.map((component) => component['bom-ref']) }],
  };
}

/**
 * The packages as components. Their licences stand in their files `copyright`, not in a form for machines.
 * @param {DebianPackages} debian
 */
const systemOf = ({ suite, architecture, packages }) =>
  packages.map(({ name, version, sha256 }) => {
    const purl = `pkg:deb/debian/${encodeURIComponent(name)}@${encodeURIComponent(version)}?arch=${architecture}&distro=${suite}`;
    const hashes = [{ alg: 'SHA-256', content: sha256 }];
    return { type: 'library', 'bom-ref': purl, name, version, purl, hashes };
  });

/** Entries of process.versions that are numbers of interfaces or of data, not of libraries. */
const NOT_LIBRARIES = ['modules', 'napi', 'cldr', 'unicode', 'tz'];
