/** A charter for tests, with keys that are the same in every run, and its parts for variations. */
import { createHash } from 'node:crypto';
import { newNoteKey, noteSigner, signNote } from '../../../src/log.ts';

const keyOf = (name: string, algorithm: 'ed25519' | 'cosignature/v1' = 'ed25519') =>
  newNoteKey(name, { algorithm, random: () => createHash('sha256').update(`charter test ${name}`).digest() });

/** Note keys by the names of people and programs. */
export const KEYS = {
  log: keyOf('log.example/eu-enclave/2027'),
  answers: keyOf('log.example/answers'),
  ncc: keyOf('ncc.example/witness', 'cosignature/v1'),
  dpa: keyOf('dpa.example/witness', 'cosignature/v1'),
  anna: keyOf('anna.dpo.example'),
  bela: keyOf('bela.dpo.example'),
  carla: keyOf('carla.dpo.example'),
  lea: keyOf('lea.legal.example'),
  chris: keyOf('chris.support.example'),
  dora: keyOf('dora.support.example'),
  eva: keyOf('eva.example'),
  fritz: keyOf('fritz.example'),
  gerd: keyOf('gerd.example'),
  chrisDesk: keyOf('desk.chris.support.example'),
  doraDesk: keyOf('desk.dora.support.example'),
  etl: keyOf('etl-1.example'),
} as const;

export type KeyName = keyof typeof KEYS;

const vkey = (name: KeyName) => KEYS[name].verifierKey;

/** The lines of a charter in which each family of lines is at least once. */
export const LINES: readonly string[] = [
  'trefoil charter v1',
  'version 1',
  'domain eu-enclave',
  'subject person',
  `log ${vkey('log')} https://log.example/eu-enclave/2027/`,
  `answers ${vkey('answers')}`,
  `witness NCC ${vkey('ncc')} https://witness.ncc.example/`,
  `witness DPA ${vkey('dpa')}`,
  'group outside all NCC DPA',
  'quorum outside',
  `officer anna approver note ${vkey('anna')}`,
  `officer bela approver note ${vkey('bela')}`,
  `officer carla approver note ${vkey('carla')}`,
  `officer lea legal note ${vkey('lea')}`,
  `officer chris requester note ${vkey('chris')}`,
  `officer dora requester note ${vkey('dora')}`,
  `officer eva keeper note ${vkey('eva')}`,
  `officer fritz keeper note ${vkey('fritz')}`,
  `officer gerd keeper note ${vkey('gerd')}`,
  `desk chris-desk of chris note ${vkey('chrisDesk')}`,
  `desk dora-desk of dora note ${vkey('doraDesk')}`,
  `client etl-1 note ${vkey('etl')}`,
  'purpose support.call-back dpv:CustomerCare verb reveal scopes vault:people/person.name,vault:people/person.phone' +
    ' approvals 1:approver values 50 subjects 10 hours 12 witnessed 1h show 7d',
  'purpose fraud.case verb reveal scopes seal:person.name approvals 2:approver values 500 subjects 50 hours 72' +
    ' witnessed before show never unbound',
  'purpose move verb rekey scopes seal:person.name,vault:people/person.name approvals 2:approver values any hours 24' +
    ' witnessed before show never',
  'glass safety-of-life verb reveal scopes vault:people/person.phone approvals none values 20 subjects 5 hours 1' +
    ' witnessed 5m ratify 3d 2:approver at-most 3 5 per 7d show 30d',
  'rate client etl-1 protect token:person.email 2000000 per 1d',
  'rate client etl-1 protect fpe:card.pan 100000 per 1d',
  'rate desk * reveal * 200 per 1d',
  `protected commit sha256:${'5f'.repeat(32)} approvals 1:legal`,
  'alert subject 3 warrants per 30d',
  'alert pair 80% of 10',
  'alert hours 06-20',
  'openings 20 per 30d',
  'change 2:keeper',
];

export const textOf = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

export const TEXT: string = textOf(LINES);

/** The lines with one of them, which begins with `start`, replaced by others. */
export function replaced(start: string, ...by: readonly string[]): readonly string[] {
  const at = LINES.findIndex((line) => line.startsWith(start));
  if (at === -1) throw new Error(`no line begins with ${start}`);
  return LINES.flatMap((line, i) => (i === at ? by : [line]));
}

/** The number of the line that begins with `start`, from 1. */
export const numberOf = (start: string): number => LINES.findIndex((line) => line.startsWith(start)) + 1;

/** A charter of version 2 that follows a text of version 1. */
export const nextLines = (text: string, lines: readonly string[] = LINES): readonly string[] =>
  lines.flatMap((line) =>
    line === 'version 1' ? ['version 2', `previous sha256:${createHash('sha256').update(text).digest('hex')}`] : [line],
  );

/** A note of a text that these have signed. */
export const signedBy = (text: string, ...names: readonly KeyName[]): Promise<string> =>
  signNote(
    text,
    names.map((name) => noteSigner(KEYS[name].privateKey)),
  );

/** The code and the line of an error. */
export function refusal(work: () => unknown): readonly [code: string, line?: number] {
  try {
    work();
  } catch (error) {
    const { code, issues } = error as { code: string; issues: readonly { line?: number }[] };
    if (code === undefined) throw error;
    const line = issues[0]!.line;
    return line === undefined ? [code] : [code, line];
  }
  return ['accepted'];
}
