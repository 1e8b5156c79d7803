/**
 * Opening a log: what is on the disk, compared with the head (docs/spec/log-v1.md, "Opening a log"). The head is what
 * the writer has signed last. A log that is behind it was rolled back, and is never continued.
 */

import { concat, equalBytes } from '../../core/bytes.ts';
import { fail, TrefoilError } from '../../errors.ts';
import { HASH_BYTES, leafHash } from '../../kernel/merkle.ts';
import { openNote } from '../../note/open.ts';
import type { Verifier } from '../../note/verifier.ts';
import { MOST_BUNDLE_BYTES, parseBundle } from '../tree/bundle.ts';
import { type Checkpoint, parseCheckpoint } from '../tree/checkpoint.ts';
import { levelsOf, TILE_WIDTH, tilePath, widthOfLevel } from '../tree/tiles.ts';
import { type GrowingTree, growingTree } from './growing-tree.ts';
import type { LogStore } from './store.ts';

/** The most bytes of a checkpoint with its signatures: a note has at most 64 KiB of text and 100 signatures. */
export const MOST_CHECKPOINT = 1_048_576;

/** What was found on the disk. */
export interface Found {
  readonly tree: GrowingTree;
  /** The newest signed checkpoint, a note. */
  readonly head: string;
  /** Whether `checkpoint` is not the head, and must be published again. */
  readonly isBehind: boolean;
  /** The last entry; `null` if the log is empty. */
  readonly last: Uint8Array | null;
}

/**
 * Reads the log of a store and compares it with its head.
 *
 * @param verifier the key of the log. Its name is the origin.
 * @throws TrefoilError `log_missing`, `log_rolled_back`, `log_broken`.
 */
export async function findLog(store: LogStore, verifier: Verifier): Promise<Found> {
  const head = await store.readHead();
  const file = await store.read('checkpoint', MOST_CHECKPOINT);
  // It is not synchronised, so a power cut may leave a file of zeros, or an empty one.
  const published = file?.every((byte) => byte === 0) ? null : file;
  if (head === null) {
    if (published !== null || !(await store.isEmpty())) {
      rolledBack('the head of the log is missing: the folder is a copy, or the head was lost; find the head');
    }
    fail('log_missing', 'there is no log in the folder; pass `create: true` once to begin a new one');
  }
  const checkpoint = checkpointOf('head', head, verifier);
  const isBehind = published === null || isOlder(published, checkpoint, verifier);
  const tree = await treeAt(store, checkpoint);
  return { tree, head, isBehind, last: await lastEntry(store, checkpoint.size) };
}

/** Opens a checkpoint of the log: its signature, its origin, and its text. */
function checkpointOf(what: string, note: string | Uint8Array, verifier: Verifier): Checkpoint {
  let checkpoint: Checkpoint;
  try {
    checkpoint = parseCheckpoint(openNote(note, [verifier]).text);
  } catch (error) {
    if (!(error instanceof TrefoilError)) throw error;
    fail('log_broken', `the ${what} is not a checkpoint that the key of the log has signed; check key and paths`);
  }
  if (checkpoint.origin !== verifier.name) fail('log_broken', `the ${what} is that of another log; check the paths`);
  return checkpoint;
}

/** Whether the published checkpoint is older than the head. It must not be newer or of another tree. */
function isOlder(published: Uint8Array, head: Checkpoint, verifier: Verifier): boolean {
  const { size, root } = checkpointOf('checkpoint', published, verifier);
  if (size > head.size) rolledBack('the log has a newer checkpoint than the head: an old head was restored');
  if (size === head.size && !equalBytes(root, head.root)) {
    rolledBack('checkpoint and head have one size and different roots: the log was forked');
  }
  return size < head.size;
}

/** Builds the tree from the tiles at the size of the head. They must give the root that was signed. */
async function treeAt(store: LogStore, { size, root }: Checkpoint): Promise<GrowingTree> {
  const partial: Uint8Array[] = [];
  for (let level = 0; level < levelsOf(size); level++) {
    const count = widthOfLevel(size, level);
    const width = count % TILE_WIDTH;
    const bytes = width * HASH_BYTES;
    partial.push(
      width === 0 ? new Uint8Array(0) : await tile(store, level, Math.floor(count / TILE_WIDTH), width, bytes),
    );
  }
  const width = size % TILE_WIDTH;
  const bundle = width === 0 ? new Uint8Array(0) : await tile(store, 'entries', Math.floor(size / TILE_WIDTH), width);
  const tree = growingTree({ size, partial, bundle });
  if (!equalBytes(tree.root(), root)) {
    rolledBack('the tiles at the size of the head do not give its root: the log was changed, or an old copy restored');
  }
  const leaves = entriesOf(bundle, width).map(leafHash);
  if (!equalBytes(concat(leaves), partial[0] ?? new Uint8Array(0))) {
    rolledBack('the last entries are not those of the head: the log was changed, or an old copy restored');
  }
  return tree;
}

function entriesOf(bundle: Uint8Array, width: number): Uint8Array[] {
  return width === 0 ? [] : parseBundle(bundle, width);
}

/** Reads a tile or a bundle that the head needs. A tile has exactly so many bytes. */
async function tile(
  store: LogStore,
  level: number | 'entries',
  index: number,
  width: number,
  length?: number,
): Promise<Uint8Array> {
  const path = tilePath(level, index, width);
  const bytes = await store.read(path, length ?? MOST_BUNDLE_BYTES);
  if (bytes === null) {
    const message = 'a tile that the head needs is missing: the log was cut, or a copy older than the head restored';
    fail('log_rolled_back', message, { file: path });
  }
  if (length !== undefined && bytes.length !== length) {
    fail('log_rolled_back', 'a tile that the head needs was cut', {
      file: path,
      expected: length,
      actual: bytes.length,
    });
  }
  return bytes;
}

/** The last entry of the log, for its time. Its hash is compared with the tile. */
async function lastEntry(store: LogStore, size: number): Promise<Uint8Array | null> {
  if (size === 0) return null;
  const index = Math.floor((size - 1) / TILE_WIDTH);
  const width = ((size - 1) % TILE_WIDTH) + 1;
  const hashes = await tile(store, 0, index, width, width * HASH_BYTES);
  const entry = parseBundle(await tile(store, 'entries', index, width), width).at(-1)!;
  if (!equalBytes(leafHash(entry), hashes.subarray(-HASH_BYTES))) {
    rolledBack('the last entry is not that of the head: the log was changed, or an old copy restored');
  }
  return entry.slice();
}

function rolledBack(message: string): never {
  fail('log_rolled_back', message);
}
