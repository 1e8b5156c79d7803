/**
 * The place that the attackers of governed re-identification meet: a charter, its officers and desks, a log in a folder
 * with its head, governed keys, and a witness of its own in this process. It is made of public exports alone.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import {
  addSignature,
  type Charter,
  type GovernOptions,
  govern,
  newWarrant,
  notePartySigner,
  openSequencer,
  type ProtectedPeople,
  parseCharter,
  type SshNamespace,
  type WarrantRequest,
  warrantAccess,
} from '../../../src/govern.ts';
import { type DomainKeys, keep, keyset, policy, seal, token } from '../../../src/index.ts';
import {
  cosigner,
  type Log,
  type LogEvent,
  newNoteKey,
  noteSigner,
  openLog,
  parseLogPolicy,
  readEntry,
  subjectSealer,
  verifierKey,
  verifyLog,
  witness,
  witnessMemory,
} from '../../../src/log.ts';
import { logFolder, readLogFolder } from '../../../src/node.ts';

/** 2026-11-30T20:00:00Z, in seconds. */
export const NOW = 1_796_068_800;

const NAMES = ['log', 'anna', 'bela', 'chris', 'dora', 'eva', 'chris-desk', 'dora-desk', 'mallory', 'etl'] as const;
type Name = (typeof NAMES)[number];
const seedOf = (name: string) => createHash('sha256').update(`attackers of warrants: ${name}`).digest();

/** The keys of all, as a key of notes each. Nothing in the charter knows mallory. */
export const KEYS = Object.fromEntries(
  NAMES.map((name) => [name, newNoteKey(`${name}.example`, { random: () => seedOf(name) })]),
) as Readonly<Record<Name, ReturnType<typeof newNoteKey>>>;
const WITNESS = newNoteKey('ncc.example', { algorithm: 'cosignature/v1', random: () => seedOf('witness') });
export const SHARD = seedOf('shard');

const vkey = (name: Name): string => KEYS[name].verifierKey;

/** A charter. Without witnesses it has `quorum none`. */
export function charterText({ witnessed = false, version = 1, previous = '', hours = 12 } = {}): string {
  const when = witnessed ? 'before' : 'no';
  const purpose = (name: string, scopes: string, approvals: string, rest: string): string =>
    `purpose ${name} verb reveal scopes ${scopes} approvals ${approvals} ${rest} hours ${hours} witnessed ${when}`;
  return [
    'trefoil charter v1',
    `version ${version}`,
    ...(version === 1 ? [] : [`previous sha256:${previous}`]),
    'domain eu-enclave',
    'subject person',
    `log ${vkey('log')}`,
    ...(witnessed ? [`witness NCC ${WITNESS.verifierKey} https://ncc.example/`, 'quorum NCC'] : ['quorum none']),
    `officer anna approver note ${vkey('anna')}`,
    `officer bela approver note ${vkey('bela')}`,
    `officer chris requester note ${vkey('chris')}`,
    `officer dora requester,approver note ${vkey('dora')}`,
    `officer eva keeper note ${vkey('eva')}`,
    `desk chris-desk of chris note ${vkey('chris-desk')}`,
    `desk dora-desk of dora note ${vkey('dora-desk')}`,
    `client etl note ${vkey('etl')}`,
    `${purpose('support.call-back', 'seal:person.name', '1:approver', 'values 50 subjects 10')} show 7d unbound`,
    `${purpose('fraud.case', 'seal:person.name', '2:approver', 'values 50 subjects 10')} show never unbound`,
    `${purpose('support.bound', 'vault:people/person.name', '1:approver', 'values 50 subjects 10')} show 7d`,
    `${purpose('tables.all', 'fpe:card.pan,seal:person.iban,seal:person.name', '2:approver', 'values any')} show never`,
    'glass safety-of-life verb reveal scopes seal:person.name approvals none values 20 subjects 5 hours 1 ' +
      'witnessed 5m ratify 2h 2:approver at-most 2 3 per 7d show 30d unbound',
    'rate client etl protect seal:person.name 100 per 1h',
    'change 1:keeper',
    '',
  ].join('\n');
}

/** Signs a text as these people. */
export async function signed(text: string, by: readonly Name[], namespace: SshNamespace): Promise<string> {
  let note = text;
  for (const name of by) note = addSignature(note, await notePartySigner(KEYS[name].privateKey).sign(text, namespace));
  return note;
}

/** A witness of our own, asked without a network. */
export function ownWitness() {
  const clock = { now: NOW };
  const asked = { isDown: false };
  const handle = witness({
    signer: cosigner(WITNESS.privateKey, { now: () => clock.now * 1000 }),
    state: witnessMemory(),
    logs: [verifierKey(vkey('log'))],
  });
  const fetch = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    if (asked.isDown) throw new TypeError('fetch failed');
    return handle(new Request(input, init));
  };
  return { fetch: fetch as typeof globalThis.fetch, clock, asked };
}

const open = new Set<Log>();
afterEach(async () => {
  for (const log of open) await log.close().catch(() => undefined);
  open.clear();
});

/** Where a log and its head are. */
export interface Place {
  readonly log: string;
  readonly head: string;
}

export function newPlace(): Place {
  const folder = mkdtempSync(join(tmpdir(), 'trefoil-attacks-'));
  return { log: join(folder, 'log'), head: join(folder, 'head') };
}

/** Options of {@link boot}. */
export interface Boot {
  readonly at?: Place;
  readonly create?: boolean;
  readonly clock?: { now: number };
  /** The witness that the charter names; `null` for a charter without any. */
  readonly by?: ReturnType<typeof ownWitness> | null;
  readonly keys?: DomainKeys;
  readonly charter?: Charter;
  readonly patience?: number;
  readonly signer?: Name;
  readonly list?: ProtectedPeople;
  readonly wrap?: (sequencer: GovernOptions['sequencer']) => GovernOptions['sequencer'];
}

/** The domain keys of the operator. */
export const plain: DomainKeys = keyset.generate().domain('eu-enclave');

/** Starts the service that has the keys: the log, its sequencer, and governed keys. */
export async function boot(options: Boot = {}) {
  const { at = newPlace(), create = true, clock = { now: NOW }, by = null, keys = plain, patience = 2000 } = options;
  const {
    charter = parseCharter(charterText({ witnessed: by !== null })),
    signer = 'log',
    wrap = (one) => one,
    list,
  } = options;
  const now = () => clock.now * 1000;
  const store = logFolder(at.log, { head: at.head, sync: false });
  const log = await openLog(store, {
    signer: noteSigner(KEYS[signer].privateKey),
    create,
    now,
    ...(by !== null && { witnesses: charter.logPolicy, fetch: by.fetch }),
  });
  open.add(log);
  const sequencer = await openSequencer(log, {
    firstCharter: charter.sha256,
    ...(create && { charter: await signed(charter.text, ['eva'], 'charter@trefoil') }),
    sealer: subjectSealer(SHARD),
    host: 'support-1',
    now,
    patience,
  });
  return {
    at,
    log,
    clock,
    charter,
    sequencer,
    keys: govern(keys, { sequencer: wrap(sequencer), now, ...(list && { protectedPeople: list }) }),
    events: () => eventsOf(at),
    stop: async () => {
      await sequencer.close();
      await log.close();
      open.delete(log);
    },
  };
}

/** What a log in a folder has, as anyone reads and verifies it who has its files. */
export async function eventsOf({ log }: Place, policy = parseLogPolicy(`log ${vkey('log')}\nquorum none\n`)) {
  const events: LogEvent[] = [];
  const entry = (_: number, bytes: Uint8Array): void => void events.push(readEntry(bytes).event!);
  const verified = await verifyLog(readLogFolder(log), { policy, ask: null, entry });
  return { ...verified, events };
}

export const id = token({ scope: 'person', label: 'cust' });
export const name = seal({ scope: 'person.name' });
export const people = policy({ id, name, city: keep }, { subject: 'id' });

const protectOne = (row: { id: string; name: string; city: string }) => people.bind(plain).protect(row);
type Safe = ReturnType<typeof protectOne>;

/** Three people: the customer who called, another one, and a journalist. */
export const ROWS = [
  { id: '10017', name: 'Zoë Müller', city: 'Freiburg' },
  { id: '10324', name: 'Heike Schröder', city: 'Görlitz' },
  { id: '10360', name: 'Jo Journalist', city: 'Oslo' },
] as const;
export const [customer, neighbour, journalist] = ROWS.map(protectOne) as [Safe, Safe, Safe];

const REQUEST: WarrantRequest = {
  purpose: 'support.call-back',
  requester: 'chris',
  desk: 'chris-desk',
  case: 'TICKET-20817',
  scopes: ['seal:person.name'],
  values: 4,
  subjects: [{ token: customer.id }],
  reason: 'The customer asks to be called back.',
  seconds: 12 * 3600,
};

/** The papers of a warrant: the note, and the dossier beside it. */
export interface Papers {
  readonly text: string;
  readonly note: string;
  readonly dossier: string;
}

/** A warrant that these have signed. Without options it is for the customer, and complete. */
export async function papersFor(
  request: Partial<WarrantRequest> = {},
  { by = ['chris', 'anna'] as readonly Name[], charter = parseCharter(charterText()), now = NOW } = {},
): Promise<Papers> {
  const { warrant, dossier } = newWarrant({ ...REQUEST, ...request }, { charter, now });
  return { text: warrant.text, note: await signed(warrant.text, by, 'warrant@trefoil'), dossier };
}

/** The access that papers give to whoever has the key of a desk. */
export function accessWith({ note, dossier }: Pick<Papers, 'note' | 'dossier'>, desk: Name = 'chris-desk') {
  return warrantAccess(note, { dossier, desk: noteSigner(KEYS[desk].privateKey) });
}

export const isUse = (event: LogEvent) => event.kind === 'use' || event.kind === 'glass';
