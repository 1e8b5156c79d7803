/** Opening a checkpoint: what it says, if a log of the policy has signed it, and who has cosigned it. */

import { fail } from '../../errors.ts';
import { openNote } from '../../note/open.ts';
import type { Verifier } from '../../note/verifier.ts';
import { type Checkpoint, parseCheckpoint } from './checkpoint.ts';
import { checkPolicy, type LogPolicy } from './policy.ts';

/** A cosignature that was verified. */
export interface Cosigned {
  /** The name of the witness in the policy. */
  readonly name: string;
  /** When it cosigned, by its own clock, in seconds since 1970. */
  readonly time: number;
}

/** A checkpoint that a log of the policy has signed. */
export interface OpenedCheckpoint extends Checkpoint {
  /** The key of the log that has signed it. */
  readonly log: Verifier;
  /** The witnesses of the policy that have cosigned it, in the order of the policy. */
  readonly witnesses: readonly Cosigned[];
}

/**
 * Opens a checkpoint: verifies the signature of the log, and every cosignature by a witness of the policy.
 *
 * **Note**: it does not ask for the quorum. `policy.satisfiedBy` does, with the names of the witnesses.
 *
 * @param note the checkpoint with its signatures, as text or bytes.
 * @throws TrefoilError `note_invalid`, `signature_invalid`, `checkpoint_invalid`; `note_unsigned` if no log of the
 *   policy whose name is the origin has signed it.
 * @throws TypeError if the policy is not one of `parseLogPolicy`.
 *
 * @example
 * ```ts
 * import { newNoteKey, noteSigner, openCheckpoint, parseLogPolicy, signNote } from 'trefoil/log';
 *
 * const key = newNoteKey('log.example');
 * const note = await signNote('log.example\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n', [
 *   noteSigner(key.privateKey),
 * ]);
 * openCheckpoint(note, parseLogPolicy(`log ${key.verifierKey}\nquorum none\n`)).size; // → 0
 * ```
 */
export function openCheckpoint(note: string | Uint8Array, policy: LogPolicy): OpenedCheckpoint {
  const { logs, witnesses } = checkPolicy(policy);
  if (logs.length === 0) fail('note_unsigned', 'the policy has no log, so no checkpoint can be verified');
  const { text, signatures } = openNote(note, [...logs, ...witnesses.map(({ verifier }) => verifier)]);
  const checkpoint = parseCheckpoint(text);
  const times = new Map(signatures.map(({ verifier, time }) => [verifier, time]));
  const log = logs.find((verifier) => verifier.name === checkpoint.origin && times.has(verifier));
  if (log === undefined) {
    fail('note_unsigned', 'no log of the policy whose name is the origin of the checkpoint has signed it');
  }
  const cosigned = witnesses.flatMap(({ name, verifier }) => {
    const time = times.get(verifier) ?? null;
    return time === null ? [] : [{ name, time }];
  });
  return { ...checkpoint, log, witnesses: cosigned };
}
