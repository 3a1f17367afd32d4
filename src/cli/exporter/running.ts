// The exporter that a verb asks before it collects by itself. It knows more (footprints that it has measured since it started,
// and the last hour), and a host where ten people look is read once.
import type { Config } from '../../config/options.ts';
import { type GivenSettings, VerbError } from '../verb.ts';
import { ExporterClient } from './client.ts';
import { AskError, changesCollection } from './endpoints.ts';

/** What the exporter said, or why it was not asked. */
export type Said<T> = { readonly client: ExporterClient; readonly answer: T } | { readonly silent: string };

/**
 * Asks with `question`, unless the command line says that something else is wanted than what the exporter collects.
 * @param url of --url; then the exporter there has to answer
 * @param question @throws AskError where the answer is not that of an exporter
 * @throws VerbError where the exporter of --url does not answer
 */
export async function askRunning<T>(
  config: Config,
  settings: GivenSettings,
  url: string | undefined,
  question: (client: ExporterClient) => Promise<T>,
): Promise<Said<T>> {
  if (url === undefined && changesCollection(settings)) return { silent: 'settings are given' };
  if (url === undefined && config.capture) return { silent: 'the host is a capture' };
  let client: ExporterClient | undefined;
  try {
    client = await ExporterClient.of(config, url);
    return { client, answer: await question(client) };
  } catch (error) {
    if (!(error instanceof AskError)) throw error;
    const address = client?.address ?? 'the running exporter';
    if (url !== undefined) throw new VerbError(`cannot ask ${address}: ${error.message}`);
    return { silent: `cannot ask ${address}: ${error.message}` };
  }
}

/** Says at the end of an output where it comes from. */
export const sourceLine = (said: Said<unknown>): string =>
  'client' in said ? `from the exporter at ${said.client.address}` : `collected by this command: ${said.silent}`;
