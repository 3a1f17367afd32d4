// The images: the executable above the few libraries of Debian that it loads, without shell or package manager, for user 65534. An
// image is a tar archive in the layout of OCI (github.com/opencontainers/image-spec, image-layout.md), which podman, skopeo and
// containerd read; manifest.json in it lists the same blobs for `docker load`. The three variants differ in the
// capabilities of the executable, because a container engine gives none to a process that is not root (docs/deployment.md).
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { revision } from '../bundle.mjs';
import { root } from '../install.mjs';
import { debianFiles, lock } from './debian-libraries.ts';
import { type Blob, blobOf, type Capability, type Layer, type LayerEntry, layerOf, tarOf } from './layer.ts';
import type { Architecture } from './node-binaries.ts';
import { NAME, type Release, sbomText } from './release.ts';

const USER = 65534;
const VARIANTS: readonly { suffix: string; capabilities: readonly Capability[] }[] = [
  { suffix: '', capabilities: [] },
  { suffix: '-ptrace', capabilities: ['cap_sys_ptrace'] },
  { suffix: '-io', capabilities: ['cap_sys_ptrace', 'cap_dac_read_search'] },
];

/** @returns the paths of NAME-VERSION[-VARIANT].image-ARCH.tar, and of the SBOM of what is in them */
export async function writeImages(release: Release, architecture: Architecture, executable: string): Promise<string[]> {
  const { version, date, fast, out, notice } = release;
  const sbom = imageSbom(release, architecture);
  const users: LayerEntry[] = [
    { path: 'etc/passwd', content: `herakles:x:${USER}:${USER}:Herakles:/:/nonexistent\n` },
    { path: 'etc/group', content: `herakles:x:${USER}:\n` },
  ];
  const system = await layerOf([...debianFiles(architecture), ...users], date, fast);
  const read = (path: string) => readFileSync(root + path, 'utf8');
  const docs = `usr/share/doc/${NAME}`;
  const program = readFileSync(executable);
  const paths = VARIANTS.map(async ({ suffix, capabilities }) => {
    const own = await layerOf(
      [
        { path: `usr/bin/${NAME}`, content: program, mode: 0o755, capabilities },
        { path: `${docs}/LICENSE`, content: read('LICENSE') },
        { path: `${docs}/NOTICE`, content: notice },
        { path: `${docs}/sbom.cdx.json`, content: sbom },
      ],
      date,
      fast,
    );
    const path = join(out, `${NAME}-${version}${suffix}.image-${architecture}.tar`);
    writeFileSync(
      path,
      await archiveOf(`${version}${suffix}`, configOf(release, architecture, [system, own]), [system, own], date),
    );
    return path;
  });
  const list = join(out, `${NAME}-${version}.image-${architecture}.cdx.json`);
  writeFileSync(list, sbom);
  return [...(await Promise.all(paths)), list];
}

const imageSbom = ({ version, packages, node }: Release, architecture: Architecture): string =>
  sbomText({
    version,
    packages,
    node,
    debian: { suite: lock().suite, architecture, packages: lock().packages[architecture] },
  });

function configOf(
  { version, date, description }: Release,
  architecture: Architecture,
  layers: readonly Layer[],
): object {
  const created = new Date(date * 1000).toISOString().replace('.000', '');
  const labels = {
    created,
    version,
    description,
    revision: revision(),
    title: NAME,
    licenses: 'Apache-2.0',
    vendor: 'The Herakles authors',
  };
  return {
    ...{ created, architecture, os: 'linux', ...(architecture === 'arm64' ? { variant: 'v8' } : {}) },
    config: {
      User: `${USER}:${USER}`,
      ExposedPorts: { '9215/tcp': {} },
      // The MALLOC variables save some 6 MB, as in the systemd unit.
      Env: [
        ...['PATH=/usr/bin', 'HOME=/'],
        ...['MALLOC_ARENA_MAX=1', 'MALLOC_MMAP_THRESHOLD_=4096', 'MALLOC_TRIM_THRESHOLD_=65536'],
      ],
      Entrypoint: [`/usr/bin/${NAME}`],
      Labels: Object.fromEntries(
        Object.entries(labels).map(([key, value]) => [`org.opencontainers.image.${key}`, value]),
      ),
    },
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    history: ['libraries of Debian', NAME].map((comment) => ({ created, comment })),
  };
}

/** The archive of one image. */
function archiveOf(tag: string, config: object, layers: readonly Layer[], date: number): Promise<Buffer> {
  const oci = 'application/vnd.oci.image';
  const described = (kind: string, { digest, bytes }: Blob) => ({
    mediaType: `${oci}.${kind}`,
    digest,
    size: bytes.length,
  });
  const configBlob = blobOf(config);
  const manifest = blobOf({
    schemaVersion: 2,
    mediaType: `${oci}.manifest.v1+json`,
    config: described('config.v1+json', configBlob),
    layers: layers.map((layer) => described('layer.v1.tar+gzip', layer)),
  });
  // With a host in front, as podman and containerd want it; it is on no registry.
  const annotations = { 'org.opencontainers.image.ref.name': `localhost/${NAME}:${tag}` };
  const index = {
    schemaVersion: 2,
    mediaType: `${oci}.index.v1+json`,
    manifests: [{ ...described('manifest.v1+json', manifest), annotations }],
  };
  const place = ({ digest }: Blob) => `blobs/${digest.replace(':', '/')}`;
  const forDocker = [{ Config: place(configBlob), RepoTags: [`${NAME}:${tag}`], Layers: layers.map(place) }];
  return tarOf(
    [
      ...[configBlob, manifest, ...layers].map((blob) => ({ path: place(blob), content: blob.bytes })),
      { path: 'oci-layout', content: '{"imageLayoutVersion":"1.0.0"}' },
      { path: 'index.json', content: JSON.stringify(index) },
      { path: 'manifest.json', content: JSON.stringify(forDocker) },
    ],
    date,
  );
}
