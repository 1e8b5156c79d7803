/** What a witness remembers: for each log, the checkpoint that it has cosigned last. */

/**
 * A store of cosigned checkpoints. Anyone who can write to it can make the witness cosign two trees. So keep it where
 * only the witness can write, and never restore it from a backup.
 */
export interface WitnessState {
  /** Returns the last checkpoint of a log, with its signatures; `null` if there is none. */
  readonly latest: (origin: string) => Promise<string | null>;
  /**
   * Replaces it, if it is still the text that the caller has seen. Returns `false` if it is another. When the promise
   * resolves with `true`, the new text survives a loss of power.
   */
  readonly replace: (origin: string, before: string | null, after: string) => Promise<boolean>;
}

/**
 * Makes a state in memory, for tests: a witness that forgets what it has cosigned may cosign another tree after its
 * next start. `witnessFolder` of `trefoil/node` is the one to run with.
 *
 * @example
 * ```ts
 * import { witnessMemory } from 'trefoil/log';
 *
 * const state = witnessMemory();
 * await state.latest('log.example'); // → null
 * ```
 */
export function witnessMemory(): WitnessState {
  const notes = new Map<string, string>();
  return {
    latest: async (origin) => notes.get(origin) ?? null,
    async replace(origin, before, after) {
      if ((notes.get(origin) ?? null) !== before) return false;
      notes.set(origin, after);
      return true;
    },
  };
}
