// serve: runs the exporter until a signal ends it. SIGHUP, and a change of a file it was loaded from, reload it.
import { Agent } from '../agent/agent.ts';
import { watchFiles } from '../config/watch.ts';
import { listen } from '../server/listen.ts';
import type { Invocation } from './arguments.ts';
import { loadSetup, openHost, placesOf, sourcesOf } from './setup.ts';

/** Resolves when a signal has ended it. @throws ConfigError, ListenError */
export async function serve(invocation: Invocation, program: { version: string; revision: string }): Promise<void> {
  const sources = sourcesOf(invocation);
  const setup = await loadSetup(sources);
  const agent = new Agent(openHost(setup.config), program, setup, () => loadSetup(sources));
  const { log } = agent;
  const ended = new Promise<string>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, resolve);
  });
  process.on('SIGHUP', () => void agent.reload());
  const listening = await listen(agent);
  const watching = watchFiles(
    placesOf(sources, setup.config),
    () => void agent.reload(),
    (error) => log.warn('configuration is not watched; reload with SIGHUP', { err: error.message }),
  );
  agent.start();
  log.info('serving', { url: listening.url + setup.config.web_telemetry_path, version: program.version });
  const signal = await ended;
  log.info('ending', { signal });
  watching.close();
  agent.stop();
  await listening.close();
}
