/** What the witnesses of a policy say about a log: each is asked for the checkpoint that it has cosigned last. */

import { TrefoilError } from '../../errors.ts';
import { type LogPolicy, latestOf, type Verifier, type WitnessedCheckpoint } from '../../log.ts';

/** What one witness said. */
export interface WitnessAnswer {
  /** The name of the witness in the policy. */
  readonly name: string;
  /** Its checkpoint; `null` if it has none of this log, or did not answer. */
  readonly checkpoint: WitnessedCheckpoint | null;
  /** Why there is none, in words; `null` if there is one. */
  readonly silence: string | null;
}

/** Asks all witnesses of a policy at once. None of them can make the run fail: what is missing is reported. */
export async function askWitnesses(
  { witnesses }: Pick<LogPolicy, 'witnesses'>,
  log: Verifier,
  signal: AbortSignal,
): Promise<readonly WitnessAnswer[]> {
  return Promise.all(
    witnesses.map(async (witness) => {
      const { name } = witness;
      if (witness.url === null) return { name, checkpoint: null, silence: 'the policy has no address of it' };
      try {
        const checkpoint = await latestOf(witness, log, { signal });
        const silence = checkpoint === null ? 'it serves no checkpoint of this log' : null;
        return { name, checkpoint, silence };
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof TrefoilError)) throw error;
        return { name, checkpoint: null, silence: error.issues[0]!.message };
      }
    }),
  );
}
