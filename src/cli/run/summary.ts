/// <reference types="node" />
/** The summary of a run: what was done to which fields, under which policy and keys. No record, no value. */

import { createHash } from 'node:crypto';
import { packageVersion } from '../../files/version.ts';
import type { DomainKeys, KeyCheck } from '../../keys.ts';
import type { FilePolicy } from '../../policy.ts';

/** What a summary is made of. */
export interface Done {
  readonly command: 'protect' | 'reveal';
  readonly rowsIn: number;
  readonly rowsOut: number;
  readonly rowsRejected: number;
  readonly policy: FilePolicy;
  readonly keys: DomainKeys | null;
}

/** SHA-256 of a policy as the library writes it: spacing and comments of the file do not count. */
export function policySha256(policy: FilePolicy): string {
  return createHash('sha256').update(JSON.stringify(policy), 'utf8').digest('hex');
}

/** The keys of the run: the one that protects now, or those that the policy pins to reveal with. */
function usedChecks(command: Done['command'], { keyCheck }: FilePolicy, keys: DomainKeys | null): KeyCheck | null {
  if (keys === null) return null;
  if (command === 'protect') return { [keys.keyId]: keys.keyCheck[keys.keyId]! };
  return keyCheck ?? keys.keyCheck;
}

/** The summary as JSON text. */
export function makeSummary({ policy, keys, ...counts }: Done): string {
  const summary = {
    command: counts.command,
    rowsIn: counts.rowsIn,
    rowsOut: counts.rowsOut,
    rowsRejected: counts.rowsRejected,
    fields: Object.fromEntries(Object.entries(policy.fields).map(([path, { rule }]) => [path, rule])),
    policySha256: policySha256(policy),
    domain: policy.domain,
    keyCheck: usedChecks(counts.command, policy, keys),
    version: packageVersion,
  };
  return `${JSON.stringify(summary, null, 2)}\n`;
}
