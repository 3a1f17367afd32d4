// The documents of the API (server/api-v1), asked of the running exporter or made by an exporter inside this program: the caller
// sees no difference. An answer that does not hold to the schema is refused, because any program may answer at an address.
import type { DocumentName } from '../../server/api-v1/documents.ts';
import type { Field } from '../../server/api-v1/field.ts';
import { type DocumentOf, schema } from '../../server/api-v1/schema.ts';
import { type Answer, parseObject, type Question } from './client.ts';
import { AskError } from './endpoints.ts';

/** What answers: the client of a running exporter, or an exporter in this program. */
export interface Answerer {
  get(question: Question, name: DocumentName): Promise<Answer>;
  /** Why an answer is not what was asked for. */
  complaint(answer: Answer): string;
}

/** Longest answer that is read, bytes: 10,000 processes have 4 MB. */
const ANSWER_MAX = 64 << 20;
/** Answers that are kept, to be asked for again only where they have changed. */
const KEPT_MAX = 8;

export class HostApi {
  readonly #answerer: Answerer;
  readonly #kept = new Map<string, { readonly etag: string; readonly document: unknown }>();

  constructor(answerer: Answerer) {
    this.#answerer = answerer;
  }

  /**
   * @param path below /api/v1/, with its query
   * @returns undefined where there is no such thing (404): a process that has ended
   * @throws AskError where there is no answer, or where it is not one of this API
   */
  async ask<N extends DocumentName>(name: N, path: string): Promise<DocumentOf<N> | undefined> {
    const kept = this.#kept.get(path);
    const question = { path: `/api/v1/${path}`, bytesMax: ANSWER_MAX, known: kept?.etag ?? '' };
    const answer = await this.#answerer.get(question, name);
    if (answer.status === 304 && kept) return kept.document as DocumentOf<N>;
    const document = answer.status === 200 ? parseObject(answer.body) : undefined;
    if (document && conforms(schema[name], document)) {
      this.#keep(path, answer.etag, document);
      return document as DocumentOf<N>;
    }
    this.#kept.delete(path);
    if (answer.status === 404 && name === 'process') return undefined;
    throw new AskError(this.#answerer.complaint(answer));
  }

  #keep(path: string, etag: string, document: unknown): void {
    this.#kept.delete(path);
    if (etag !== '') this.#kept.set(path, { etag, document });
    if (this.#kept.size > KEPT_MAX) this.#kept.delete(this.#kept.keys().next().value!);
  }
}

/** Whether an object has all fields of the schema, each with its type. A newer exporter may have more fields and values. */
export const conforms = (fields: Readonly<Record<string, Field>>, value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  Object.entries(fields).every(([key, field]) => {
    const part: unknown = Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
    return part === undefined ? field.optional : holds(field, part);
  });

const TYPES: Partial<Record<Field['kind'], string>> = { text: 'string', number: 'number', flag: 'boolean' };

function holds(field: Field, value: unknown): boolean {
  const { kind, fields, item, nullable } = field;
  if (value === null) return nullable;
  if (kind === 'object') return conforms(fields, value);
  if (kind === 'list') return Array.isArray(value) && value.every((each) => item === undefined || holds(item, each));
  if (kind === 'map')
    return typeof value === 'object' && Object.values(value).every((each) => item === undefined || holds(item, each));
  return typeof value === TYPES[kind];
}
