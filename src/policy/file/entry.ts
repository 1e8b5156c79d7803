/**
 * What an entry of the two registries is: `rules.ts` has one entry a rule, `formats.ts` one a format. An entry holds
 * everything that the policy file needs to know of a rule or format, so there is no second list to forget it in.
 */

import type * as v from 'valibot';
import type { Complain, Options, ValuePath } from './options.ts';
import type { Entries } from './schema.ts';

/** A rule or format of the policy file; its name is its key in the registry. */
export interface Entry<Made> {
  /** The options that it has, each with its type. */
  readonly entries: Entries;
  /** Options whose value is not what the constructor takes: names of prepare steps, formats inside formats. */
  readonly readers: Readonly<Record<string, Reader<unknown>>>;
  /** Makes it from options that fit `entries`, with what `readers` have read. */
  readonly make: (options: Options) => Made;
}

/** A registry: entries by the name that the policy file uses. */
export type Registry<Made> = Readonly<Record<string, Entry<Made>>>;

/**
 * Reads the value of an option; `null` if it has reported a problem. `depth` is the number of formats around the value.
 */
export type Reader<Read> = (value: unknown, path: ValuePath, complain: Complain, depth: number) => Read | null;

/** What a constructor takes: the types of the schema, except for options that have a reader. */
type OptionsOf<E extends Entries, Read> = Replaced<v.InferOutput<v.ObjectSchema<E, undefined>>, Read>;
type Replaced<O, Read> = { [K in keyof O]: K extends keyof Read ? Read[K] : Defined<O[K]> };
type Defined<T> = T extends undefined
  ? never
  : T extends readonly unknown[]
    ? T
    : T extends object
      ? { [K in keyof T]: Defined<T[K]> }
      : T;

/**
 * Makes an entry. The compiler holds the constructor against the schema: an option that the schema does not have, or
 * has with another type, does not compile. That the options of a file fit the schema is checked before `make` is
 * called.
 */
export function entry<E extends Entries, Made, Read extends object = object>(
  entries: E,
  make: (options: OptionsOf<E, Read>) => Made,
  readers?: { readonly [K in keyof Read]: Reader<Read[K]> },
): Entry<Made> {
  return { entries, readers: readers ?? {}, make: make as unknown as (options: Options) => Made };
}
