/** A charter with officers whose keys are at hand, and warrants under it. */
import { createHash } from 'node:crypto';
import type { Charter } from '../../../src/govern/charter/charter.ts';
import { parseCharter } from '../../../src/govern/charter/parse.ts';
import type { SshNamespace } from '../../../src/govern/officers/party-key.ts';
import { notePartySigner, type PartySigner } from '../../../src/govern/officers/party-signer.ts';
import { addSignature } from '../../../src/govern/officers/signatures.ts';
import { newWarrant, type WarrantRequest } from '../../../src/govern/warrant/ask.ts';
import { newNoteKey } from '../../../src/log.ts';

/** 2026-11-30T20:00:00Z. */
export const NOW = 1_796_068_800;

/** Bytes that depend on a word alone, so that every run has the same keys. */
export function bytesOf(word: string, length: number): Uint8Array {
  return Uint8Array.from(createHash('sha512').update(`trefoil warrant test ${word}`).digest().subarray(0, length));
}

/** A note key for a name. */
export function keyOf(name: string) {
  return newNoteKey(name, { random: (length) => bytesOf(name, length) });
}

export const HANDLES = ['anna', 'bela', 'chris', 'dora', 'eva', 'finn'] as const;
type Handle = (typeof HANDLES)[number];

const ROLES: Readonly<Record<Handle, string>> = {
  anna: 'approver',
  bela: 'approver,legal',
  chris: 'requester',
  dora: 'requester,approver',
  eva: 'keeper',
  finn: 'keeper,approver',
};

/** The signers of the officers. `chris 2` is a second key of chris, `anna 2` one of anna. */
export const SIGNERS: Readonly<Record<string, PartySigner>> = Object.fromEntries(
  [...HANDLES, 'anna 2'].map((name) => [name, notePartySigner(keyOf(`${name.replace(' ', '-')}.example`).privateKey)]),
);

const keys = (handle: Handle): string => {
  const second = handle === 'anna' ? ` note ${keyOf('anna-2.example').verifierKey}` : '';
  return `note ${keyOf(`${handle}.example`).verifierKey}${second}`;
};

const PURPOSES = [
  'purpose support.call-back dpv:CustomerCare verb reveal scopes seal:person.name,vault:people/person.phone ' +
    'approvals 1:approver values 50 subjects 10 hours 12 witnessed before show 7d unbound',
  'purpose legal.order verb reveal scopes seal:person.name approvals 2:approver,1:legal values 2000 subjects 200 ' +
    'hours 72 witnessed before show 365d unbound',
  'purpose move.keys verb rekey scopes rejects:people,seal:person.name approvals 2:approver values any hours 24 ' +
    'witnessed before show never',
];
const GLASS =
  'glass safety-of-life verb reveal scopes seal:person.name approvals none values 20 subjects 5 hours 1 witnessed 5m ' +
  'ratify 3d 2:approver at-most 3 9 per 7d show 30d unbound';

/** The text of the charter. */
export function charterText(more: { caseShown?: boolean; protectedBy?: string; version?: number } = {}): string {
  const { caseShown = true, protectedBy, version = 1 } = more;
  return [
    'trefoil charter v1',
    `version ${version}`,
    ...(version === 1 ? [] : [`previous sha256:${'0'.repeat(64)}`]),
    'domain eu-enclave',
    'subject person',
    `log ${keyOf('log.example').verifierKey}`,
    'quorum none',
    ...HANDLES.map((handle) => `officer ${handle} ${ROLES[handle]} ${keys(handle)}`),
    `desk chris-desk of chris note ${keyOf('chris-desk.example').verifierKey}`,
    `desk dora-desk of dora note ${keyOf('dora-desk.example').verifierKey}`,
    ...(caseShown ? ['case shown'] : []),
    ...PURPOSES,
    GLASS,
    ...(protectedBy === undefined ? [] : [`protected commit sha256:${'1'.repeat(64)} approvals ${protectedBy}`]),
    'change 2:keeper',
    '',
  ].join('\n');
}

export const CHARTER: Charter = parseCharter(charterText());

export const REQUEST: WarrantRequest = {
  purpose: 'support.call-back',
  requester: 'chris',
  desk: 'chris-desk',
  case: 'TICKET-20817',
  scopes: ['vault:people/person.phone', 'seal:person.name'],
  values: 4,
  subjects: [{ token: 'cust_0123456789' }, { text: '10017' }],
  reason: 'The customer asks to be called back.',
  seconds: 12 * 3600,
};

export interface Made {
  readonly text: string;
  readonly dossier: string;
}

/** A warrant that nobody has signed, with the same random bytes for the same `seed`. */
export function made(request: Partial<WarrantRequest> = {}, seed = 'one', charter: Charter = CHARTER): Made {
  const random = (length: number) => bytesOf(`${seed} ${length}`, length);
  const { warrant, dossier } = newWarrant({ ...REQUEST, ...request }, { charter, now: NOW, random });
  return { text: warrant.text, dossier };
}

/** Signs a text as these officers, in this order. */
export async function signed(
  text: string,
  by: readonly string[],
  namespace: SshNamespace = 'warrant@trefoil',
): Promise<string> {
  let note = text;
  for (const name of by) note = addSignature(note, await SIGNERS[name]!.sign(text, namespace));
  return note;
}
