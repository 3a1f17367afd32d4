// Captures in which any kernel file becomes any bytes: collecting and rendering one gives values or counted errors, never
// a crash, and the page keeps its promises. `npm run unit` corrupts the committed captures, the same way every time;
// `npm run fuzz -- test/fuzz` corrupts this very host as well.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { shippedClassifier } from '../scripts/shipped-rules.ts';
import { Renderer } from '../src/agent/render.ts';
import { Sampler } from '../src/agent/sampler.ts';
import { enabledOf, samplerOptionsOf } from '../src/agent/settings.ts';
import { recordHost } from '../src/cli/capture/record-host.ts';
import { type Config, defaults } from '../src/config/options.ts';
import { type CapturedFile, type Frame, framedFiles, parseCapture } from '../src/kernel/capture.ts';
import { KernelFileError, unlessUnreadable } from '../src/kernel/files.ts';
import { liveFiles } from '../src/kernel/live-host.ts';
import type { ExporterState } from '../src/view/exporter-state.ts';
import { Exposition } from './exposition-text.ts';

/** Processes with an executable that are kept of this host; kernel threads need fewer. */
const KEPT = 30;
/** Bytes of the longest nonsense. */
const LONGEST = 10_000;

/** This host with some processes of each kind: it may have thousands. */
async function captureHost(): Promise<Frame> {
  const files = liveFiles();
  const listed = [...files.pids()];
  const userland = listed.filter((pid) => unlessUnreadable(() => files.process(pid).exe()) !== undefined);
  const others = listed.filter((pid) => !userland.includes(pid));
  const kept = new Set([process.pid, ...userland.slice(0, KEPT), ...others.slice(0, 5)]);
  const some = new Proxy(files, {
    get(of, key) {
      const value = key === 'pids' ? () => kept : Reflect.get(of, key);
      return typeof value === 'function' ? value.bind(of) : value;
    },
  });
  return recordHost(some);
}

const host = await captureHost();
const captures = new URL('captures/', import.meta.url);
const committed = readdirSync(captures).flatMap((name) => parseCapture(readFileSync(new URL(name, captures), 'utf8')));
const frames = process.env.PROPERTY_SECONDS ? [...committed, host] : committed;

const config: Config = {
  ...defaults,
  ...{ smaps: 'exact', process_io: true, process_start_time: true, collector_cgroup: true, inherit_group: true },
};
const state: Omit<ExporterState, 'view'> = {
  ...{ version: '1', revision: 'r', nodejs: '20', scrapeDuration: 1, updateDuration: 1, updateSuccess: true },
  ...{
    processesHidden: false,
    updating: false,
    collections: {},
    collectionAge: 1,
    series: 1,
    seriesDropped: new Map(),
    reloadSuccessful: true,
    unknownNames: new Map(),
    reloadTime: 1,
  },
  ...{ requests: [], cpuSeconds: 1, residentMemory: 1, startTime: 1 },
  self: { openFiles: 1, maxFiles: 1, virtualMemory: 1, readersCpu: 0, readersMemory: 0 },
};

/** Collects each frame; the page of the last. No counter of a group falls on the way. */
async function serve(frames: readonly Frame[]): Promise<{ page: string; failure: Error | undefined }> {
  const classify = shippedClassifier.classify.bind(shippedClassifier);
  const sampler = new Sampler(framedFiles(frames), classify, samplerOptionsOf(config));
  const counted = new Map<string, number>();
  for (const _ of frames) {
    await sampler.collect();
    for (const { counters: ledger } of sampler.snapshot?.view.groups ?? []) {
      for (const counter of ['user', 'system', 'before', 'minorFaults', 'readBytes', 'writeBytes'] as const) {
        const key = `${counter} of ${ledger.group}/${ledger.subgroup}`;
        assert.ok(!(ledger[counter] < (counted.get(key) ?? 0)), `${key} fell`);
        counted.set(key, ledger[counter]);
      }
    }
  }
  sampler.stop();
  const renderer = new Renderer(enabledOf(config));
  for (const format of ['openmetrics', 'text'] as const) {
    const { pieces } = await renderer.body(sampler.snapshot, format, false, () => ({
      ...state,
      view: sampler.snapshot?.view,
    }));
    if (format === 'text') return { page: Buffer.concat(pieces).toString(), failure: sampler.failure };
  }
  throw new Error('unreachable');
}

/** Random bytes, and what is worse: the file itself with a wild number put in, cut off, or twice. */
const noise = (whole: Buffer): fc.Arbitrary<Buffer> =>
  fc.oneof(
    fc
      .tuple(fc.uint8Array({ minLength: 1, maxLength: 200 }), fc.integer({ min: 1, max: LONGEST }))
      .map(([bytes, length]) => {
        return Buffer.alloc(length, Buffer.from(bytes));
      }),
    fc.uint8Array({ maxLength: LONGEST, size: 'max' }).map((bytes) => Buffer.from(bytes)),
    fc
      .tuple(fc.nat(whole.length), fc.constantFrom('9'.repeat(25), '9'.repeat(400), '-1', '\0', '\xff\xfe', ')', '\n'))
      .map(([at, wild]) => {
        return Buffer.concat([whole.subarray(0, at), Buffer.from(wild, 'latin1'), whole.subarray(at)]);
      }),
    fc.nat(whole.length).map((length) => whole.subarray(0, length)),
    fc.constant(Buffer.concat([whole, whole])),
  );

/** One file of a host, and what it becomes. */
const corruption = (frame: Frame) =>
  fc.constantFrom(...frame.keys()).chain((path) => {
    const entry = frame.get(path)!;
    const whole = 'bytes' in entry ? Buffer.from(entry.bytes) : Buffer.from('link' in entry ? entry.link : '');
    return noise(whole).map((bytes): [string, CapturedFile] => [
      path,
      'link' in entry ? { link: bytes.toString() } : { bytes },
    ]);
  });

const corruptHost = fc.constantFrom(...frames).chain((frame) =>
  fc.record({
    frame: fc.constant(frame),
    corruptions: fc.array(corruption(frame), { minLength: 1, maxLength: 4 }),
    later: fc.boolean(),
  }),
);

/** What a page promises, whatever was read. */
function check(page: string): void {
  const { samples } = new Exposition(page);
  const memory = new Map<string, Map<string, number>>();
  let footprints = 0;
  let measured = 0;
  for (const { name, labels, value } of samples) {
    assert.ok(!Number.isNaN(value), name);
    if (name === 'herakles_mem_group_footprint_bytes') footprints += value;
    if (name === 'herakles_mem_group_pss_bytes') measured += value;
    const kind = /^herakles_mem_process_(rss|pss|uss)_bytes$/.exec(name)?.[1];
    if (!kind) continue;
    const of = memory.get(labels.pid!) ?? new Map();
    memory.set(labels.pid!, of.set(kind, value));
  }
  for (const [pid, of] of memory) {
    const { rss = 0, pss = 0, uss = 0 } = Object.fromEntries(of) as { rss?: number; pss?: number; uss?: number };
    assert.ok(uss <= pss && pss <= rss, `${pid}: ${uss} ${pss} ${rss}`);
  }
  const total = samples.find(({ name }) => name === 'herakles_mem_system_total_bytes')?.value;
  // What the kernel says was measured is shown as it is, also where it contradicts the total.
  const most = Math.max(total ?? 0, measured);
  if (total !== undefined) assert.ok(footprints <= most, `${footprints} of ${most}`);
}

test('the capture itself is served', async () => {
  const { page, failure } = await serve([host, host]);
  assert.equal(failure, undefined);
  check(page);
  assert.ok(page.includes(`{pid="${process.pid}",name="node"`) || page.includes(`{pid="${process.pid}",`));
});

test('any kernel file may become any bytes', async () => {
  await fc.assert(
    fc.asyncProperty(corruptHost, async ({ frame, corruptions, later }) => {
      const corrupt = new Map([...frame, ...corruptions]);
      const { page, failure } = await serve(later ? [frame, corrupt, frame] : [corrupt, frame]);
      assert.ok(failure === undefined || failure instanceof KernelFileError, failure?.stack);
      check(page);
    }),
    { numRuns: 40, includeErrorInReport: true },
  );
});

for (const file of ['stat', 'statm', 'io', 'status', 'smaps_rollup', 'cmdline', 'cgroup']) {
  test(`every process's ${file} may be nonsense`, async () => {
    const nonsense = (path: string, entry: CapturedFile): CapturedFile =>
      path.endsWith(`/${file}`) && /^proc\/\d/.test(path)
        ? { bytes: Buffer.alloc(LONGEST, 'x y (z) \0\n\xff') }
        : entry;
    const { page, failure } = await serve([new Map([...host].map(([path, entry]) => [path, nonsense(path, entry)]))]);
    assert.equal(failure, undefined);
    check(page);
    const { samples } = new Exposition(page);
    const counted = samples.filter(
      ({ name, labels }) =>
        name === 'herakles_exporter_unreadable_processes' && labels.file === file && labels.reason === 'malformed',
    );
    const freeText = ['cmdline', 'cgroup'].includes(file); // where nonsense is a value
    assert.equal((counted[0]?.value ?? 0) > 0, !freeText, `${file} is counted`);
  });
}
