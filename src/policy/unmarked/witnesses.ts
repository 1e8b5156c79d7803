/**
 * Which key made a record. Ciphertext of `fpe` and tokens in a bare form do not show their key, and under another key
 * they turn into other values without an error. Labelled tokens and sealed values do show it, and a record is protected
 * and rekeyed as a whole. So the fields that show the key are witnesses for the others of the same record. Only
 * the code in this folder and around it has the word in this sense: on pages and in messages a witness is one of a log.
 *
 * A witness is no authentication: anyone who can write to the table can write another key id. It finds tables that were
 * taken for those of another key.
 */

import type { Siblings } from '../../rule/rule.ts';
import type { Leaf } from '../bound.ts';
import { arrayPath, parsePath, type Step } from '../file/path.ts';

/** What a record shows if its fields show more than one key. No shown id has this length. */
export const SEVERAL = 'several keys';

/** The fields of a policy that show the key of a record. */
export interface Witnesses {
  /** The fields to read, by path; in place of a field inside an array, the array. */
  readonly paths: readonly string[];
  /**
   * Returns the shown key id of the record of each value: `null` if it shows none, {@link SEVERAL} if it shows more
   * than one.
   *
   * @param siblings the other fields of the records, as they were protected.
   * @param count the number of values.
   */
  readonly idsOf: (siblings: Siblings, count: number) => readonly (string | null)[];
}

/** Whether a field is a witness: every output shows its key, and is moved together with its record. */
export function isWitness({ engine }: Leaf): boolean {
  return engine.shownKey !== undefined;
}

/** Whether outputs of a field are moved to another key, and do not show theirs. */
export function hidesKey(leaf: Leaf): boolean {
  return leaf.engine.mover?.showsKey === false && !isWitness(leaf);
}

/** One field that shows the key. */
interface Witness {
  /** Path of the field, or of the array that it is in. */
  readonly path: string;
  /** Arrays around the value at the path, and the way on from their elements. */
  readonly arrays: number;
  readonly rest: readonly Step[];
  readonly shownKey: (output: unknown) => string | null;
}

/** Finds the fields that show the key of a record. */
export function witnessesOf(leaves: readonly Leaf[]): Witnesses {
  const witnesses = leaves.flatMap((leaf) => witnessOf(leaf) ?? []);
  const paths = [...new Set(witnesses.map(({ path }) => path))];
  return {
    paths,
    idsOf(siblings, count) {
      const ids = new Array<string | null>(count).fill(null);
      for (const witness of witnesses) {
        const column = siblings(witness.path);
        if (witness.arrays === 0) {
          for (let i = 0; i < count; i++) ids[i] = both(ids[i]!, witness.shownKey(column[i]));
          continue;
        }
        // The values of one array share it, and it is read once.
        const known = new Map<unknown, string | null>();
        for (let i = 0; i < count; i++) {
          const value = column[i];
          let id = known.get(value);
          if (id === undefined) {
            id = read(witness, value, witness.arrays, 0);
            known.set(value, id);
          }
          ids[i] = both(ids[i]!, id);
        }
      }
      return ids;
    },
  };
}

function witnessOf({ path, engine: { shownKey } }: Leaf): Witness | null {
  const steps = parsePath(path);
  if (shownKey === undefined || typeof steps === 'string') return null;
  const at = steps.findIndex(({ arrays }) => arrays > 0);
  if (at === -1) return { path, arrays: 0, rest: [], shownKey };
  return { path: arrayPath(path), arrays: steps[at]!.arrays, rest: steps.slice(at + 1), shownKey };
}

/** Reads what a value shows: an output, or what all outputs in an array show together. */
function read(witness: Witness, value: unknown, arrays: number, at: number): string | null {
  if (arrays > 0) {
    if (!Array.isArray(value)) return null;
    let id: string | null = null;
    for (const element of value) id = both(id, read(witness, element, arrays - 1, at));
    return id;
  }
  const step = witness.rest[at];
  if (step === undefined) return witness.shownKey(value);
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step.name)) return null;
  return read(witness, (value as Readonly<Record<string, unknown>>)[step.name], step.arrays, at + 1);
}

function both(a: string | null, b: string | null): string | null {
  if (a === null || a === b) return b;
  return b === null ? a : SEVERAL;
}
