/// <reference types="node" />
/** `trefoil warrant show`: what a warrant asks for, who has signed it, and whether it is valid now. */

import { stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { TrefoilError } from '../../../errors.ts';
import { writeTime } from '../../../govern/text/items.ts';
import { type Signed, signedSoFar } from '../../../govern/warrant/approvals.ts';
import type { Warrant } from '../../../govern/warrant/warrant.ts';
import { inWords } from '../../../govern/warrant/words.ts';
import { type Charter, type Dossier, parseDossier, parseWarrant, verifyWarrant } from '../../../govern.ts';
import { inFile } from '../../charters/charter-file.ts';
import { EXIT } from '../../exit.ts';
import { type Context, fileOption, need } from '../../options.ts';
import { refuseTwoDashes } from '../../outputs.ts';
import { writeJsonLine, writeOut } from '../../stdout.ts';
import { helpText, printable } from '../../voice.ts';
import {
  charterOption,
  charterPinOption,
  dossierBeside,
  openCharterFile,
  readDossier,
  readNote,
} from '../../warrants/files.ts';

const HELP = `
The dossier is looked for beside the warrant: w.dossier beside w.note. What it
says is personal data. Without it, the people and the reason are not shown, and
the warrant cannot be verified: the exit code is 9.

The exit code is 6 if the warrant is not valid now, or somebody still has to
sign. Whether it was refused, and what is left of it, only the log knows.

Examples:
  trefoil warrant show w.note --charter c.note
  trefoil warrant show w.note --charter c.note --charter-sha256 5f2b… --json`;

interface ShowOptions {
  readonly charter?: string;
  readonly charterSha256?: string;
  readonly dossier?: string;
  readonly json?: boolean;
}

export function addWarrantShow(parent: Command, context: Context): void {
  parent
    .command('show')
    .summary('show what a warrant asks for, and who has to sign')
    .description('Shows what a warrant asks for, who has signed it, who still has to, and whether it is valid now.')
    .argument('<NOTE>', 'file of the warrant')
    .addOption(charterOption())
    .addOption(charterPinOption())
    .addOption(fileOption('--dossier', 'dossier of the warrant (default: the one beside it)'))
    .option('--json', 'one JSON object, without the people and the reason')
    .addHelpText('after', helpText(HELP))
    .action((path: string, options: ShowOptions) => show(path, options, context));
}

async function show(path: string, options: ShowOptions, context: Context): Promise<void> {
  const charterFile = need(options.charter, '--charter');
  refuseTwoDashes('input', [
    ['NOTE', path],
    ['--charter', charterFile],
    ['--dossier', options.dossier],
  ]);
  const charter = await openCharterFile(charterFile, options.charterSha256, context.voice);
  const note = await readNote(path);
  const warrant = inFile(path, () => parseWarrant(note));
  const signed = inFile(path, () => signedSoFar(note, warrant.text, charter, 'warrant@trefoil'));
  const file = await dossierFor(path, options.dossier);
  const dossier = file === null ? null : inFile(file.path, () => parseDossier(file.bytes));
  const isItsOwn = dossier?.sha256 === warrant.dossier;
  const fault = file === null ? null : faultOf(() => verifyWarrant(note, { charter, dossier: file.bytes, now: now() }));
  if (options.json === true) await writeJsonLine(jsonOf(warrant, signed, file === null ? null : fault === null));
  else await writeOut(linesOf(warrant, isItsOwn ? dossier : null, charter, signed));
  if (file === null) {
    context.voice.warning('the dossier is not beside the warrant, so nobody can say whether the warrant is valid');
    context.exit(EXIT.partial);
  } else if (fault !== null) throw fault;
  else context.voice.note('the warrant is valid now, and signed by all who have to');
}

const now = (): number => Math.floor(Date.now() / 1000);

function linesOf(warrant: Warrant, dossier: Dossier | null, charter: Charter, signed: Signed): string {
  return `${inWords({ warrant, dossier, charter, signed }).map(printable).join('\n')}\n`;
}

/** The dossier, if there is one. */
async function dossierFor(note: string, named: string | undefined) {
  const path = named ?? dossierBeside(note);
  const isThere =
    named !== undefined ||
    (await stat(path).then(
      () => true,
      () => false,
    ));
  return isThere ? { path, bytes: await readDossier(path) } : null;
}

function faultOf(verify: () => unknown): TrefoilError | null {
  try {
    verify();
    return null;
  } catch (error) {
    if (error instanceof TrefoilError) return error;
    throw error;
  }
}

/** What a program may want to know. The dossier is left out: a program has the file. */
function jsonOf(warrant: Warrant, { officers }: Signed, isValid: boolean | null): object {
  const { sha256, id, charter, domain, requester, desk, verb, purpose, scopes, values, subjects } = warrant;
  const { asked, from, until } = warrant;
  return {
    sha256,
    id,
    charter,
    domain,
    requester,
    desk,
    verb,
    purpose,
    case: 'shown' in warrant.case ? warrant.case.shown : null,
    scopes,
    values,
    subjects,
    asked: writeTime(asked),
    from: writeTime(from),
    until: writeTime(until),
    signed: officers.map(({ handle }) => handle),
    valid: isValid,
  };
}
