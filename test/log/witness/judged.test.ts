/**
 * Verdicts of tools that share no code with trefoil: proofs of a log that torchwood (Go) has accepted or refused under
 * policies, and a checkpoint that litewitness has cosigned. `.ci/log/judges --save` makes them.
 */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { checkProof, openNote, parseLogPolicy, verifierKey } from '../../../src/log.ts';

interface Judged {
  readonly policies: Readonly<Record<string, string>>;
  readonly proofs: Readonly<Record<string, string>>;
  readonly entries: Readonly<Record<string, string>>;
  readonly rows: readonly (readonly [policy: string, proof: string, entry: string, accepted: 'yes' | 'no'])[];
  readonly litewitness: { readonly log: string; readonly witness: string; readonly note: string };
}

const judged = JSON.parse(readFileSync(new URL('judged.json', import.meta.url), 'utf8')) as Judged;

test.each(judged.rows)('%s, %s, %s: accepted by torchwood: %s', (policy, proof, entry, accepted) => {
  const check = () =>
    checkProof(
      judged.proofs[proof]!,
      new TextEncoder().encode(judged.entries[entry]),
      parseLogPolicy(judged.policies[policy]!),
    );
  if (accepted === 'yes') expect(check().index).toBeGreaterThan(0);
  else expect(check).toThrow();
});

test('two forks of one log have a proof each under a quorum of one, and none under a quorum of all', () => {
  const verdicts = judged.rows
    .filter(([, proof]) => proof.startsWith('fork-'))
    .map(([policy, , , yes]) => `${policy} ${yes}`);
  expect(verdicts.sort()).toEqual(['forks.all no', 'forks.all no', 'forks.any yes', 'forks.any yes']);
  expect(parseLogPolicy(judged.policies['forks.any']!).forks()).not.toBeNull();
  expect(parseLogPolicy(judged.policies['forks.all']!).forks()).toBeNull();
});

test('a checkpoint that litewitness has cosigned', () => {
  const { log, witness, note } = judged.litewitness;
  const [byLog, byWitness] = openNote(note, [verifierKey(log), verifierKey(witness)]).signatures;
  expect(byLog?.time).toBeNull();
  expect(byWitness?.time).toBeGreaterThan(1_700_000_000);
});
