// Compares real answers of the API with the declaration of its documents, in both ways: an answer has every field that must be
// there and no other, each of its type; and `seen` says which declared fields some answer had.
import assert from 'node:assert/strict';
import type { DocumentName } from '../src/server/api-v1/documents.ts';
import type { Field } from '../src/server/api-v1/field.ts';
import { schema } from '../src/server/api-v1/schema.ts';

/** Every declared field, as a path: "groups.kinds.file". */
export const declaredFields = (name: DocumentName): string[] =>
  Object.entries(schema[name]).flatMap(([field, declared]) => pathsOf(field, declared));

function pathsOf(path: string, { fields, item }: Field): string[] {
  const inner = { ...fields, ...item?.fields };
  return [path, ...Object.entries(inner).flatMap(([name, field]) => pathsOf(`${path}.${name}`, field))];
}

/** @param seen gets the path of each field that the answer has @throws AssertionError where it is not as declared */
export function checkAnswer(name: DocumentName, answer: unknown, seen = new Set<string>()): void {
  checkObject(name, answer, schema[name], '', seen);
}

function checkObject(
  where: string,
  value: unknown,
  fields: Readonly<Record<string, Field>>,
  path: string,
  seen: Set<string>,
): void {
  assert.ok(typeof value === 'object' && value !== null && !Array.isArray(value), `${where} is no object`);
  const entries = Object.entries(value);
  const names = entries.map(([name]) => name);
  for (const [name, { optional }] of Object.entries(fields))
    assert.ok(optional || names.includes(name), `${where}.${name} is missing`);
  for (const [name, inner] of entries) {
    assert.ok(Object.hasOwn(fields, name), `${where}.${name} is not declared`);
    seen.add(path + name);
    checkValue(`${where}.${name}`, inner, fields[name]!, `${path}${name}.`, seen);
  }
}

function checkValue(where: string, value: unknown, field: Field, path: string, seen: Set<string>): void {
  const { kind, item, nullable, values } = field;
  if (value === null && nullable) return;
  if (kind === 'object') checkObject(where, value, field.fields, path, seen);
  else if (kind === 'list') {
    assert.ok(Array.isArray(value), `${where} is no list`);
    for (const [index, inner] of value.entries()) checkValue(`${where}[${index}]`, inner, item!, path, seen);
  } else if (kind === 'map') {
    for (const [name, inner] of Object.entries(value as object))
      checkValue(`${where}.${name}`, inner, item!, path, seen);
  } else {
    assert.equal(typeof value, { number: 'number', flag: 'boolean', text: 'string' }[kind], where);
    assert.ok(kind !== 'number' || Number.isFinite(value), `${where} is ${value}`);
    assert.ok(values.length === 0 || values.includes(value as string), `${where} is ${value}, none of ${values}`);
  }
}
