/**
 * Tokens of a scope back to their values, if they belong to the people who are expected (docs/spec/vault-v1.md,
 * "Revealing"). The row of a token names the handle of its subject, sealed; so a token that somebody has put
 * beside the name of another person is found out.
 */

import { equalBytes } from '../../core/bytes.ts';
import type { Issue } from '../../errors.ts';
import { findSubjects } from '../subjects.ts';
import type { ReportIssue, Scope } from './scope.ts';
import { FORGOTTEN, findTokens, textOf } from './tokens.ts';

/** A token, and the text of the subject that it is said to belong to; `null` if nobody may have it. */
export interface Claimed {
  readonly token: string;
  readonly subject: string | null;
}

/** Subjects that are looked up at once. */
const BATCH = 500;

/** Reveals tokens. A value that belongs to another subject than its token is said to is reported and not returned. */
export async function revealClaimed(
  scope: Scope,
  items: readonly Claimed[],
  report: ReportIssue,
): Promise<(string | undefined)[]> {
  const out = new Array<string | undefined>(items.length).fill(undefined);
  const handles = await handlesOf(scope, items);
  const tokens = items.map(({ token }) => token);
  for (const { positions, mapping } of await findTokens(scope, tokens, report)) {
    for (const i of positions) {
      if (mapping === 'forgotten') {
        report(i, FORGOTTEN);
        continue;
      }
      const { subject: claimed } = items[i]!;
      const handle = claimed === null ? undefined : handles.get(claimed);
      const isTheirs = handle !== undefined && mapping.subject !== null && equalBytes(handle, mapping.subject.handle);
      if (isTheirs) out[i] = textOf(mapping.value);
      else report(i, OTHER);
    }
  }
  return out;
}

/** The handles of the subjects that the store has, by their texts. */
async function handlesOf({ session }: Scope, items: readonly Claimed[]): Promise<ReadonlyMap<string, Uint8Array>> {
  const texts = [...new Set(items.flatMap(({ subject }) => (subject === null ? [] : [subject])))];
  const handles = new Map<string, Uint8Array>();
  for (let first = 0; first < texts.length; first += BATCH) {
    const some = texts.slice(first, first + BATCH);
    const states = await session.withView((view) => findSubjects(view, session.subjects.indexesOf(some), 'leave'));
    for (const [i, state] of states.entries()) if (typeof state === 'object') handles.set(some[i]!, state.handle);
  }
  return handles;
}

const OTHER: Issue = {
  code: 'other_subject',
  message: 'the value belongs to another person than the record says, so it is not revealed',
};
