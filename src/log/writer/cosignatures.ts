/** The cosignatures of one checkpoint. They may come over several rounds of asking. */

import type { LogPolicy, PolicyWitness } from '../tree/policy.ts';

/** What the witnesses have signed of a checkpoint. */
export interface Cosignatures {
  /** The checkpoint with the signature of the log alone. */
  readonly checkpoint: string;
  /** Whether a witness has cosigned it. */
  readonly has: (name: string) => boolean;
  /** Adds the line of a witness. */
  readonly add: (name: string, line: string) => void;
  readonly count: () => number;
  /** Whether they satisfy the policy. */
  readonly isEnough: () => boolean;
  /** The checkpoint with all of them, in the order of the policy. */
  readonly note: () => string;
}

/** Begins to gather the cosignatures of a checkpoint. */
export function gatherCosignatures(checkpoint: string, { witnesses, satisfiedBy }: LogPolicy): Cosignatures {
  const lines = new Map<string, string>();
  return {
    checkpoint,
    has: (name) => lines.has(name),
    add: (name, line) => void lines.set(name, line),
    count: () => lines.size,
    isEnough: () => satisfiedBy(new Set(lines.keys())),
    note: () => checkpoint + witnesses.map(({ name }) => (lines.has(name) ? `${lines.get(name)}\n` : '')).join(''),
  };
}

/**
 * Asks the witnesses that have not cosigned yet, side by side.
 *
 * @param ask asks one for its line; `null` if it has not cosigned.
 * @param publish is called as soon as there are enough, again with those that come later, and at the end if there are
 *   some and not enough.
 */
export async function askAll(
  gathered: Cosignatures,
  { witnesses }: LogPolicy,
  ask: (witness: PolicyWitness) => Promise<string | null>,
  publish: () => Promise<void>,
): Promise<void> {
  const asked = witnesses.map(async (witness) => {
    const line = gathered.has(witness.name) ? null : await ask(witness);
    if (line === null) return;
    gathered.add(witness.name, line);
    if (gathered.isEnough()) await publish();
  });
  await Promise.all(asked);
  if (gathered.count() > 0 && !gathered.isEnough()) await publish();
}
