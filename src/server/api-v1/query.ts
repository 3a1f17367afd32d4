// The query of a request to the API. A name that the document does not take, a name given twice and a value that is none are
// faults, which say what is allowed: a misspelled filter must not look like an answer.
import { escapedJson } from '../../text/hostile.ts';
import type { ApiDocument } from './documents.ts';

/** Why a request is not answered: the status and a sentence that says what is allowed. */
export class ApiFault extends Error {
  readonly status: 400 | 404 | 503;

  constructor(status: 400 | 404 | 503, message: string) {
    super(message);
    this.status = status;
  }
}

/** Characters of a wrong name or value that a message repeats. */
const SHOWN_MAX = 40;

export const shown = (text: string): string =>
  escapedJson(text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text);

export class ApiQuery {
  readonly #document: ApiDocument;
  readonly #given: ReadonlyMap<string, string>;

  /** @throws ApiFault */
  constructor(document: ApiDocument, url: string) {
    const given = new Map<string, string>();
    const names = Object.keys(document.parameters);
    for (const [name, value] of new URLSearchParams(url.split('?', 2)[1])) {
      if (!names.includes(name)) {
        const takes = names.length === 0 ? 'none' : names.join(', ');
        throw new ApiFault(400, `there is no parameter ${shown(name)}; ${document.path} takes ${takes}`);
      }
      if (given.has(name)) throw new ApiFault(400, `${name} is given twice; keep one of them`);
      given.set(name, value);
    }
    this.#document = document;
    this.#given = given;
  }

  /** The same text for queries that mean the same. */
  get key(): string {
    return JSON.stringify([...this.#given].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  text(name: string): string | undefined {
    return this.#given.get(name);
  }

  choice<V extends string>(name: string, values: readonly V[], otherwise: V): V {
    const given = this.#given.get(name);
    if (given === undefined) return otherwise;
    return values.find((value) => value === given) ?? this.wrong(name);
  }

  /** A whole number from 1. */
  count(name: string, most: number, otherwise: number): number {
    const given = this.#given.get(name);
    if (given === undefined) return otherwise;
    const value = /^[1-9]\d{0,8}$/.test(given) ? Number(given) : 0;
    return value >= 1 && value <= most ? value : this.wrong(name);
  }

  /** Unix time, seconds. */
  time(name: string, otherwise: number): number {
    const given = this.#given.get(name);
    if (given === undefined) return otherwise;
    return /^\d{1,12}(?:\.\d{1,9})?$/.test(given) ? Number(given) : this.wrong(name);
  }

  /** @throws ApiFault: the value of a parameter is not allowed */
  wrong(name: string): never {
    const given = this.#given.get(name);
    const what = given === undefined ? `${name} is missing` : `${name} is ${shown(given)}`;
    throw new ApiFault(400, `${what}; give ${this.#document.parameters[name]!.takes}`);
  }
}
