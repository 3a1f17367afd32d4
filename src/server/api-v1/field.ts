// The words in which the documents of the API are declared (schema.ts): a field has a type and a meaning, and may be absent.
// From a declaration follow the TypeScript type that the code has to make, the tables of docs/api.md, and the check that
// real answers hold to it. Units stand last in the names of fields, as in the metrics: _bytes, _seconds, _percent, _ratio.

/** T is the type of its value in TypeScript. */
export interface Field<T = unknown> {
  readonly kind: 'text' | 'number' | 'flag' | 'object' | 'list' | 'map';
  readonly meaning: string;
  /** Whether it is left out where the value is not known. */
  readonly optional: boolean;
  /** Of a text: the values that there are; empty where it may be any. */
  readonly values: readonly string[];
  /** Of an object. */
  readonly fields: Readonly<Record<string, Field>>;
  /** Of a list and a map: what each item is. */
  readonly item: Field | undefined;
  /** Of an item of a list: whether null stands for a value that is not known. */
  readonly nullable: boolean;
  /** No value has it: it only carries T. */
  readonly of?: T;
}

export type Optional<T> = Field<T> & { readonly optional: true };
export type ApiFields = Readonly<Record<string, Field>>;
export type ValueOf<F> = F extends Field<infer T> ? T : never;
/** The object that has these fields. */
export type ObjectOf<F> = {
  readonly [K in keyof F as F[K] extends { readonly optional: true } ? never : K]: ValueOf<F[K]>;
} & {
  readonly [K in keyof F as F[K] extends { readonly optional: true } ? K : never]?: ValueOf<F[K]> | undefined;
};

type Required<T> = Field<T> & { readonly optional: false };

const field = <T>(kind: Field['kind'], meaning: string, more: Partial<Field> = {}): Required<T> => ({
  ...{ kind, meaning, values: [], fields: {}, item: undefined, nullable: false },
  ...(more as Partial<Required<T>>),
  optional: false,
});

export const textField = (meaning: string): Required<string> => field('text', meaning);
export const choiceField = <const V extends string>(values: readonly V[], meaning: string): Required<V> =>
  field('text', meaning, { values });
export const numberField = (meaning: string): Required<number> => field('number', meaning);
export const flagField = (meaning: string): Required<boolean> => field('flag', meaning);
export const objectField = <F extends ApiFields>(meaning: string, fields: F): Required<ObjectOf<F>> =>
  field('object', meaning, { fields });
export const listField = <T>(meaning: string, item: Field<T>): Required<readonly T[]> =>
  field('list', meaning, { item });
/** Any names as keys, each with a number. */
export const numbersBy = (meaning: string): Required<Readonly<Record<string, number>>> =>
  field('map', meaning, { item: numberField('') });
/** Numbers by time; null where the value of that time is not known. */
export const points = (meaning: string): Required<readonly (number | null)[]> =>
  field('list', meaning, { item: { ...numberField(''), nullable: true } });
/** The same by any names as keys. */
export const pointsBy = (meaning: string): Required<Readonly<Record<string, readonly (number | null)[]>>> =>
  field('map', meaning, { item: points('') });
export const optional = <T>(declared: Required<T>): Optional<T> => ({ ...declared, optional: true });
