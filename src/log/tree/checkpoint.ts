/** Checkpoints: what a log signs about its tree (https://c2sp.org/tlog-checkpoint, "Note text"). */

import { decodeBase64, encodeBase64 } from '../../core/base64.ts';
import { equalBytes } from '../../core/bytes.ts';
import { typeName } from '../../core/checks.ts';
import { fail } from '../../errors.ts';
import { emptyRoot, HASH_BYTES } from '../../kernel/merkle.ts';

/** A number of the formats of C2SP: decimal, without leading zeros. */
export const DECIMAL: RegExp = /^(?:0|[1-9][0-9]*)$/;

/** What a checkpoint says. */
export interface Checkpoint {
  /** The identity of the log, a URL without its scheme: `log.example/2026`. */
  readonly origin: string;
  /** The number of entries, at most 2^53 - 1. */
  readonly size: number;
  /** The hash of the tree over all of them, 32 bytes. */
  readonly root: Uint8Array;
  /** Lines after the root. Nobody can verify them. */
  readonly extensions: readonly string[];
}

/**
 * Reads the text of a checkpoint: what its signatures sign. It verifies no signature; use `openNote` for that.
 *
 * @throws TrefoilError `checkpoint_invalid` with the line, if the text is not a checkpoint, or if the size is beyond
 *   2^53 - 1 or is 0 with another root than that of the empty tree.
 *
 * @example
 * ```ts
 * import { parseCheckpoint } from 'trefoil/log';
 *
 * const text = 'log.example/2026\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n';
 * parseCheckpoint(text).size; // → 0
 * ```
 */
export function parseCheckpoint(text: string): Checkpoint {
  if (typeof text !== 'string') fail('wrong_type', `expected a checkpoint as text, got ${typeName(text)}`);
  if (!text.endsWith('\n')) invalid('the checkpoint does not end with a line feed');
  const lines = text.slice(0, -1).split('\n');
  const empty = lines.indexOf('');
  if (empty !== -1) invalid('a line of the checkpoint is empty', empty + 1);
  if (lines.length < 3) invalid('the checkpoint has fewer than three lines: origin, size and root hash');
  const [origin = '', count = '', hash = '', ...extensions] = lines;
  const size = Number(count);
  if (!DECIMAL.test(count)) invalid('the size is not a decimal number without leading zeros', 2);
  if (!Number.isSafeInteger(size)) invalid('the size is larger than 2^53 - 1', 2);
  const root = decodeHash(hash);
  if (root === null) invalid('the root hash is not the base64 of 32 bytes', 3);
  if (size === 0 && !equalBytes(root, emptyRoot())) invalid('the size is 0 and the root is not that of no entries', 3);
  return { origin, size, root, extensions };
}

/**
 * Writes the text of a checkpoint, to be signed with `signNote`.
 *
 * @throws TypeError, RangeError for a part that no checkpoint has.
 *
 * @example
 * ```ts
 * import { treeEdge, writeCheckpoint } from 'trefoil/log';
 *
 * const tree = treeEdge();
 * writeCheckpoint({ origin: 'log.example/2026', size: tree.size, root: tree.root() });
 * // → 'log.example/2026\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n'
 * ```
 */
export function writeCheckpoint(checkpoint: Omit<Checkpoint, 'extensions'> & Partial<Checkpoint>): string {
  if (typeof checkpoint !== 'object' || checkpoint === null) throw new TypeError('"checkpoint" expected an object');
  const { origin, size, root, extensions = [] } = checkpoint;
  if (!Array.isArray(extensions)) throw new TypeError('"extensions" expected an array of lines');
  const lines = [origin, ...extensions];
  if (!lines.every((line) => typeof line === 'string')) throw new TypeError('"checkpoint" has a line that is no text');
  if (lines.some((line) => line === '' || !line.isWellFormed() || /[\x00-\x1f]/.test(line))) {
    throw new RangeError('"checkpoint" has a line that is empty, or has a control character');
  }
  if (!Number.isSafeInteger(size) || size < 0) throw new RangeError('"size" expected a whole number');
  if (!(root instanceof Uint8Array) || root.length !== HASH_BYTES) {
    throw new RangeError(`"root" expected ${HASH_BYTES} bytes`);
  }
  return `${[origin, size, encodeBase64(root), ...extensions].join('\n')}\n`;
}

/** Reads a hash in base64. Returns `null` if the text is not one. */
export function decodeHash(text: string): Uint8Array | null {
  const bytes = decodeBase64(text);
  return bytes?.length === HASH_BYTES ? bytes : null;
}

function invalid(message: string, line?: number): never {
  return fail('checkpoint_invalid', message, line === undefined ? {} : { line });
}
