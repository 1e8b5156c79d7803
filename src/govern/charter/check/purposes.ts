/** What is unwise about the purposes of a charter. */

import type { Demand } from '../../text/items.ts';
import type { Charter, Officer, Purpose } from '../charter.ts';
import { areMet } from '../demands.ts';
import { lineOfPurpose } from '../spots.ts';
import { type CharterFinding, refused, warning } from './finding.ts';

/** The kinds of scopes that rules have (docs/spec/keyset-v1.md). */
const KINDS = ['token', 'fpe', 'seal', 'shiftDate', 'rejects', 'vault'];

/**
 * Kinds whose values say nothing about whose they are: a sealed name opens beside any token. A warrant for one person
 * would open the name of another, and the log would have the wrong one (docs/spec/govern/charter-v1.md, "What binds").
 */
const UNBOUND_KINDS = ['seal', 'fpe', 'rejects'];

const kindOf = (scope: string): string => scope.slice(0, scope.indexOf(':'));

export function purposeFindings(charter: Charter): readonly CharterFinding[] {
  const requesters = [...charter.officers.values()].filter(({ roles }) => roles.includes('requester'));
  const found = [...charter.purposes.values()].flatMap((purpose) => [
    ...scopeFindings(charter, purpose),
    ...approvalFindings(charter, purpose),
    ...askedFindings(charter, purpose, requesters),
  ]);
  if (charter.purposes.size === 0 || requesters.length > 0) return found;
  return [warning('nobody-asks', null, 'the charter has purposes, and no officer has the role requester'), ...found];
}

function scopeFindings(charter: Charter, purpose: Purpose): readonly CharterFinding[] {
  const line = lineOfPurpose(charter, purpose);
  const found: CharterFinding[] = [];
  const hasUnbound = purpose.scopes.some((scope) => UNBOUND_KINDS.includes(kindOf(scope)));
  if (purpose.subjects !== null && hasUnbound && !purpose.isUnbound) {
    const message =
      'the purpose counts people, and a scope of seal, fpe or rejects is bound to nobody: the value of another person ' +
      'would open under the name of the one in the warrant; take vault, or write unbound at the end of the line, and ' +
      'reports state that the people of a use are the word of the desk';
    found.push(refused('bound-to-nobody', line, message));
  }
  if (purpose.isUnbound && (purpose.subjects === null || !hasUnbound)) {
    const message = 'the purpose is unbound, and needs not be; reports would state that its people are not proven';
    found.push(warning('unbound-needless', line, message));
  }
  if (purpose.scopes.some((scope) => !KINDS.includes(kindOf(scope)))) {
    const message = `the purpose has a scope of a kind that no rule has; kinds are ${KINDS.join(', ')}`;
    found.push(warning('unknown-kind', line, message));
  }
  if (purpose.witnessed === null) {
    const message =
      'the purpose is not witnessed, so the operator of the log can take its uses out before anybody has seen them';
    found.push(warning('not-witnessed', line, message));
  }
  return found;
}

/** How many signatures demands are. */
const sumOf = (demands: readonly Demand[]): number => demands.reduce((sum, { count }) => sum + count, 0);

function approvalFindings(charter: Charter, purpose: Purpose): readonly CharterFinding[] {
  const line = lineOfPurpose(charter, purpose);
  const officers = [...charter.officers.values()];
  const found: CharterFinding[] = [];
  if (purpose.subjects === null && sumOf(purpose.approvals) === 1) {
    const message = 'the purpose is about whole tables, and one approval opens them all';
    found.push(warning('bulk-by-one', line, message));
  }
  const demands = [...purpose.approvals, ...(purpose.ratify?.demands ?? [])];
  if (demands.some(({ count, role }) => officers.filter(({ roles }) => roles.includes(role)).length === count)) {
    const message = 'every officer of a role must agree, so one lost key, or one who is away, stops the purpose';
    found.push(warning('every-one-needed', line, message));
  }
  return found;
}

/** Whether those who may ask can get what the purpose demands: nobody approves or ratifies their own warrant. */
function askedFindings(charter: Charter, purpose: Purpose, requesters: readonly Officer[]): readonly CharterFinding[] {
  const line = lineOfPurpose(charter, purpose);
  const officers = [...charter.officers.values()];
  const isServed = ({ handle }: Officer): boolean => {
    const others = officers.filter((officer) => officer.handle !== handle);
    return areMet(purpose.approvals, others) && areMet(purpose.ratify?.demands ?? [], others);
  };
  const served = requesters.filter(isServed).length;
  if (served === requesters.length) return protectedFindings(charter, purpose, requesters);
  return [
    served === 0
      ? refused('unsatisfiable', line, 'no requester can get the approvals or ratifications: nobody approves their own')
      : warning('not-for-all', line, 'some requesters cannot get the approvals or ratifications, and others can'),
  ];
}

/** Whether the purpose can be used for protected people, whose warrants need more approvals, by other officers. */
function protectedFindings(
  charter: Charter,
  purpose: Purpose,
  requesters: readonly Officer[],
): readonly CharterFinding[] {
  if (purpose.subjects === null || charter.protected === null || requesters.length === 0) return [];
  const demands = [...purpose.approvals, ...charter.protected.approvals];
  const officers = [...charter.officers.values()];
  if (
    requesters.some(({ handle }) =>
      areMet(
        demands,
        officers.filter((officer) => officer.handle !== handle),
      ),
    )
  )
    return [];
  const message =
    'no requester can get the approvals for a protected person: those of the purpose and of the line protected need ' +
    'distinct officers, and there are too few';
  return [warning('not-for-protected', lineOfPurpose(charter, purpose), message)];
}
