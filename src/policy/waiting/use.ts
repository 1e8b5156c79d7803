/**
 * Uses of a warrant: what a batch will reveal is counted and noted by the place of the keys, only then is it revealed,
 * and at the end the place is told what became of it. `keys/place.ts` says what a place is.
 */

import { isCapability, type WarrantAccess } from '../../core/capability.ts';
import { badType } from '../../core/checks.ts';
import type { OpenedKeys } from '../../keys/domain-keys.ts';
import type { Batch, Grant, Outcome, SubjectField } from '../../keys/place/place.ts';
import { demandUngoverned } from '../../keys/place/refusals.ts';
import { runValue } from '../../rule/columns.ts';
import { isMissing, type MissingLists, type MissingTexts } from '../../rule/missing.ts';
import { type AsyncColumns, type AsyncVerb, ruleOption, type Siblings } from '../../rule/rule.ts';
import type { Leaf } from '../bound.ts';

/** A column that will be revealed. */
export interface Asked {
  /** Index of the leaf in the policy. */
  readonly leaf: number;
  readonly column: readonly unknown[];
  readonly siblings: Siblings;
  /** Where the values are in the whole column, if some of it is left out already. */
  readonly at?: readonly number[];
}

/**
 * Reveals the column of a leaf, and counts what becomes of its values. `at`: as {@link Asked} has it; of what was
 * asked, more may be left out by now.
 */
export type Reveal = (
  leaf: number,
  column: readonly unknown[],
  report: Parameters<AsyncVerb>[1],
  siblings: Siblings | undefined,
  noteErased: Parameters<AsyncVerb>[3],
  at?: readonly number[],
) => Promise<unknown[]>;

/** What stands between a batch and its values. */
export interface Gate {
  /** The field whose values a batch is noted with; `null` if there is none. */
  readonly subject: string | null;
  /**
   * Notes a use, does the work, and notes what became of it. If nothing is to be revealed, nothing is noted.
   *
   * @param asked everything that `work` may reveal.
   * @throws what the place throws; then `work` was not begun.
   */
  readonly through: <T>(asked: readonly Asked[], work: (reveal: Reveal) => Promise<T>) => Promise<T>;
}

/** What a gate needs of a policy. */
export interface Gated {
  readonly leaves: readonly Leaf[];
  /** Which texts are missing in each leaf. */
  readonly missing: readonly MissingTexts[];
  /** The verbs that reveal, by the index of the leaf. */
  readonly verbs: readonly (Pick<AsyncColumns, 'reveal' | 'revealOf'> | undefined)[];
  readonly subject: SubjectField | null;
}

/** Whether revealing turns outputs of a rule back into something that was not there. */
export function turnsBack({ engine: { facts } }: Leaf): boolean {
  return facts.back !== 'never' && facts.back !== 'unchanged';
}

/** What a warrant calls the values of a rule: `seal:person.name`, `vault:people/person.name`. */
export function scopeOf({ rule, engine }: Leaf): string {
  const store = ruleOption(rule, 'store');
  return `${rule.rule}:${typeof store === 'string' ? `${store}/` : ''}${engine.facts.scope ?? ''}`;
}

/**
 * Those of the scopes whose values are bound to the person that the policy's own subject names: a vault with the same
 * subject. A scope of which one field is not is not among them.
 */
export function boundScopes(leaves: readonly Leaf[], subject: string | undefined): readonly string[] {
  const isBound = ({ rule, engine }: Leaf): boolean =>
    subject !== undefined && engine.open !== undefined && ruleOption(rule, 'subject') === subject;
  const loose = new Set(leaves.filter((leaf) => turnsBack(leaf) && !isBound(leaf)).map(scopeOf));
  return scopesOf(leaves).filter((scope) => !loose.has(scope));
}

/** The scopes that a policy reveals, each once, in ascending order. */
export function scopesOf(leaves: readonly Leaf[]): readonly string[] {
  return [...new Set(leaves.filter(turnsBack).map(scopeOf))].sort();
}

/** The field that says whose record it is, as a place sees it. */
export function subjectField(
  leaves: readonly Leaf[],
  subject: string | undefined,
  keys: OpenedKeys,
  listsOf: (leaf: number) => MissingLists,
): SubjectField | null {
  const index = leaves.findIndex(({ path }) => path === subject);
  if (index === -1) return null;
  const { path, rule, engine } = leaves[index]!;
  const after = ruleOption(rule, 'after');
  const { scope } = engine.facts;
  const options = Object.keys(rule).filter((name) => ruleOption(rule, name) !== undefined);
  const data = { rule: rule.rule, scope, after: typeof after === 'string' ? after : '', options };
  return {
    path,
    rule: data,
    outputOf(text) {
      const { protect } = engine.bind(engine.keyed ? keys : null, false, listsOf(index));
      const made = runValue((column, report) => protect(column, report, noSiblings), text);
      return typeof made === 'string' ? made : badType('subject', 'expected a field whose rule writes text');
    },
  };
}

const noSiblings: Siblings = () =>
  badType('subject', 'expected a field of the policy whose rule needs no other field of the record');

/**
 * Settles what a caller may reveal with these keys.
 *
 * @returns the warrant that the place has to grant; `null` if the keys are not governed, or nothing is revealed.
 * @throws TrefoilError `warrant_required` if the keys are governed and there is no warrant; TypeError if there is a
 *   warrant and the keys are not governed.
 */
export function checkWarrant(
  keys: OpenedKeys,
  { revealing, warrant }: { readonly revealing: boolean; readonly warrant: WarrantAccess | null },
): WarrantAccess | null {
  if (!revealing) return null;
  if (warrant === null) {
    demandUngoverned(keys, 'reveal');
    return null;
  }
  if (keys.place === null || !isCapability(warrant, 'warrant')) {
    badType('keys', 'expected governed keys, as govern of trefoil/govern returns them, because a warrant was passed');
  }
  return warrant;
}

/** Whether a value of a leaf is there, so that revealing it is a use. */
const isThere = ({ missing }: Gated, leaf: number, value: unknown): boolean => !isMissing(value, missing[leaf]!);

/** Counts what will be revealed, and finds whose it is. */
function batchOf(gated: Gated, asked: readonly Asked[]): { readonly batch: Batch; readonly total: number } {
  const { leaves, subject } = gated;
  const subjectLeaf = leaves.findIndex(({ path }) => path === subject?.path);
  const values = new Map<string, number>();
  const subjects = new Set<string>();
  let total = 0;
  let withoutSubject = 0;
  for (const { leaf, column, siblings } of asked) {
    const people = subject === null ? null : siblings(subject.path);
    let count = 0;
    for (let i = 0; i < column.length; i++) {
      if (!isThere(gated, leaf, column[i])) continue;
      count++;
      if (people === null) continue;
      const person = people[i];
      if (typeof person === 'string' && isThere(gated, subjectLeaf, person)) subjects.add(person);
      else withoutSubject++;
    }
    const scope = scopeOf(leaves[leaf]!);
    if (count > 0) values.set(scope, (values.get(scope) ?? 0) + count);
    total += count;
  }
  const known = subject === null ? null : [...subjects];
  return { batch: { verb: 'reveal', values, subjects: known, withoutSubject }, total };
}

/** Makes the gate of a policy. */
export function makeGate(grant: Grant, gated: Gated): Gate {
  const { verbs, subject } = gated;

  /** The verb of a leaf. If values must be bound to people, it is the one that refuses those of others. */
  function verbOf(leaf: number, siblings: Siblings | undefined): AsyncVerb {
    const { personOf } = grant;
    const { reveal, revealOf } = verbs[leaf]!;
    if (personOf === null) return reveal;
    if (revealOf === null || subject === null) throw new Error('a value that is bound to nobody was granted');
    const people = siblings!(subject.path);
    return revealOf(people.map((person) => (typeof person === 'string' ? personOf(person) : null)));
  }

  async function through<T>(asked: readonly Asked[], work: (reveal: Reveal) => Promise<T>): Promise<T> {
    const { batch, total } = batchOf(gated, asked);
    const use = total === 0 ? null : await grant.use(batch);
    let opened = 0;
    let failed = 0;
    const reveal: Reveal = async (leaf, column, report, siblings, noteErased) => {
      const verb = verbOf(leaf, siblings);
      const wrong = new Set<number>();
      const note = (i: number, issue: Parameters<typeof report>[1]): void => {
        wrong.add(i);
        report(i, issue);
      };
      const present = column.map((value) => isThere(gated, leaf, value));
      const tried = present.reduce((sum, is) => sum + Number(is), 0);
      // The columns of the work are those of the batch. If they were not, nothing may be revealed that was not noted.
      if (opened + failed + tried > total) throw new Error('more would be revealed than was noted');
      // Until the verb has ended, nobody knows what it has opened: it counts as failed if it throws.
      failed += tried;
      const out = await verb(column, note, siblings, noteErased);
      for (let i = 0; i < column.length; i++) {
        if (!present[i] || wrong.has(i) || out[i] === null || out[i] === undefined) continue;
        opened++;
        failed--;
      }
      return out;
    };
    const outcome = (): Outcome => ({ opened, failed, refused: total - opened - failed });
    let result: T;
    try {
      result = await work(reveal);
    } catch (error) {
      // The reason why the work ended is the one to be told. A use without an end counts as opened.
      await use?.done(outcome()).catch(() => {});
      throw error;
    }
    await use?.done(outcome());
    return result;
  }

  return { subject: subject?.path ?? null, through };
}
