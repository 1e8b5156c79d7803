/// <reference types="node" />
/**
 * `trefoil vault check-certificate`: whether the certificates of `vault shred` are of the stores of a policy,
 * unchanged, and of the subjects that they are held for. Subjects come from a file, for no argument names a person.
 */

import type { Command } from 'commander';
import { openInput } from '../../../files/inputs/input-file.ts';
import type { ShredCertificate, SubjectNow } from '../../../vault/shredding.ts';
import { type JsonObject, readLine } from '../../../vault/transfer/lines.ts';
import { EXIT, UsageError } from '../../exit.ts';
import { keysOption } from '../../key-source.ts';
import { type Line, linesOf, standardInput } from '../../lines.ts';
import { type Context, checkFileName, fileOption } from '../../options.ts';
import { writeOut } from '../../stdout.ts';
import { vaultOption } from '../../stores/places.ts';
import { EXIT_HELP, plural } from '../../voice.ts';
import { type Opened, type VaultOptions, withVaults } from './vault.ts';

const HELP = `
No FILE, or -, is standard input: lines as trefoil vault shred writes them. Without --subjects a certificate is held
against keys and store alone. With --subjects, a file of one subject a line, it must also be of one of these subjects,
and the line of that subject is told. A subject that has no certificate from one of the stores makes the exit code 9.
Each line says what the store has of the subject now: erased; alive, if it came back or this is another store of the same
name and keys; or unknown. The last two make the exit code 9, and so does a line of trefoil vault shred that says
found: false, which is no certificate. The exit code is 7 when a certificate does not verify.

Examples:
  trefoil vault check-certificate shredded.ndjson --policy p.yaml --keys keys.json --vault people.db
  trefoil vault check-certificate shredded.ndjson --subjects ids.txt --policy p.yaml --keys keys.json --vault people.db`;

interface CheckOptions extends VaultOptions {
  readonly subjects?: string;
}

export function addCheckCertificate(parent: Command, context: Context): void {
  parent
    .command('check-certificate')
    .summary('verify the certificates that vault shred wrote')
    .description('Verifies certificates that trefoil vault shred wrote; one JSON object a line.')
    .argument('[FILE]', 'file of certificates, one a line')
    .addOption(fileOption('--subjects', 'file of the subjects that the certificates are held for, one a line'))
    .addOption(fileOption('--policy', 'policy file, YAML or JSON (required)'))
    .addOption(keysOption())
    .addOption(vaultOption())
    .addHelpText('after', HELP + EXIT_HELP)
    .action((file: string | undefined, options: CheckOptions) => checkAll(file ?? '-', options, context));
}

/** What is said of a certificate. */
type Verdict =
  | { readonly verified: false }
  /** What shredding says of a subject that a store does not know. */
  | { readonly found: false; readonly verified?: never }
  | {
      readonly verified: true;
      readonly destroyed: string;
      readonly store: string;
      readonly at: string;
      /** What the store that was opened has of the subject now. */
      readonly now: SubjectNow;
      /** Line of the subject in the file of subjects, the first one; `null` where no subjects were named. */
      readonly subject: number | null;
    };

async function checkAll(file: string, options: CheckOptions, context: Context): Promise<void> {
  const { signal, voice, exit } = context;
  checkFileName('FILE', file);
  if (file === '-' && options.subjects === '-') throw new UsageError('only one of FILE and --subjects can be -');
  const subjects = options.subjects === undefined ? null : await allLines(options.subjects, signal, 'subjects');
  const certificates = await allLines(file, signal, 'certificates');
  // A pipe that failed is empty, too.
  if (subjects?.length === 0) throw new UsageError('there is no subject in the file of --subjects');
  if (certificates.length === 0 && subjects === null) throw new UsageError('there is no certificate to verify');
  await withVaults(options, context, async (all) => {
    const certified = new Map<string, Set<number>>(all.map(({ rule }) => [rule.store, new Set()]));
    const numbers = firstLines(subjects);
    const judge = makeJudge(all, numbers);
    let wrong = 0;
    let unknown = 0;
    let alive = 0;
    for (const { number: line, text } of certificates) {
      signal.throwIfAborted();
      const verdict = await judge(text);
      if ('found' in verdict) unknown++;
      else if (!verdict.verified) wrong++;
      else {
        if (verdict.now !== 'erased') alive++;
        if (verdict.subject !== null) certified.get(verdict.store)!.add(verdict.subject);
      }
      await writeOut(`${JSON.stringify({ line, ...verdict })}\n`);
    }
    let missing = 0;
    for (const [store, lines] of certified) {
      if (!all.some(({ rule }) => rule.store === store && rule.subject !== undefined)) continue;
      for (const { number: subject, text } of subjects ?? []) {
        if (lines.has(numbers!.get(text)!)) continue;
        missing++;
        await writeOut(`${JSON.stringify({ subject, store, found: false })}\n`);
      }
    }
    if (missing > 0) {
      voice.warning(`${plural(missing, 'certificate')} missing: no line of the file is of that subject and store`);
      exit(EXIT.partial);
    }
    if (alive > 0) {
      voice.warning(
        `${plural(alive, 'certificate')} of a subject that is not erased in the store that was opened: it came back after its ` +
          'erasure, or this is another store of the same name and keys',
      );
      exit(EXIT.partial);
    }
    if (unknown > 0) {
      voice.warning(`${plural(unknown, 'line')} of a subject that the store did not know: there is no certificate`);
      exit(EXIT.partial);
    }
    if (wrong > 0) {
      voice.warning(`${plural(wrong, 'line')} not a certificate of these stores and subjects`);
      exit(EXIT.unverified);
    }
  });
}

/** Every line that is not empty: what is judged together is read first. */
async function allLines(file: string, signal: AbortSignal, what: string): Promise<readonly Line[]> {
  const source = file === '-' ? standardInput(signal, what) : await openInput(file);
  const lines: Line[] = [];
  for await (const line of linesOf(source)) if (line.text !== '') lines.push(line);
  return lines;
}

/** The line of each subject: a subject that is twice in the file has one certificate for both lines. */
function firstLines(subjects: readonly Line[] | null): ReadonlyMap<string, number> | null {
  if (subjects === null) return null;
  const numbers = new Map<string, number>();
  for (const { number, text } of subjects) if (!numbers.has(text)) numbers.set(text, number);
  return numbers;
}

function makeJudge(
  all: readonly Opened[],
  numbers: ReadonlyMap<string, number> | null,
): (text: string) => Promise<Verdict> {
  const texts = numbers === null ? [] : [...numbers.keys()];
  // Certificates come in the order of their subjects, so the next subject is tried first.
  let next = 0;
  return async (text) => {
    const said = readLine(text);
    if (said !== null && isUnknown(said)) return { found: false };
    const certificate = said as ShredCertificate | null;
    const vault = all.find(({ rule }) => rule.store === certificate?.store)?.vault;
    if (certificate === null || vault?.isCertificate(certificate, null) !== true) return { verified: false };
    const { destroyed, store, at } = certificate;
    const now = await vault.stateOf(certificate);
    if (now === null) return { verified: false };
    if (numbers === null) return { verified: true, destroyed, store, at, now, subject: null };
    for (let i = 0; i < texts.length; i++) {
      const place = (next + i) % texts.length;
      if (!vault.isCertificate(certificate, texts[place]!)) continue;
      next = place;
      return { verified: true, destroyed, store, at, now, subject: numbers.get(texts[place]!)! };
    }
    return { verified: false };
  };
}

/** `{ line, found: false, store }`, which `vault shred` writes in the place of a certificate. */
function isUnknown(said: JsonObject): boolean {
  return said.found === false && Object.keys(said).sort().join() === 'found,line,store';
}
