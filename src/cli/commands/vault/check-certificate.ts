/// <reference types="node" />
/**
 * `trefoil vault check-certificate`: verifies certificates of `trefoil vault shred` against the stores of a policy and,
 * if a file of subjects is named, against those subjects. Subjects are never arguments, because every user of a machine
 * can see the arguments of its processes.
 */

import type { Command } from 'commander';
import { openInput } from '../../../files/inputs/input-file.ts';
import type { RevealingVault } from '../../../rule/vault/verbs.ts';
import type { ShredCertificate, SubjectNow } from '../../../vault/shredding.ts';
import { type JsonObject, readLine } from '../../../vault/transfer/lines.ts';
import { EXIT, UsageError } from '../../exit.ts';
import { identityOption, keysOption } from '../../key-source.ts';
import { type Line, linesOf, standardInput } from '../../lines.ts';
import { type Context, checkFileName, fileOption } from '../../options.ts';
import { refuseTwoDashes } from '../../outputs.ts';
import { policyOption } from '../../policy-file.ts';
import { writeJsonLine } from '../../stdout.ts';
import { vaultOption } from '../../stores/places.ts';
import { type OpenVault, openVaults, type VaultOptions } from '../../stores/vaults.ts';
import { helpText, plural, wordFor } from '../../voice.ts';

const HELP = `
A certificate is verified with the keys and its store. With --subjects, a file
of one subject per line, it must also be the certificate of one of them, and the
answer names the line of that subject. Each answer also says what the store has
of the subject now: erased, alive (the subject was loaded again, or this is
another store of the same name and keys), or unknown.

The exit code is 7 if a certificate does not verify. It is 9 if a subject is not
erased now, if one of the subjects has no certificate from one of the stores, or
if a line says found: false, which is not a certificate.

Examples:
  trefoil vault check-certificate shredded.ndjson --policy p.yaml --keys keys.json --vault people.db
  trefoil vault check-certificate shredded.ndjson --subjects ids.txt --policy p.yaml --keys keys.json --vault people.db`;

interface CheckOptions extends VaultOptions {
  readonly subjects?: string;
}

export function addVaultCheckCertificate(parent: Command, context: Context): void {
  parent
    .command('check-certificate')
    .summary('verify the certificates that vault shred wrote')
    .description('Verifies the certificates that trefoil vault shred wrote. Writes one JSON object per line.')
    .argument('[FILE]', 'file of certificates, one per line (default, or -: standard input)')
    .addOption(fileOption('--subjects', 'file of the subjects that must have a certificate, one per line'))
    .addOption(policyOption())
    .addOption(keysOption())
    .addOption(identityOption())
    .addOption(vaultOption())
    .addHelpText('after', helpText(HELP))
    .action((file: string | undefined, options: CheckOptions) => checkAll(file ?? '-', options, context));
}

/** The answer to one line. */
type Verdict =
  | { readonly verified: false; readonly isOlder: boolean }
  /** The line says that the store did not know the subject. */
  | { readonly found: false; readonly verified?: never }
  | {
      readonly verified: true;
      readonly destroyed: string;
      readonly store: string;
      readonly at: string;
      /** What the store that was opened has of the subject now. */
      readonly now: SubjectNow;
      /** First line of the subject in the file of subjects; `null` without such a file. */
      readonly subject: number | null;
    };

/** How many answers of each kind there were, except good ones. */
interface Counts {
  missing: number;
  notErased: number;
  unknown: number;
  wrong: number;
  /** Those of `wrong` whose outer key is not that of the store now. */
  older: number;
}

async function checkAll(file: string, options: CheckOptions, context: Context): Promise<void> {
  const { signal } = context;
  checkFileName('FILE', file);
  refuseTwoDashes('input', [
    ['FILE', file],
    ['--subjects', options.subjects],
  ]);
  const subjects = options.subjects === undefined ? null : await filledLines(options.subjects, signal, 'subjects');
  const certificates = await filledLines(file, signal, 'certificates');
  // An empty input is an error: a pipe whose source failed is empty as well.
  if (subjects?.length === 0) throw new UsageError('the file of --subjects contains no subject');
  if (certificates.length === 0 && subjects === null) throw new UsageError('the input contains no certificate');
  const vaults = await openVaults(options, context);
  const certified = new Map<string, Set<number>>(vaults.map(({ rule }) => [rule.store, new Set()]));
  const numbers = subjects === null ? null : firstLines(subjects);
  const judge = makeJudge(vaults, numbers);
  const counts: Counts = { missing: 0, notErased: 0, unknown: 0, wrong: 0, older: 0 };
  for (const { number: line, text } of certificates) {
    signal.throwIfAborted();
    const verdict = await judge(text);
    if ('found' in verdict) counts.unknown++;
    else if (!verdict.verified) {
      counts.wrong++;
      if (verdict.isOlder) counts.older++;
    } else {
      if (verdict.now !== 'erased') counts.notErased++;
      if (verdict.subject !== null) certified.get(verdict.store)!.add(verdict.subject);
    }
    await writeJsonLine({ line, ...answerOf(verdict) });
  }
  for (const [store, lines] of certified) {
    if (!vaults.some(({ rule }) => rule.store === store && rule.subject !== undefined)) continue;
    for (const { number: subject, text } of subjects ?? []) {
      if (lines.has(numbers!.get(text)!)) continue;
      counts.missing++;
      await writeJsonLine({ subject, store, found: false });
    }
  }
  report(counts, context);
}

/** What standard output says of a verdict. */
function answerOf(verdict: Verdict): object {
  return verdict.verified === false ? { verified: false } : verdict;
}

/** A warning for each kind of answer that was not good, and the exit code. */
function report({ missing, notErased, unknown, wrong, older }: Counts, { voice, exit }: Context): void {
  if (missing > 0) {
    voice.warning(`${plural(missing, 'certificate')} missing: the input has none of that subject and store`);
    exit(EXIT.partial);
  }
  if (notErased > 0) {
    voice.warning(
      `${plural(notErased, 'certificate')} of a subject that is not erased in this store: the subject was loaded ` +
        'again after its erasure, or this is another store of the same name and keys',
    );
    exit(EXIT.partial);
  }
  if (unknown > 0) {
    voice.warning(`${plural(unknown, 'line')} without a certificate, because the store did not know the subject`);
    exit(EXIT.partial);
  }
  if (wrong > 0) {
    voice.warning(
      `${plural(wrong, 'line')} ${wordFor(wrong, 'is not a certificate', 'are not certificates')} of these stores and subjects`,
    );
    if (older > 0) {
      voice.hint(
        `${plural(older, 'line')} of them ${wordFor(older, 'names', 'name')} an outer key that the store does not use now. ` +
          'Once that key is retired, no certificate of it verifies, genuine or not; only a key file from before can tell',
      );
    }
    exit(EXIT.unverified);
  }
}

/** Every line of a file that is not empty. All are read before the first is judged. */
async function filledLines(file: string, signal: AbortSignal, items: string): Promise<readonly Line[]> {
  const source = file === '-' ? standardInput(signal, items) : await openInput(file);
  const lines: Line[] = [];
  for await (const line of linesOf(source)) if (line.text !== '') lines.push(line);
  return lines;
}

/** The first line of each subject: if the file names a subject twice, one certificate is enough for both lines. */
function firstLines(subjects: readonly Line[]): ReadonlyMap<string, number> {
  const numbers = new Map<string, number>();
  for (const { number, text } of subjects) if (!numbers.has(text)) numbers.set(text, number);
  return numbers;
}

/** Makes the function that judges one line. `numbers` is the line of each subject, or `null` without such a file. */
function makeJudge(
  vaults: readonly OpenVault[],
  numbers: ReadonlyMap<string, number> | null,
): (text: string) => Promise<Verdict> {
  const subjects = numbers === null ? [] : [...numbers.keys()];
  // Certificates are usually in the order of their subjects, so the search begins after the last one that was found.
  let next = 0;
  return async (text) => {
    const object = readLine(text);
    if (object !== null && isUnknown(object)) return { found: false };
    const certificate = object as ShredCertificate | null;
    const vault = vaults.find(({ rule }) => rule.store === certificate?.store)?.vault;
    if (certificate === null || vault === undefined) return { verified: false, isOlder: false };
    if (!vault.isCertificate(certificate, null)) return { verified: false, isOlder: await isOlder(vault, certificate) };
    const { destroyed, store, at } = certificate;
    const now = await vault.stateOf(certificate);
    if (now === null) return { verified: false, isOlder: false };
    if (numbers === null) return { verified: true, destroyed, store, at, now, subject: null };
    for (let i = 0; i < subjects.length; i++) {
      const place = (next + i) % subjects.length;
      if (!vault.isCertificate(certificate, subjects[place]!)) continue;
      next = place;
      return { verified: true, destroyed, store, at, now, subject: numbers.get(subjects[place]!)! };
    }
    return { verified: false, isOlder: false };
  };
}

/** Whether an object is `{ line, found: false, store }`, which `vault shred` writes if it does not know a subject. */
function isUnknown(object: JsonObject): boolean {
  return object.found === false && Object.keys(object).sort().join() === 'found,line,store';
}

/** Whether a certificate names another outer key than the one that the store writes under now. */
async function isOlder(vault: RevealingVault, { outerKeyId }: ShredCertificate): Promise<boolean> {
  return typeof outerKeyId === 'string' && (await vault.stats()).outer[0] !== outerKeyId;
}
