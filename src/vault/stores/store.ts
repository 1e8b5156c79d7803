/**
 * The contract of a store, which is where a vault keeps its rows. A store knows nothing of people, tokens or keys: it
 * sees indexes of 16 bytes and sealed bodies (docs/spec/vault-v1.md).
 *
 * Every verb takes a batch. A batch is written as a whole or not at all, and the caller may repeat it after a failure.
 * `trefoil/vault-contract` is a test suite for your own adapter: it shows what a store must guarantee with concurrent
 * writers.
 */

/** The tables of a store besides its metadata. */
export type Table = 'value' | 'token' | 'subject';

/** Names of the tables, in the order in which every store takes its locks. */
export const TABLES: readonly Table[] = ['value', 'token', 'subject'];

/** Bytes of an index. */
export const INDEX = 16;

/** One row. */
export interface Row {
  /** The primary key of the row: 16 bytes, unique in its table. */
  readonly index: Uint8Array;
  /** Shown id of the key that sealed the row: five characters. */
  readonly key: string;
  /** A new row has any number from 1; every change adds one. Below 2^31. */
  readonly version: number;
  /** Day, counted from 1970-01-01, from which the row may be removed; `null` if it never expires. */
  readonly expires: number | null;
  /** Sealed bytes: at least 1 byte, at most 2 MiB. */
  readonly body: Uint8Array;
}

/** A row to create. */
export interface Entry {
  readonly row: Row;
  /** A row of the table `token` that is written only if `row` is written. */
  readonly with?: Row | undefined;
  /** Other indexes of the same table. If any of them is taken, nothing of this entry is written. */
  readonly unless?: readonly Uint8Array[] | undefined;
}

/** A change of one row, which is made only if the row still has the version that the caller knows. */
export interface Change {
  readonly table: Table;
  readonly index: Uint8Array;
  /** The version that the row must have; 0 if there must be no row. */
  readonly from: number;
  /** The row afterwards, under the same index; `null` to remove it. */
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
 * The result of `create`, `change` and `sweep` if the metadata are of another generation than the caller's. Nothing was
 * written; the caller has to read the metadata again.
 */
export type Stale = 'stale';

/** Number of rows in a table, and number of bytes in their bodies. */
export interface TableSize {
  readonly rows: number;
  readonly bytes: number;
}

/**
 * A store. Adapters are `memoryStore` of `trefoil/vault`, `sqliteStore` of `trefoil/vault-sqlite` and `postgresStore`
 * of `trefoil/vault-postgres`.
 */
export interface VaultStore {
  /** Kind of the store, for messages: `memory`, `sqlite`, `postgres`. */
  readonly kind: string;
  /**
   * Creates the tables if they do not exist, or migrates those of an older version. It is called before any other verb.
   * It may be called any number of times, also by several processes at once.
   *
   * @throws TrefoilError `store_version` if the tables are of a newer version; `store_failed`.
   */
  readonly open: () => Promise<void>;
  /** Returns the metadata, or `null` if the store has none yet. */
  readonly meta: () => Promise<Meta | null>;
  /**
   * Replaces the metadata if those in the store are of the generation before (for generation 1: if there are none).
   * Returns whether it replaced them. Once it has returned `true`, no `create`, `change` or `sweep` of an older
   * generation takes effect any more, not even one that had already begun.
   */
  readonly setMeta: (meta: Meta) => Promise<boolean>;
  /** Returns the rows that exist, in any order. `indexes` may contain an index several times. */
  readonly get: (table: Table, indexes: readonly Uint8Array[]) => Promise<Row[]>;
  /**
   * Writes each row whose index, and whose indexes in `unless`, are free, all in one transaction. Returns the positions
   * of the entries that were written. If two callers create one index, one of them succeeds.
   *
   * @throws TrefoilError `store_failed`, and nothing of the batch is written, if the index of a row of `with` that
   * would be written is taken (tokens are random, so that is a fault, and a mapping must never replace another one), or
   * if two rows of the batch, or two of its rows of `with`, have one index.
   */
  readonly create: (
    generation: number,
    table: 'value' | 'subject',
    entries: readonly Entry[],
  ) => Promise<readonly number[] | Stale>;
  /**
   * Makes all changes, or none if one row does not have the expected version. Returns whether it made them.
   *
   * @throws TrefoilError `store_failed`, and nothing is written, if the batch has one index twice in one table.
   */
  readonly change: (generation: number, changes: readonly Change[]) => Promise<boolean | Stale>;
  /**
   * Returns at most `limit` rows in the order of their indexes (as unsigned bytes), starting after the index `after`.
   * With `notKey` it returns only rows of other keys.
   */
  readonly scan: (
    table: Table,
    options: { readonly after: Uint8Array | null; readonly limit: number; readonly notKey?: string | undefined },
  ) => Promise<Row[]>;
  /**
   * Removes the rows of `value` and `token` whose `expires` is `day` or earlier, in one transaction, and returns their
   * number. It sees either all rows that one `create` or `change` has written or none of them, so it never removes only
   * one row of a mapping that is being made at the same time.
   */
  readonly sweep: (generation: number, day: number) => Promise<number | Stale>;
  /** Returns the sizes of the tables. */
  readonly sizes: () => Promise<Readonly<Record<Table, TableSize>>>;
  /** Removes the remains of destroyed rows from the store's own files, as far as the store can. */
  readonly scrub: () => Promise<void>;
  /**
   * Ends what `open` began. If other connections allow it, all rows are then in the place where a copy of the store
   * finds them. The handle or pool belongs to the caller, who closes it afterwards.
   */
  readonly close: () => Promise<void>;
}
