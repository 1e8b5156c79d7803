/** What a check of a charter finds. */

/** What is found, as one word. */
export type CharterFindingWord =
  | 'unwitnessed'
  | 'witnessed-by-nobody'
  | 'forks'
  | 'witnesses-inside'
  | 'not-witnessed'
  | 'every-one-needed'
  | 'asks-and-approves'
  | 'nobody-asks'
  | 'unsatisfiable'
  | 'not-for-all'
  | 'not-for-protected'
  | 'bulk-by-one'
  | 'bound-to-nobody'
  | 'unbound-needless'
  | 'unknown-kind'
  | 'role-unused'
  | 'desk-cannot-ask'
  | 'no-desk'
  | 'changed-by-one'
  | 'no-touch'
  | 'client-without-rate'
  | 'code-book'
  | 'space-unknown';

/** One thing that was found in a charter. */
export interface CharterFinding {
  /** `refused`: no keeper may sign it, and `trefoil charter sign` does not. `warning`: it is allowed, and unwise. */
  readonly level: 'refused' | 'warning';
  readonly word: CharterFindingWord;
  /** The line of the charter, from 1; `null` if it is about all of it. */
  readonly line: number | null;
  /** A sentence without a full stop. It names no name. */
  readonly message: string;
}

export const refused = (word: CharterFindingWord, line: number | null, message: string): CharterFinding => ({
  level: 'refused',
  word,
  line,
  message,
});

export const warning = (word: CharterFindingWord, line: number | null, message: string): CharterFinding => ({
  level: 'warning',
  word,
  line,
  message,
});
