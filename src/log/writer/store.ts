/**
 * What the writer of a log needs from the place where it is kept. The folder of Node is one such store
 * (src/files/log/); the order of its calls is in commit.ts, and docs/spec/log-v1.md says what it means.
 */

import { badType, typeName } from '../../core/checks.ts';

/** A file of the tree: a tile or a bundle. It is written once and never changed. */
export interface TreeFile {
  /** As tlog-tiles names it: `tile/0/000.p/17`. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** The opening of an entry, to be stored outside the tree. */
export interface StoredOpening {
  readonly index: number;
  readonly text: string;
}

/**
 * A place for a log with one writer. A promise of a method that writes is fulfilled when the bytes are on the disk,
 * and a power cut cannot lose them any more. Methods are called one after the other, except `read` and `readOpening`.
 */
export interface LogStore {
  /**
   * Takes the store for this writer, until `close`.
   *
   * @param create whether a place that does not exist is made.
   * @throws TrefoilError `log_in_use` if another writer has it; `log_missing` if there is no such place.
   */
  open(create: boolean): Promise<void>;
  /** @throws TrefoilError `log_in_use` if another writer has taken the store over. */
  check(): Promise<void>;
  /** Reads a file of the log: `checkpoint`, a tile or a bundle. `null`: there is none. More bytes are an error. */
  read(path: string, limit: number): Promise<Uint8Array | null>;
  /** Whether there is nothing of a log: no checkpoint, no tiles, no journal and no openings. */
  isEmpty(): Promise<boolean>;
  /** Reads the head, which is kept apart from the log: the newest signed checkpoint. `null`: there is none. */
  readHead(): Promise<string | null>;
  /** Replaces the head in one step. */
  writeHead(checkpoint: string): Promise<void>;
  /** The 32 bytes of the key of the journal. It is kept beside the head. It is made if there is none. */
  journalKey(random: (length: number) => Uint8Array): Promise<Uint8Array>;
  /** `null`: there is no journal. */
  readJournal(limit: number): Promise<Uint8Array | null>;
  /** Writes the journal from its beginning. Bytes of an earlier, longer journal may follow. */
  writeJournal(bytes: Uint8Array): Promise<void>;
  /**
   * Writes new files of the tree. One that exists must have the same bytes.
   *
   * @throws TrefoilError `log_broken` if it has others.
   */
  writeTree(files: readonly TreeFile[]): Promise<void>;
  /**
   * Removes what was written for a group that was never signed: tiles and bundles that end after entry `size`, and the
   * openings of the entries from `openings` on. A group has at most 256 entries and is within one tile of level 0.
   *
   * @throws TrefoilError `log_rolled_back`, and nothing was removed, if there are tiles of more than one group: then
   *   the log was signed at a larger size, and the head is an old one.
   */
  clearFrom(size: number, openings: number): Promise<void>;
  /** Replaces the file `checkpoint` in one step. A power cut may bring the previous one back. */
  publish(checkpoint: string): Promise<void>;
  /** Removes partial tiles, because the full ones are published. It never throws. */
  dropPartials(paths: readonly string[]): Promise<void>;
  /** Stores openings. One that exists is of an entry that was never signed, and is replaced. */
  writeOpenings(openings: readonly StoredOpening[]): Promise<void>;
  /** `null`: the entry has none, or it was destroyed. */
  readOpening(index: number): Promise<string | null>;
  /** Removes an opening. Returns whether there was one. */
  destroyOpening(index: number): Promise<boolean>;
  /** Gives the store free. It never throws. */
  close(): Promise<void>;
}

const METHODS: readonly (keyof LogStore)[] = [
  'open',
  'check',
  'read',
  'isEmpty',
  'readHead',
  'writeHead',
  'journalKey',
  'readJournal',
  'writeJournal',
  'writeTree',
  'clearFrom',
  'publish',
  'dropPartials',
  'writeOpenings',
  'readOpening',
  'destroyOpening',
  'close',
];

/** Returns whether a value has all methods of a store. */
export function isLogStore(value: unknown): value is LogStore {
  return (
    typeof value === 'object' &&
    value !== null &&
    METHODS.every((name) => typeof (value as Partial<LogStore>)[name] === 'function')
  );
}

const isBytes = (value: unknown): boolean => value === null || value instanceof Uint8Array;
const isText = (value: unknown): boolean => value === null || typeof value === 'string';

/** The same store, which throws a `TypeError` if a method that reads returns something else than it should. */
export function checkedStore(store: LogStore): LogStore {
  async function checked<T>(answer: Promise<T>, isRight: (value: unknown) => boolean): Promise<T> {
    const value = await answer;
    if (!isRight(value)) badType('store', `returned something that it must not return: ${typeName(value)}`);
    return value;
  }

  return {
    open: (create) => store.open(create),
    check: () => store.check(),
    read: (path, limit) => checked(store.read(path, limit), isBytes),
    isEmpty: () => store.isEmpty(),
    readHead: () => checked(store.readHead(), isText),
    writeHead: (checkpoint) => store.writeHead(checkpoint),
    journalKey: (random) => checked(store.journalKey(random), (key) => key instanceof Uint8Array),
    readJournal: (limit) => checked(store.readJournal(limit), isBytes),
    writeJournal: (bytes) => store.writeJournal(bytes),
    writeTree: (files) => store.writeTree(files),
    clearFrom: (size, openings) => store.clearFrom(size, openings),
    publish: (checkpoint) => store.publish(checkpoint),
    dropPartials: (paths) => store.dropPartials(paths),
    writeOpenings: (openings) => store.writeOpenings(openings),
    readOpening: (index) => checked(store.readOpening(index), isText),
    destroyOpening: (index) => store.destroyOpening(index),
    close: () => store.close(),
  };
}
