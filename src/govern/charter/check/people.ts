/** What is unwise about the officers and desks of a charter. */

import type { Demand } from '../../text/items.ts';
import type { Charter, Officer } from '../charter.ts';
import { lineOf } from '../spots.ts';
import { type CharterFinding, refused, warning } from './finding.ts';

export function peopleFindings(charter: Charter): readonly CharterFinding[] {
  const officers = [...charter.officers.values()];
  return [
    ...officers.flatMap((officer) => officerFindings(charter, officer)),
    ...deskFindings(charter, officers),
    ...keeperFindings(charter, officers),
  ];
}

/** Every demand of a charter for approvals. */
export function approvalsOf({ purposes, protected: list }: Charter): readonly Demand[] {
  return [
    ...[...purposes.values()].flatMap(({ approvals, ratify }) => [...approvals, ...(ratify?.demands ?? [])]),
    ...(list?.approvals ?? []),
  ];
}

function officerFindings(charter: Charter, { handle, roles, keys }: Officer): readonly CharterFinding[] {
  const line = lineOf(charter, 'officer', handle);
  const demanded = new Set(approvalsOf(charter).map(({ role }) => role));
  const found: CharterFinding[] = [];
  if (roles.includes('requester') && roles.some((role) => demanded.has(role))) {
    const message =
      'the officer both asks and approves; nobody approves their own warrant, but two such officers approve each other’s';
    found.push(warning('asks-and-approves', line, message));
  }
  const idle = roles.filter((role) => role !== 'requester' && role !== 'keeper' && !demanded.has(role));
  if (idle.length > 0) {
    const message = 'the officer has a role that no line demands; is it spelt as in the purposes?';
    found.push(warning('role-unused', line, message));
  }
  if (keys.some((key) => key.kind === 'ssh' && key.ssh.type.startsWith('sk-') && !key.ssh.demands.touch)) {
    const message =
      'a hardware key of the officer does not demand touch, so malware on their machine can sign while it is plugged in';
    found.push(warning('no-touch', line, message));
  }
  return found;
}

function deskFindings(charter: Charter, officers: readonly Officer[]): readonly CharterFinding[] {
  const desks = [...charter.desks.values()];
  const found = desks
    .filter(({ of }) => !charter.officers.get(of)!.roles.includes('requester'))
    .map(({ handle }) =>
      refused(
        'desk-cannot-ask',
        lineOf(charter, 'desk', handle),
        'the officer of the desk does not have the role requester',
      ),
    );
  const without = officers.filter(
    ({ handle, roles }) => roles.includes('requester') && !desks.some(({ of }) => of === handle),
  );
  return [
    ...found,
    ...without.map(({ handle }) =>
      warning('no-desk', lineOf(charter, 'officer', handle), 'the requester has no desk, and a warrant names one'),
    ),
  ];
}

function keeperFindings(charter: Charter, officers: readonly Officer[]): readonly CharterFinding[] {
  const line = lineOf(charter, 'change');
  const keepers = officers.filter(({ roles }) => roles.includes('keeper')).length;
  const needed = charter.change[0]!.count;
  const found: CharterFinding[] = [];
  if (needed === 1) {
    found.push(warning('changed-by-one', line, 'one keeper alone can write the next charter, and all that it allows'));
  }
  if (needed === keepers) {
    const message = 'every keeper must sign the next charter, so one lost key ends all changes for ever';
    found.push(warning('every-one-needed', line, message));
  }
  return found;
}
