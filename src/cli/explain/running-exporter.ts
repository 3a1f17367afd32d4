// Asks the running exporter about a process: how old its footprint is, and why. Where the exporter cannot be asked, the
// result is a sentence and not an error, because explain has more to say. The answer is checked like hostile input.
import type { Config } from '../../config/options.ts';
import type { ExplanationDocument } from '../../server/api.ts';
import { ExporterClient, parseObject } from '../exporter/client.ts';
import { AskError } from '../exporter/endpoints.ts';

/** What an exporter knows of a process, or why it is not known. */
export type ExporterAnswer =
  | { readonly explanation: ExplanationDocument }
  /** The exporter did not see the process at its last collection, so many seconds ago. */
  | { readonly unseenSince: number }
  | { readonly error: string };

/** With the address that was asked, as a person may read it: without credentials. */
export type AddressedAnswer = ExporterAnswer & { readonly address: string };

/** Longest answer that is read, bytes. An exporter's own has about 700. */
const ANSWER_MAX = 64 << 10;

/** @param url http:, https: or unix:/path, as given with --url; undefined: the addresses of the configuration */
export async function askExporter(config: Config, pid: number, url: string | undefined): Promise<AddressedAnswer> {
  let client: ExporterClient | undefined;
  try {
    client = await ExporterClient.of(config, url);
    const answer = await askAbout(client, pid);
    return { address: client.address, ...answer };
  } catch (error) {
    if (!(error instanceof AskError)) throw error;
    return { address: client?.address ?? 'the running exporter', error: error.message };
  }
}

/** @throws AskError where no exporter answers */
async function askAbout(client: ExporterClient, pid: number): Promise<ExporterAnswer> {
  const answer = await client.get({ path: `/explain?pid=${pid}`, bytesMax: ANSWER_MAX });
  const document = parseObject(answer.body);
  if (answer.status === 200 && document?.pid === pid && isExplanation(document)) return { explanation: document };
  if (answer.status === 404 && typeof document?.collection_age_seconds === 'number')
    return { unseenSince: document.collection_age_seconds };
  return { error: client.complaint(answer) };
}

/** Fields that an answer must have. */
const NUMBERS = ['collection_age_seconds', 'start_time_seconds'];
const SMAPS_NUMBERS = ['next_turn_seconds', 'max_read_seconds', 'max_age_seconds'];
/** Fields that may be missing, by their type. */
const OPTIONAL = {
  number: [
    ...['rss_bytes', 'pss_bytes', 'uss_bytes', 'moved_bytes', 'moved_by_relatives_bytes', 'worth_bytes'],
    ...['age_seconds', 'predicted_seconds', 'counted_with_pid'],
  ],
  string: ['name', 'group', 'subgroup', 'rule', 'mode', 'state', 'need', 'failure', 'source'],
  boolean: ['series', 'over_max_read'],
};

/** Whether every field that is used here has its type. */
function isExplanation(document: Record<string, unknown>): document is ExplanationDocument & Record<string, unknown> {
  const smaps = document.smaps as Record<string, unknown> | null | undefined;
  return typeof smaps === 'object' && smaps !== null && holds(document, NUMBERS) && holds(smaps, SMAPS_NUMBERS);
}

const holds = (fields: Record<string, unknown>, numbers: readonly string[]): boolean =>
  numbers.every((key) => typeof fields[key] === 'number') &&
  Object.entries(OPTIONAL).every(([type, keys]) =>
    keys.every((key) => fields[key] === undefined || typeof fields[key] === type),
  );
