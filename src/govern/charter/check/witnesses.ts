/** What is unwise about the witnesses of a charter's log. */

import type { Charter } from '../charter.ts';
import { lineOf, lineOfPurpose } from '../spots.ts';
import { type CharterFinding, refused, warning } from './finding.ts';

export function witnessFindings(charter: Charter): readonly CharterFinding[] {
  return charter.isUnwitnessed ? unwitnessed(charter) : [...forks(charter), ...inside(charter)];
}

/** Without witnesses the level is G1, whatever else the charter says, so this is about the whole charter. */
function unwitnessed(charter: Charter): readonly CharterFinding[] {
  const message =
    'quorum none: nobody outside sees the log, so its operator can rewrite it and show everybody another one (level G1)';
  const hollow = [...charter.purposes.values()].filter(({ witnessed }) => witnessed !== null);
  return [
    warning('unwitnessed', null, message),
    ...hollow.map((purpose) => {
      const words = 'the purpose is to be witnessed, and with quorum none that means by nobody';
      return warning('witnessed-by-nobody', lineOfPurpose(charter, purpose), words);
    }),
  ];
}

/** Amendment: two sets of honest witnesses without a common member, each of which is shown a log of its own. */
function forks(charter: Charter): readonly CharterFinding[] {
  if (charter.logPolicy.forks() === null) return [];
  const message =
    'two sets of witnesses without a common member satisfy the quorum, so the log can show each of them, all honest, ' +
    'entries that the other does not see; of n members more than half are needed, or all';
  return [refused('forks', lineOf(charter, 'quorum'), message)];
}

/** The end of a host name, by which it is told whether a witness belongs to the operator of the log. */
function ownerOf(keyName: string): string {
  const [host = ''] = keyName.split('/');
  return host.toLowerCase().split('.').slice(-2).join('.');
}

function inside(charter: Charter): readonly CharterFinding[] {
  const owner = ownerOf(charter.log.name);
  const own = charter.logPolicy.witnesses.filter(({ verifier }) => ownerOf(verifier.name) === owner);
  if (!charter.logPolicy.satisfiedBy(new Set(own.map(({ name }) => name)))) return [];
  const message =
    'witnesses whose keys are named like the log satisfy the quorum alone; a witness protects from the operator of the ' +
    'log only if it is run by somebody else';
  return [warning('witnesses-inside', lineOf(charter, 'quorum'), message)];
}
