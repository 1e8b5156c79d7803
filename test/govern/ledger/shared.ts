/** A gateway's log in a folder, with a charter of two officers, and warrants under it. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Charter } from '../../../src/govern/charter/charter.ts';
import { openCharter } from '../../../src/govern/charter/succession.ts';
import { openSequencer, type Sequencer, type UseRequest } from '../../../src/govern/ledger/sequencer.ts';
import type { SshNamespace } from '../../../src/govern/officers/party-key.ts';
import { notePartySigner } from '../../../src/govern/officers/party-signer.ts';
import { addSignature } from '../../../src/govern/officers/signatures.ts';
import { newWarrant, type WarrantRequest } from '../../../src/govern/warrant/ask.ts';
import { type VerifiedWarrant, verifyWarrant } from '../../../src/govern/warrant/verify.ts';
import { type Log, type LogStore, newNoteKey, noteSigner, openLog, subjectSealer } from '../../../src/log.ts';
import { logFolder } from '../../../src/node.ts';

/** 2026-11-30T20:00:00Z. */
export const NOW = 1_796_068_800;

const keyOf = (name: string) =>
  newNoteKey(name, { random: () => createHash('sha256').update(`ledger test ${name}`).digest() });
export const KEYS = Object.fromEntries(
  ['log', 'anna', 'bela', 'chris', 'dora', 'eva', 'chris-desk', 'dora-desk', 'etl'].map((name) => [
    name,
    keyOf(`${name}.example`),
  ]),
);
const vkey = (name: string): string => KEYS[name]!.verifierKey;

/** The lines of the charter. */
export function charterText(version = 1, previous = ''): string {
  return [
    'trefoil charter v1',
    `version ${version}`,
    ...(version === 1 ? [] : [`previous sha256:${previous}`]),
    'domain eu-enclave',
    'subject person',
    `log ${vkey('log')}`,
    'quorum none',
    `officer anna approver note ${vkey('anna')}`,
    `officer bela approver note ${vkey('bela')}`,
    `officer chris requester note ${vkey('chris')}`,
    `officer dora requester note ${vkey('dora')}`,
    `officer eva keeper note ${vkey('eva')}`,
    `desk chris-desk of chris note ${vkey('chris-desk')}`,
    `desk dora-desk of dora note ${vkey('dora-desk')}`,
    `client etl note ${vkey('etl')}`,
    'case shown',
    'purpose support.call-back verb reveal scopes seal:person.mail,seal:person.name approvals 1:approver values 50 ' +
      'subjects 10 hours 12 witnessed no show 7d unbound',
    'glass safety-of-life verb reveal scopes seal:person.name approvals none values 20 subjects 5 hours 1 witnessed 5m ' +
      'ratify 2h 2:approver at-most 2 3 per 7d show 30d unbound',
    'rate client etl protect token:person.mail 25000 per 1h',
    'rate client etl lookup * 100 per 1h',
    'rate desk * reveal * 200 per 1d',
    'change 1:keeper',
    '',
  ].join('\n');
}

/** Signs a text as these officers. */
export async function signed(text: string, by: readonly string[], namespace: SshNamespace): Promise<string> {
  let note = text;
  for (const name of by) note = addSignature(note, await notePartySigner(KEYS[name]!.privateKey).sign(text, namespace));
  return note;
}

export const TEXT: string = charterText();
export const FIRST: string = createHash('sha256').update(TEXT).digest('hex');
export const CHARTER_NOTE: string = await signed(TEXT, ['eva'], 'charter@trefoil');
export const CHARTER: Charter = openCharter(CHARTER_NOTE, { sha256: FIRST });

/** A clock that tests move. */
export interface Clock {
  now: number;
}

/** A place for a log that can be opened again and again. */
export function place(): { readonly store: () => LogStore } {
  const folder = mkdtempSync(join(tmpdir(), 'trefoil-ledger-'));
  return { store: () => logFolder(join(folder, 'log'), { head: join(folder, 'head'), sync: false }) };
}

export const SEALER = subjectSealer(createHash('sha256').update('ledger test shard').digest());

/** Opens the log of a place and its sequencer. */
export async function open(
  store: LogStore,
  clock: Clock,
  { create = false, charter = create ? CHARTER_NOTE : '' }: { create?: boolean; charter?: string } = {},
): Promise<{ readonly log: Log; readonly gate: Sequencer }> {
  const now = () => clock.now * 1000;
  const log = await openLog(store, { signer: noteSigner(KEYS.log!.privateKey), create, now });
  const options = { firstCharter: FIRST, sealer: SEALER, host: 'gateway-1', now };
  try {
    return { log, gate: await openSequencer(log, { ...options, ...(charter === '' ? {} : { charter }) }) };
  } catch (error) {
    await log.close();
    throw error;
  }
}

export const REQUEST: WarrantRequest = {
  purpose: 'support.call-back',
  requester: 'chris',
  desk: 'chris-desk',
  case: 'TICKET-20817',
  scopes: ['seal:person.name'],
  values: 50,
  subjects: [{ token: 'cust_0123456789' }, { text: '10017' }],
  reason: 'The customer asks to be called back.',
  seconds: 12 * 3600,
};

/** A warrant that is signed by all who have to. */
export async function warrantFor(
  request: Partial<WarrantRequest> = {},
  { by = ['chris', 'anna'], charter = CHARTER, now = NOW, random = (n: number) => new Uint8Array(randomBytes(n)) } = {},
): Promise<VerifiedWarrant> {
  const { warrant, dossier } = newWarrant({ ...REQUEST, ...request }, { charter, now, random });
  return verifyWarrant(await signed(warrant.text, by, 'warrant@trefoil'), { charter, dossier, now });
}

/** A use of so many values of one scope, for people by their pseudonyms. */
export function useOf({ sha256 }: VerifiedWarrant, count: number, people: readonly string[] = []): UseRequest {
  const scopes = { 'seal:person.name': count };
  return { warrant: sha256, scopes, people, bound: false, request: 'ab'.repeat(32), details: { rows: [1] } };
}

export const codeOf = async (work: () => unknown): Promise<string> => {
  try {
    await work();
  } catch (error) {
    return (error as { code?: string }).code ?? `${(error as Error).name}: ${(error as Error).message}`;
  }
  return 'done';
};

/** A pseudonym: 16 symbols. */
export const person = (number: number): string =>
  number
    .toString(32)
    .padStart(16, '0')
    .replace(/[ilou]/g, 'z');
