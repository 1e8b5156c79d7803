/** Verifying the proof of an entry (https://c2sp.org/tlog-proof, "Verifying a tlog proof"). */

import { badType, checkOptions, typeName } from '../../core/checks.ts';
import { fail } from '../../errors.ts';
import { leafHash } from '../../kernel/merkle.ts';
import { isPlausible } from './cosign-time.ts';
import { type Cosigned, openCheckpoint } from './open-checkpoint.ts';
import { checkPolicy, type LogPolicy } from './policy.ts';
import { parseLogProof } from './proof-text.ts';
import { checkInclusion } from './proofs.ts';

/** Options of {@link checkProof}. */
export interface CheckProofOptions {
  /** The clock, in milliseconds since 1970. Default: `Date.now`. */
  readonly now?: () => number;
}

/** What a proof shows. */
export interface ProvenEntry {
  /** The origin of the log. */
  readonly origin: string;
  /** The number of the entry in the log, from 0. */
  readonly index: number;
  /** How many entries the log had. */
  readonly size: number;
  /**
   * The witnesses that have cosigned, with their times in seconds since 1970. They satisfy the quorum. Cosignatures
   * whose time is 0, or more than ten minutes ahead of the clock, do not count and are not listed.
   */
  readonly witnesses: readonly Cosigned[];
  /**
   * When a quorum of witnesses had cosigned, by their clocks, in seconds since 1970: the entry is not younger. `null`
   * if the policy needs no witness.
   */
  readonly at: number | null;
}

/**
 * Verifies the proof that an entry is in a log of the policy, and that enough witnesses have seen that log.
 *
 * **Note**: it proves that the entry was logged, and not that the log shows everybody the same entries. How many
 * dishonest witnesses that would take is `policy.overlap`.
 *
 * @param proof the text of a `.tlog-proof` file.
 * @param entry the bytes of the entry.
 * @throws TrefoilError `proof_invalid` if it is no proof, or not of this entry; `witness_missing` if the quorum is not
 *   satisfied; what `openCheckpoint` throws about the checkpoint.
 *
 * @example
 * ```ts
 * import {
 *   checkProof, leafHash, newNoteKey, noteSigner, parseLogPolicy, signNote, writeCheckpoint, writeLogProof,
 * } from 'trefoil/log';
 *
 * const key = newNoteKey('log.example');
 * const entry = new TextEncoder().encode('{"kind":"beat"}');
 * const text = writeCheckpoint({ origin: 'log.example', size: 1, root: leafHash(entry) });
 * const checkpoint = await signNote(text, [noteSigner(key.privateKey)]);
 * const proof = writeLogProof({ index: 0, hashes: [], checkpoint, extra: null });
 * checkProof(proof, entry, parseLogPolicy(`log ${key.verifierKey}\nquorum none\n`)).size; // → 1
 * ```
 */
export function checkProof(
  proof: string | Uint8Array,
  entry: Uint8Array,
  policy: LogPolicy,
  options: CheckProofOptions = {},
): ProvenEntry {
  if (!(entry instanceof Uint8Array)) fail('wrong_type', `expected an entry as bytes, got ${typeName(entry)}`);
  checkPolicy(policy);
  const { now = Date.now } = checkOptions<CheckProofOptions>('options', options, ['now']);
  if (typeof now !== 'function') badType('now', `expected a function, got ${typeName(now)}`);
  const { index, hashes, checkpoint } = parseLogProof(proof);
  const { origin, size, root, witnesses: all } = openCheckpoint(checkpoint, policy);
  const clock = now();
  const witnesses = all.filter(({ time }) => isPlausible(time, clock));
  const at = timeOfQuorum(witnesses, policy, all.length - witnesses.length);
  if (!checkInclusion(leafHash(entry), index, size, root, hashes)) {
    fail('proof_invalid', 'the proof does not lead from this entry to the root that the log has signed');
  }
  return { origin, index, size, witnesses, at };
}

/**
 * The smallest time by which the quorum had cosigned; `null` if it needs nobody.
 *
 * @param mistimed how many cosignatures were left out because of their time, for the message.
 * @throws TrefoilError `witness_missing`.
 */
export function timeOfQuorum(witnesses: readonly Cosigned[], policy: LogPolicy, mistimed = 0): number | null {
  const names = new Set<string>();
  if (policy.satisfiedBy(names)) return null;
  for (const { name, time } of witnesses.toSorted((a, b) => a.time - b.time)) {
    names.add(name);
    if (policy.satisfiedBy(names)) return time;
  }
  const advice =
    mistimed === 0
      ? 'ask the log for a newer proof'
      : `the times of ${mistimed} do not count, because they are 0 or in the future; check the clock of this machine`;
  return fail('witness_missing', `too few witnesses of the policy have cosigned the checkpoint; ${advice}`, {
    actual: names.size,
  });
}
