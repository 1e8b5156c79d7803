/** Entries of a log that nobody has written: bytes in their order, with a charter and warrants that are signed. */
import { createHash } from 'node:crypto';
import type { SshNamespace } from '../../../src/govern/officers/party-key.ts';
import { notePartySigner } from '../../../src/govern/officers/party-signer.ts';
import { addSignature } from '../../../src/govern/officers/signatures.ts';
import { type Charter, newWarrant, openCharter, parseWarrant, type WarrantRequest } from '../../../src/govern.ts';
import { type LogEvent, newNoteKey, subjectSealer, writeEntry } from '../../../src/log.ts';

/** 2026-11-30T20:00:00Z. */
const NOW = 1_796_068_800;

export const SHARD_KEY: Buffer = createHash('sha256').update('report test shard').digest();
export const SEALER = subjectSealer(SHARD_KEY);

export const sha256 = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex');

/** The beginning of the day of {@link NOW}: 2026-11-30. */
export const DAY: number = NOW - (NOW % 86_400);

/** Officers of the charter who ask. Each has a desk. */
export const ASKERS = ['chris', 'dora', 'emil', 'finn'] as const;

const OTHERS = ['log', 'anna', 'bela', 'eva', 'etl', ...ASKERS.map((name) => `${name}-desk`)];
export const KEYS = Object.fromEntries(
  [...ASKERS, ...OTHERS].map((name) => [
    name,
    newNoteKey(`${name}.example`, { random: () => createHash('sha256').update(`report test ${name}`).digest() }),
  ]),
);

const vkey = (name: string): string => KEYS[name]!.verifierKey;

/** Signs a text as these officers. */
export async function signed(text: string, by: readonly string[], namespace: SshNamespace): Promise<string> {
  let note = text;
  for (const name of by) note = addSignature(note, await notePartySigner(KEYS[name]!.privateKey).sign(text, namespace));
  return note;
}

const REQUEST: WarrantRequest = {
  purpose: 'support.call-back',
  requester: 'chris',
  desk: 'chris-desk',
  case: 'TICKET-20817',
  scopes: ['seal:person.name'],
  values: 50,
  subjects: people(10),
  reason: 'The customer asks to be called back.',
  seconds: 12 * 3600,
};

/** So many people of a dossier. */
export function people(count: number): { readonly text: string }[] {
  return Array.from({ length: count }, (_, i) => ({ text: String(10_017 + i) }));
}

/** More lines of a charter. */
export interface Lines {
  readonly alerts?: readonly string[];
  readonly protectedBy?: string;
  readonly version?: number;
  readonly previous?: string;
  readonly quorum?: readonly string[];
  readonly callBack?: string;
}

/** A charter with the officers of the ledger's tests, and purposes for what a report counts. */
export function charterText(lines: Lines = {}): string {
  const { alerts = [], protectedBy, version = 1, previous = '', quorum = ['quorum none'] } = lines;
  const { callBack = 'subjects 200 hours 744 witnessed no show 7d unbound' } = lines;
  return [
    'trefoil charter v1',
    `version ${version}`,
    ...(version === 1 ? [] : [`previous sha256:${previous}`]),
    'domain eu-enclave',
    'subject person',
    `log ${vkey('log')}`,
    ...quorum,
    `officer anna approver note ${vkey('anna')}`,
    `officer bela approver,legal note ${vkey('bela')}`,
    ...ASKERS.map((name) => `officer ${name} requester note ${vkey(name)}`),
    `officer eva keeper note ${vkey('eva')}`,
    ...ASKERS.map((name) => `desk ${name}-desk of ${name} note ${vkey(`${name}-desk`)}`),
    `client etl note ${vkey('etl')}`,
    'case shown',
    `purpose support.call-back dpv:CustomerCare verb reveal scopes seal:person.name approvals 1:approver values 1000 ${callBack}`,
    'purpose fraud.case verb reveal scopes seal:person.name approvals 2:approver values 500 subjects 50 hours 72 ' +
      'witnessed no show 90d unbound',
    'purpose police.query verb reveal scopes seal:person.name approvals 1:legal values 500 subjects 50 hours 72 ' +
      'witnessed no show never unbound',
    'glass safety-of-life verb reveal scopes seal:person.name approvals none values 20 subjects 5 hours 1 witnessed 5m ' +
      'ratify 2h 2:approver at-most 9 9 per 7d show 30d unbound',
    'rate client etl protect token:person.mail 25000 per 1h',
    ...(protectedBy === undefined ? [] : [`protected commit sha256:${protectedBy} approvals 1:legal`]),
    ...alerts,
    'change 1:keeper',
    '',
  ].join('\n');
}

/** Entries in their order, and what makes them. */
export interface Story {
  readonly charter: Charter;
  readonly first: string;
  readonly entries: Uint8Array[];
  /** The time of the next entry. */
  at: number;
  add: (event: LogEvent) => number;
  /** Logs a warrant and returns its digest. */
  warrant: (request?: Partial<WarrantRequest>, by?: readonly string[]) => Promise<string>;
  /** Logs a use of a warrant, and its outcome unless `isOpen`. Returns the index of the use. */
  use: (warrant: string, people: readonly string[], more?: UseOptions) => number;
  /** Beats every ten minutes up to a time. */
  beats: (until: number) => void;
}

export interface UseOptions {
  readonly count?: number;
  readonly isOpen?: boolean;
  readonly kind?: 'use' | 'glass';
  readonly n?: number;
  readonly scope?: string;
  readonly bound?: boolean;
  readonly opened?: number;
}

/** Begins a story with its charter and a start. */
export async function begin(lines: Lines = {}, at: number = DAY + 8 * 3600): Promise<Story> {
  const text = charterText(lines);
  const note = await signed(text, ['eva'], 'charter@trefoil');
  const first = sha256(text);
  const charter = openCharter(note, { sha256: first });
  const uses = new Map<string, number>();
  const story: Story = {
    charter,
    first,
    entries: [],
    at,
    add(event) {
      story.entries.push(writeEntry(event, story.at));
      return story.entries.length - 1;
    },
    async warrant(request = {}, by = ['chris', 'anna']) {
      const made = newWarrant({ ...REQUEST, ...request }, { charter, now: story.at });
      story.add({ kind: 'warrant', note: await signed(made.warrant.text, by, 'warrant@trefoil') });
      return parseWarrant(made.warrant.text).sha256;
    },
    use(warrant, people, { count = 1, isOpen = false, kind = 'use', scope = 'seal:person.name', ...more } = {}) {
      const { n = (uses.get(warrant) ?? 0) + 1, bound = true, opened = count } = more;
      uses.set(warrant, n);
      const index = story.add({
        kind,
        warrant,
        n,
        scopes: { [scope]: count },
        subjects: people.map(SEALER.seal),
        bound,
        request: 'ab'.repeat(32),
        commit: 'cd'.repeat(32),
      });
      if (!isOpen) story.add({ kind: 'done', entry: index, opened, failed: 0, refused: count - opened });
      return index;
    },
    beats(until) {
      while (story.at + 600 <= until) {
        story.at += 600;
        story.add({ kind: 'beat' });
      }
      story.at = until;
    },
  };
  story.add({ kind: 'charter', note });
  story.add({ kind: 'start', host: 'gateway-1', boot: '0'.repeat(32) });
  return story;
}

/** The pseudonym of a number: 16 symbols. */
export const pseudonym = (number: number): string => {
  const digits = '0123456789abcdefghjkmnpqrstvwxyz';
  let text = '';
  for (let rest = number; text.length < 16; rest = Math.floor(rest / 32)) text = digits[rest % 32]! + text;
  return text;
};
