/**
 * The contract of a store: where a vault keeps its rows. A store knows nothing of people, tokens or keys: it sees indexes
 * of 16 bytes and sealed bodies (docs/spec/vault-v1.md).
 *
 * All verbs take batches and may be repeated after a failure: a batch is there as a whole or not at all. What a store must
 * hold under concurrent writers and process death is in `trefoil/vault-contract`, a suite to run on one's own adapter.
 */

/** The tables of a store besides its metadata. */
export type Table = 'value' | 'token' | 'subject';

/** One row. */
export interface Row {
  /** Where it is found: 16 bytes, unique in its table. */
  readonly index: Uint8Array;
  /** Shown id of the key that sealed it: five characters. */
  readonly key: string;
  /** Any number from 1 for a new row, one more for every change; below 2^31. */
  readonly version: number;
  /** Day, counted from 1970-01-01, from which on the row may be swept away; `null` for never. */
  readonly expires: number | null;
  /** Sealed: at least 1 byte, at most 2 MiB. */
  readonly body: Uint8Array;
}

/** A row to create. */
export interface Entry {
  readonly row: Row;
  /** A row of the table `token` that is written when `row` is, and only then. */
  readonly with?: Row | undefined;
  /** Other indexes of the same table: where a row stands under one of them, nothing is written. */
  readonly unless?: readonly Uint8Array[] | undefined;
}

/** A row to change, if it is still as the caller knows it. */
export interface Change {
  readonly table: Table;
  readonly index: Uint8Array;
  /** The version that must be there; 0: no row may be there. */
  readonly from: number;
  /** What is there afterwards, under the same index; `null` for nothing. */
  readonly to: Row | null;
}

/** The metadata of a store: one text, with a number that goes up by one at every change. */
export interface Meta {
  /** From 1. */
  readonly generation: number;
  /** At most 64 KiB. */
  readonly text: string;
}

/**
 * What `create`, `change` and `sweep` answer when the metadata are no longer of the generation that the caller knows:
 * nothing was written, and the caller reads the metadata anew.
 */
export type Stale = 'stale';

/** How many rows a table has, and bytes in their bodies. */
export interface TableSize {
  readonly rows: number;
  readonly bytes: number;
}

/** A store. Adapters: `memoryStore` of `trefoil/vault`, `sqliteStore` of `trefoil/vault-sqlite`, `postgresStore` of `trefoil/vault-postgres`. */
export interface VaultStore {
  /** What it is, for messages: `memory`, `sqlite`, `postgres`. */
  readonly kind: string;
  /**
   * Makes the tables where they are not there, or brings those of an older version up to date; called before anything
   * else, any number of times, also by several processes at once.
   *
   * @throws TrefoilError `store_version` for tables of a newer version, `store_failed`.
   */
  readonly open: () => Promise<void>;
  /** The metadata, or `null` for a store that has none yet. */
  readonly meta: () => Promise<Meta | null>;
  /**
   * Replaces the metadata, if what is there is of the generation before (none for generation 1), and tells whether it did.
   * When it returns `true`, no `create`, `change` or `sweep` of an older generation takes effect any more, also not one that
   * had begun.
   */
  readonly setMeta: (meta: Meta) => Promise<boolean>;
  /** The rows that are there, in any order. Indexes may repeat. */
  readonly get: (table: Table, indexes: readonly Uint8Array[]) => Promise<Row[]>;
  /**
   * Writes each row whose index is free (and those of `unless`), all in one transaction, and tells the positions of those
   * that were written. Of two callers with one index, one wins.
   *
   * @throws TrefoilError `store_failed`, and nothing of the batch is written, where the row of a `with` is to be written and
   * its index is taken (tokens are random, so that is a fault, and a mapping must never take the place of another), and
   * where two rows of one batch have one index, or two of its rows of `with`.
   */
  readonly create: (
    generation: number,
    table: 'value' | 'subject',
    entries: readonly Entry[],
  ) => Promise<readonly number[] | Stale>;
  /**
   * Makes all changes, or none when one row is not as expected; tells which.
   *
   * @throws TrefoilError `store_failed` where an index is twice in one table of the batch; then nothing is written.
   */
  readonly change: (generation: number, changes: readonly Change[]) => Promise<boolean | Stale>;
  /** Rows in the order of their indexes (as unsigned bytes), those behind `after`, `limit` at most; with `notKey` those of other keys alone. */
  readonly scan: (
    table: Table,
    options: { readonly after: Uint8Array | null; readonly limit: number; readonly notKey?: string | undefined },
  ) => Promise<Row[]>;
  /**
   * Removes the rows of `value` and `token` whose `expires` is `day` or earlier, in one transaction; tells how many.
   * Rows that one `create` or `change` has written are both seen, or neither is: of a mapping that is made meanwhile,
   * no half goes.
   */
  readonly sweep: (generation: number, day: number) => Promise<number | Stale>;
  /** Sizes of the tables. */
  readonly sizes: () => Promise<Readonly<Record<Table, TableSize>>>;
  /** After rows were destroyed: takes what is left of them out of the store's own files, as far as it can. */
  readonly scrub: () => Promise<void>;
  /**
   * Ends what `open` began, and leaves the rows where a copy of the store finds them, as far as others let it. The
   * handle or the pool is the caller's, who closes it afterwards.
   */
  readonly close: () => Promise<void>;
}
