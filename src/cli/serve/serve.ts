// serve: runs the exporter until SIGTERM or SIGINT ends it. It loads its configuration, rules, web configuration and
// certificates again on SIGHUP, on POST /-/reload, and when one of these files changes.
import { Agent, type Reload } from '../../agent/agent.ts';
import { keepHeapSmall } from '../../agent/heap.ts';
import { type FileWatch, watchFiles } from '../../config/watch.ts';
import { HttpServer } from '../../server/http-server.ts';
import { loadWebConfig } from '../../server/web-config.ts';
import { loadSetup, openHost, sourcesOf, watchedFilesOf } from '../load-host.ts';
import { IGNORED_SIGNALS } from '../node-signals.ts';
import { program } from '../program.ts';
import type { GivenSettings } from '../verb.ts';
import { checkNodeStart, readNodeStart } from './node-options.ts';

/** Resolves when a signal has ended it. @throws ConfigError, ListenError */
export async function serve(settings: GivenSettings): Promise<void> {
  checkNodeStart(await readNodeStart());
  const sources = sourcesOf(settings);
  /** Every path at which the last attempt to load looked for a file. */
  let places: string[] = [];
  const load = async () => {
    const setup = await loadSetup(sources);
    places = watchedFilesOf(sources, setup.config);
    return { ...setup, web: await loadWebConfig(setup.config, places) };
  };
  const setup = await load();
  let { web } = setup;
  const agent = new Agent(await openHost(setup.config), program, setup, async () => {
    const next = await load();
    web = next.web;
    return next;
  });
  const { log } = agent;
  process.stderr.on('error', () => {}); // The reader of the log may be gone. That is no reason to end.
  // Node.js opens a debugger some time after the signal: what began before the program is seen at the second look.
  for (const { option, effect } of checkNodeStart(await readNodeStart()))
    log.warn('Node.js was started with an option that is not for a service; leave it out', { option, effect });
  for (const signal of IGNORED_SIGNALS)
    process.on(signal, () => log.info('signal ignored; SIGHUP reloads, SIGTERM ends', { signal }));
  const ended = new Promise<string>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, resolve);
  });

  let watching: FileWatch | undefined;
  let watched = '';
  const watch = () => {
    if (places.join('\n') === watched) return;
    watched = places.join('\n');
    watching?.close();
    watching = watchFiles(places, {
      changed: () => void reload(),
      failed: (error) =>
        log.warn('a folder of the configuration cannot be watched; changes in it are found within 10 seconds', {
          err: error.message,
        }),
    });
  };
  const reload = async (byClient = false): Promise<Reload> => {
    const result = await agent.reload(byClient);
    if (result.ok) await server.configure(web);
    watch();
    return result;
  };
  const server = await HttpServer.start({ agent, reload: () => reload(true) }, web);
  process.on('SIGHUP', () => void reload());
  watch();
  agent.start();
  void agent.collect().then(keepHeapSmall);
  for (const url of server.urls)
    log.info('serving', {
      url: url + (url.startsWith('unix:') ? '' : setup.config.web_telemetry_path),
      version: program.version,
    });
  const signal = await ended;
  log.info('ending', { signal });
  watching?.close();
  agent.stop();
  await server.close();
}
