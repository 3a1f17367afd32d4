// npm run dev: runs the exporter from source, and runs it again after every change that builds. Arguments after `--` go
// to the exporter: npm run dev -- --port 9300. It differs from the released bundle only in that Node.js reads the source
// map, so that stacks name source lines.
import { spawn } from 'node:child_process';
import { install } from './install.mjs';

install();
const [{ context }, { programOptions, root }] = await Promise.all([import('esbuild'), import('./bundle.mjs')]);
const bundle = 'dist/dev/herakles.cjs';

/** @type {import('node:child_process').ChildProcess | undefined} */
let exporter;
let ending = false;

/** Ends the exporter that runs, in good order, so that its port is free for the next one. */
async function stop() {
  const running = exporter;
  exporter = undefined;
  if (!running || running.exitCode !== null || running.signalCode !== null) return;
  const ended = new Promise((resolve) => running.once('exit', resolve));
  running.kill('SIGTERM');
  await ended;
}

async function restart() {
  await stop();
  if (ending) return;
  console.error(`# running ${bundle}; it starts again when a source file changes, Ctrl-C ends it`);
  exporter = spawn(process.execPath, ['--enable-source-maps', root + bundle, ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  exporter.once('exit', (status, signal) => {
    if (!ending) console.error(`# the exporter ended with ${signal ?? `status ${status}`}`);
  });
}

/** Changes come faster than an exporter stops: one restart after the other. */
let turn = Promise.resolve();

/** @type {import('esbuild').Plugin} */
const runAfterBuild = {
  name: 'run-after-build',
  setup(plugin) {
    plugin.onEnd(({ errors }) => {
      if (errors.length > 0) console.error('# it does not build; what was running runs on');
      else turn = turn.then(restart);
    });
  },
};

const options = programOptions(bundle);
const building = await context({ ...options, plugins: [...options.plugins, runAfterBuild], logLevel: 'warning' });
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
  process.once(signal, async () => {
    ending = true;
    await building.dispose();
    await turn;
    await stop();
    process.exit();
  });
}
await building.watch();
