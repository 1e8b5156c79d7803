/// <reference types="node" />
/** The summary of a run: its counts, the rule of each field, the policy and the keys, but no value of a record. */

import { createHash } from 'node:crypto';
import { given } from '../../core/given.ts';
import type { IssueCount, IssueCounts } from '../../errors.ts';
import { packageVersion } from '../../files/version.ts';
import { checkEncoding, type EncodingName } from '../../io/encoding.ts';
import { PROTECTS } from '../../keys/checks.ts';
import type { DomainKeys, KeyCheck } from '../../keys.ts';
import type { Direction, Moving } from '../../policy/bound.ts';
import type { FilePolicy } from '../../policy.ts';

/** What a summary is made from. */
export interface SummaryInput {
  readonly command: Direction;
  readonly rowsIn: number;
  readonly rowsOut: number;
  readonly rowsRejected: number;
  /** Values that became missing because they were erased. */
  readonly valuesErased: number;
  /** The name of `--encoding`. */
  readonly encoding: EncodingName | undefined;
  readonly issues: IssueCounts;
  readonly policy: FilePolicy;
  readonly keys: DomainKeys | null;
  /** From where to where records were moved; `null` if they were not. */
  readonly moving: Moving | null;
}

/** SHA-256 of a policy as the library serialises it, so that spacing and comments of the file make no difference. */
export function policySha256(policy: FilePolicy): string {
  return createHash('sha256').update(JSON.stringify(policy), 'utf8').digest('hex');
}

/** The checks of the keys of the run: of the one that protects, or of those that the policy pins for revealing. */
function keyChecksOf(
  command: SummaryInput['command'],
  { keyCheck }: FilePolicy,
  keys: DomainKeys | null,
): KeyCheck | null {
  if (keys === null) return null;
  if (command !== 'reveal') return { [keys.keyId]: keys.keyCheck[keys.keyId]! };
  if (keyCheck === undefined) return keys.keyCheck;
  const { [PROTECTS]: _, ...checks } = keyCheck;
  return checks;
}

/** The encodings of the inputs and outputs. `named` is what the caller wrote, if it means another encoding. */
function encodingsOf(name: EncodingName | undefined) {
  const input = checkEncoding(name);
  return { input, ...given({ named: name === input ? undefined : name }), output: 'utf-8' };
}

/** Where moved records came from: the domain, the checks of its keys, and the key that was named. */
function movedFrom({ from, fromKey, as }: Moving): object {
  const keyCheck = Object.fromEntries(from.keys.map(({ id, check }) => [id, check]));
  return {
    from: { domain: from.domain, keyCheck, ...given({ key: fromKey ?? undefined }) },
    ...given({ asPolicySha256: as === null ? undefined : policySha256(as as FilePolicy) }),
  };
}

/** How many rows were rejected for one reason. */
function rejectedBy({ field, code, rows, issues, first }: IssueCount): object {
  return {
    ...given({ field }),
    code,
    message: first.message,
    rows,
    issues,
    first: given({ file: first.file, row: first.row, line: first.line }),
  };
}

/** The summary as JSON text. */
export function makeSummary({ policy, keys, moving, ...counts }: SummaryInput): string {
  const summary = {
    command: counts.command,
    rowsIn: counts.rowsIn,
    rowsOut: counts.rowsOut,
    rowsRejected: counts.rowsRejected,
    valuesErased: counts.valuesErased,
    encoding: encodingsOf(counts.encoding),
    issues: counts.issues.fields.map(rejectedBy),
    ...(counts.issues.others > 0 && { otherIssues: counts.issues.others }),
    fields: Object.fromEntries(Object.entries(policy.fields).map(([path, { rule }]) => [path, rule])),
    policySha256: policySha256(policy),
    domain: moving?.to.domain ?? policy.domain,
    keyCheck: keyChecksOf(counts.command, policy, keys),
    ...(moving !== null && movedFrom(moving)),
    version: packageVersion,
  };
  return `${JSON.stringify(summary, null, 2)}\n`;
}
