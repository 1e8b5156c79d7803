/// <reference types="node" />
/** `trefoil warrant new`: asks for something. It writes a warrant that the requester has signed, and its dossier. */

import { createReadStream } from 'node:fs';
import type { Command } from 'commander';
import { isArgumentError } from '../../../core/checks.ts';
import { fail } from '../../../errors.ts';
import { systemError } from '../../../files/system-error.ts';
import { MOST_SUBJECTS, MOST_VALUES } from '../../../govern/warrant/warrant.ts';
import { type Charter, type DossierSubject, type NewWarrant, newWarrant, signWarrant } from '../../../govern.ts';
import { UsageError } from '../../exit.ts';
import { linesOf, oddity, standardInput } from '../../lines.ts';
import { type Context, fileOption, integerOption, nameOption, need, option } from '../../options.ts';
import { DASH, refuseTwoDashes } from '../../outputs.ts';
import { readSmallFile } from '../../policy-file.ts';
import { helpText, plural } from '../../voice.ts';
import {
  charterOption,
  charterPinOption,
  dossierBeside,
  openCharterFile,
  writePrivateFiles,
} from '../../warrants/files.ts';
import { listedOption } from '../../warrants/repeated.ts';
import { addSignerOptions, type SignerOptions, signerOf } from '../../warrants/signer.ts';

const HELP = `
The warrant is a text that the requester signs, and that others sign who agree.
The dossier is private: it has the people and the reason, and the log has only
its digest. Both files can be read by their owner alone; give both to those who
have to agree. w.dossier is written beside w.note.

People come from a file, one per line: tokens as they are in the data
(--subjects), or the texts that the tokens are made from (--subject-texts). A
purpose about whole tables has neither. The reason is 10 to 2,000 characters;
lines of the file are joined by spaces.

The file of the charter decides who may ask and who has to agree. Without
--charter-sha256 it is taken as it is.

Examples:
  trefoil warrant new --charter c.note --purpose support.call-back --case TICKET-20817 \\
    --scope seal:person.name --subjects tokens.txt --values 4 --hours 12 --desk chris-desk \\
    --reason-file why.txt --key chris.key --out w.note
  trefoil warrant new --charter c.note --glass safety-of-life …`;

/** The longest file with a reason, in bytes: 2,000 characters of four bytes, and white space. */
const MOST_REASON = 16_384;

/** The longest validity in hours: 31 days. */
const MOST_HOURS = 744;

interface NewOptions extends SignerOptions {
  readonly charter?: string;
  readonly charterSha256?: string;
  readonly purpose?: string;
  readonly glass?: string;
  readonly case?: string;
  readonly scope?: readonly string[];
  readonly subjects?: string;
  readonly subjectTexts?: string;
  readonly values?: number | 'any';
  readonly hours?: number;
  readonly desk?: string;
  readonly reasonFile?: string;
  readonly out?: string;
}

export function addWarrantNew(parent: Command, context: Context): void {
  const command = parent
    .command('new')
    .summary('ask for something, and sign it')
    .description('Writes a warrant, signed by its requester, and its dossier.')
    .addOption(charterOption())
    .addOption(charterPinOption())
    .addOption(nameOption('--purpose', 'purpose of the charter'))
    .addOption(nameOption('--glass', 'break-glass purpose of the charter, instead of --purpose'))
    .addOption(option('--case', 'CASE', 'number of the case, such as TICKET-20817 (required)', (value) => value))
    .addOption(listedOption('--scope', 'SCOPE', 'what is opened, KIND:[STORE/]SCOPE (required; may be repeated)'))
    .addOption(fileOption('--subjects', 'tokens of the people, one per line'))
    .addOption(fileOption('--subject-texts', 'texts that the tokens of the people are made from, one per line'))
    .addOption(option('--values', 'N|any', 'how many values are opened at most (required)', valuesOf))
    .addOption(integerOption('--hours', 'N', 'how long the warrant is valid (required)', 1, MOST_HOURS))
    .addOption(nameOption('--desk', 'desk of the requester that will use the warrant (required)'))
    .addOption(fileOption('--reason-file', 'why (required)'))
    .addOption(fileOption('--out', 'file of the warrant to make (required)'));
  addSignerOptions(command, 'the requester')
    .addHelpText('after', helpText(HELP))
    .action((options: NewOptions) => ask(options, context));
}

function valuesOf(value: string): number | 'any' {
  if (value === 'any') return 'any';
  const number = /^[1-9][0-9]{0,6}$/.test(value) ? Number(value) : Number.NaN;
  if (number <= MOST_VALUES) return number;
  throw new UsageError(`--values expected a whole number from 1 to ${MOST_VALUES}, or any`);
}

async function ask(options: NewOptions, context: Context): Promise<void> {
  const out = need(options.out, '--out');
  if (out === DASH) throw new UsageError('--out expected a file, because the dossier is written beside it');
  refuseTwoDashes('input', [
    ['--charter', options.charter],
    ['--subjects', options.subjects],
    ['--subject-texts', options.subjectTexts],
    ['--reason-file', options.reasonFile],
  ]);
  const wanted = checkedOptions(options);
  const charter = await openCharterFile(wanted.charter, options.charterSha256, context.voice);
  const purpose = purposeOf(options, charter);
  const { signer, handle } = await signerOf(options, charter, context.voice);
  const subjects = await subjectsOf(options, context.signal);
  const reason = await readSmallFile(wanted.reasonFile, MOST_REASON, 'the reason', 'dossier_wrong', oneLine);
  const now = Math.floor(Date.now() / 1000);
  const { warrant, dossier } = orUsage(() =>
    newWarrant(
      {
        purpose,
        requester: handle,
        desk: wanted.desk,
        case: wanted.case,
        scopes: wanted.scope,
        values: wanted.values === 'any' ? null : wanted.values,
        subjects,
        reason,
        seconds: wanted.hours * 3600,
      },
      { charter, now },
    ),
  );
  const note = await signWarrant(warrant.text, { charter, dossier, now, signer });
  const beside = dossierBeside(out);
  await writePrivateFiles(
    [
      { path: beside, content: dossier, force: false },
      { path: out, content: note, force: false },
    ],
    context,
  );
  context.voice.note(`wrote ${out}, signed by ${handle}, and ${beside}, which is private`);
  const { approvals } = charter.purposes.get(purpose)!;
  const missing = approvals.reduce((sum, { count }) => sum + count, 0);
  if (missing > 0) {
    context.voice.note(`${plural(missing, 'approval')} to go; those who agree run trefoil warrant sign ${out}`);
  }
}

/** The options that are required, checked before any file is read. */
function checkedOptions(options: NewOptions) {
  const missing = (flag: string): never => {
    throw new UsageError(`${flag} is required`);
  };
  return {
    charter: need(options.charter, '--charter'),
    case: options.case ?? missing('--case CASE'),
    scope: options.scope ?? missing('--scope SCOPE'),
    values: options.values ?? missing('--values N'),
    hours: options.hours ?? missing('--hours N'),
    desk: options.desk ?? missing('--desk NAME'),
    reasonFile: need(options.reasonFile, '--reason-file'),
  };
}

/** The purpose that is named by the option of its kind, so that nobody breaks the glass by a mistaken name. */
function purposeOf({ purpose, glass }: NewOptions, { purposes }: Charter): string {
  if ((purpose === undefined) === (glass === undefined)) {
    throw new UsageError('set either --purpose NAME or --glass NAME');
  }
  const name = purpose ?? glass!;
  const found = purposes.get(name);
  if (found === undefined) return fail('unknown_purpose', 'the charter does not have this purpose');
  if (found.isGlass === (glass === undefined)) {
    throw new UsageError(
      found.isGlass ? 'the purpose is one of break-glass' : 'the purpose is not one of break-glass',
      `use ${found.isGlass ? '--glass' : '--purpose'}`,
    );
  }
  return name;
}

async function subjectsOf(options: NewOptions, signal: AbortSignal): Promise<readonly DossierSubject[] | null> {
  const { subjects, subjectTexts } = options;
  if (subjects !== undefined && subjectTexts !== undefined) {
    throw new UsageError('set either --subjects FILE or --subject-texts FILE');
  }
  const path = subjects ?? subjectTexts;
  if (path === undefined) return null;
  const people: DossierSubject[] = [];
  const source = path === DASH ? standardInput(signal, 'people') : fileAt(path);
  for await (const { number: line, text } of linesOf(source)) {
    const odd = text === '' ? 'the line is empty' : oddity(text);
    if (odd !== null) fail('malformed_subject', `${odd}; write one person per line`, { line, file: path });
    if (people.length === MOST_SUBJECTS) {
      fail('warrant_exceeds', `a warrant is about at most ${MOST_SUBJECTS} people`, { line, file: path });
    }
    people.push(subjects === undefined ? { text } : { token: text });
  }
  return people;
}

async function* fileAt(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* createReadStream(path) as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw systemError(error, 'the people cannot be read', path);
  }
}

/** A reason on one line, in Normalization Form C. */
function oneLine(text: string): string {
  return text
    .trim()
    .split(/\s*\r?\n\s*/)
    .join(' ')
    .normalize('NFC');
}

const FLAGS: Readonly<Record<string, string>> = { scopes: '--scope', subjects: '--subjects', seconds: '--hours' };

/** Makes the warrant. What is wrong with an option is an error of the command line. */
function orUsage(make: () => NewWarrant): NewWarrant {
  try {
    return make();
  } catch (error) {
    if (!isArgumentError(error)) throw error;
    const { argument, message } = error;
    throw new UsageError(message.replace(`"${argument}"`, FLAGS[argument] ?? `--${argument}`));
  }
}
