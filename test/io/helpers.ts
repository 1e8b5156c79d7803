import type { Issue, TrefoilError } from '../../src/errors.ts';
import { card } from '../../src/format.ts';
import { coarsen, drop, fpe, keep, keyset, optional, policy, seal, token } from '../../src/index.ts';
import { revealAccess } from '../../src/reveal.ts';
import { rejection } from '../helpers/errors.ts';

export const keys = keyset.generate().domain('test');

/** Collects all bytes of a stream. */
export async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
}

export async function textOf(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  return (await collect(chunks)).toString('utf8');
}

/** The error with which a stream or a promise fails. It must fail. */
export async function errorOf(work: Promise<unknown> | AsyncIterable<Uint8Array>): Promise<TrefoilError> {
  return rejection(Symbol.asyncIterator in work ? collect(work) : work);
}

/** Code, row, line and field of an issue: what a test compares. */
export function brief({ code, row, line, field }: Issue): string {
  return [code, row === undefined ? '' : `row ${row}`, line === undefined ? '' : `line ${line}`, field ?? '']
    .filter(Boolean)
    .join(' ');
}

/** Cuts bytes into pieces of these lengths, and the rest. */
export function* cut(bytes: Uint8Array, lengths: readonly number[]): Generator<Uint8Array> {
  let at = 0;
  for (const length of lengths) {
    yield bytes.subarray(at, at + length);
    at += length;
  }
  if (at < bytes.length) yield bytes.subarray(at);
}

/** Keeps `a`, `b` and `c`. */
export const abc = policy({ a: keep, b: keep, c: keep }).bind(keys, revealAccess);

const reversible = policy(
  {
    name: seal({ scope: 'person.name' }),
    pan: fpe({ scope: 'card.pan', format: card({ clear: { first: 6 } }) }),
    age: seal({ scope: 'person.age', value: 'integer' }),
    city: keep,
  },
  { keyCheck: keys.keyCheck },
);

/** A policy that reveals every field. */
export const wayBack = reversible.bind(keys, revealAccess);

/** A policy that does not reveal every field. */
export const people = policy({
  id: token({ scope: 'person' }),
  name: seal({ scope: 'person.name' }),
  born: coarsen({ date: 'year' }),
  notes: drop,
  city: optional(keep),
}).bind(keys, revealAccess);
