/// <reference types="node" />
/** `trefoil warrant sign`: an officer agrees to a warrant, or ratifies uses of a break-glass warrant. */

import { stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { fail } from '../../../errors.ts';
import { signedSoFar } from '../../../govern/warrant/approvals.ts';
import { NOT_ITS_OWN } from '../../../govern/warrant/dossier.ts';
import { readyToSign } from '../../../govern/warrant/sign.ts';
import { inWords, quoted } from '../../../govern/warrant/words.ts';
import {
  type Charter,
  parseDossier,
  parseRatification,
  parseWarrant,
  type Ratification,
  signRatification,
  writeRatification,
} from '../../../govern.ts';
import { inFile } from '../../charters/charter-file.ts';
import { UsageError } from '../../exit.ts';
import { confirmTyped } from '../../officers/typed.ts';
import { type Context, fileOption, need, option } from '../../options.ts';
import { DASH, refuseTwoDashes } from '../../outputs.ts';
import { readSmallFile } from '../../policy-file.ts';
import { helpText, plural } from '../../voice.ts';
import {
  charterOption,
  charterPinOption,
  dossierBeside,
  openCharterFile,
  readDossier,
  readNote,
  writePrivateFiles,
} from '../../warrants/files.ts';
import { usesOf } from '../../warrants/repeated.ts';
import { addSignerOptions, type NamedSigner, type SignerOptions, signerOf } from '../../warrants/signer.ts';

const HELP = `
Shows the whole request on the terminal and asks for the number of the case to
be typed. There is no option that answers for you. The signature is added to the
file of the warrant, or written to --out.

The dossier is looked for beside the warrant. A warrant that was asked for more
than a day ago is not signed.

With --ratify, you agree afterwards to uses of a break-glass warrant. Name them
in a file, one per line: the index of the entry in the log, a space, sha256: and
the digest of its bytes. The first who ratifies makes the file of --ratify with
--uses and --why; others add their signatures to it. What you write after --why
is logged.

Examples:
  trefoil warrant sign w.note --charter c.note --key anna.key
  trefoil warrant sign w.note --charter c.note --ssh ~/.ssh/id_ed25519_sk
  trefoil warrant sign g.note --charter c.note --key anna.key --ratify r.note --uses uses.txt \\
    --why 'An ambulance was on its way.'`;

/** What has to be typed. */
const THE_CASE = 'the number of the case';

/** The longest file of uses, in bytes. */
const MOST_USES = 65_536;

interface SignOptions extends SignerOptions {
  readonly charter?: string;
  readonly charterSha256?: string;
  readonly dossier?: string;
  readonly out?: string;
  readonly ratify?: string;
  readonly uses?: string;
  readonly why?: string;
}

export function addWarrantSign(parent: Command, context: Context): void {
  const command = parent
    .command('sign')
    .summary('agree to a warrant, or ratify its uses')
    .description('Shows a warrant and signs it for an officer who agrees; or ratifies uses of a break-glass warrant.')
    .argument('<NOTE>', 'file of the warrant')
    .addOption(charterOption())
    .addOption(charterPinOption())
    .addOption(fileOption('--dossier', 'dossier of the warrant (default: the one beside it)'))
    .addOption(fileOption('--out', 'file to write (default: the file of the warrant)'))
    .addOption(fileOption('--ratify', 'ratification to make, or to sign as well'))
    .addOption(fileOption('--uses', 'uses that are ratified, to make the ratification'))
    .addOption(option('--why', 'TEXT', 'why they are ratified, to make the ratification', (value) => value));
  addSignerOptions(command, 'the officer')
    .addHelpText('after', helpText(HELP))
    .action((path: string, options: SignOptions) => sign(path, options, context));
}

async function sign(path: string, options: SignOptions, context: Context): Promise<void> {
  const charterFile = need(options.charter, '--charter');
  if (path === DASH || options.out === DASH || options.ratify === DASH) {
    throw new UsageError('warrants are signed in files, because the terminal is needed for the question');
  }
  refuseTwoDashes('input', [
    ['--charter', charterFile],
    ['--dossier', options.dossier],
    ['--uses', options.uses],
  ]);
  if (options.ratify === undefined && (options.uses !== undefined || options.why !== undefined)) {
    throw new UsageError('--uses and --why are for --ratify FILE');
  }
  if (options.ratify !== undefined && options.out !== undefined) {
    throw new UsageError('--out is for warrants; a ratification is written to the file of --ratify');
  }
  const charter = await openCharterFile(charterFile, options.charterSha256, context.voice);
  const named = await signerOf(options, charter, context.voice);
  if (options.ratify !== undefined)
    return ratify(path, { ...options, ratify: options.ratify }, charter, named, context);
  const note = await readNote(path);
  const dossierFile = await readDossier(options.dossier ?? dossierBeside(path));
  const now = Math.floor(Date.now() / 1000);
  const ready = inFile(path, () => readyToSign(note, { charter, dossier: dossierFile, now, signer: named.signer }));
  const { warrant, dossier, signed } = ready;
  const lines = inWords({ warrant, dossier, charter, signed });
  // The words explain the text, and the text is what is signed. So both are shown.
  const text = warrant.text.trimEnd().split('\n');
  const shown = [...lines, 'the text that is signed:', ...text.map((line) => `  ${line}`)];
  await confirmTyped(
    { lines: [`you sign as ${named.handle}`, ...shown], what: THE_CASE, wanted: dossier.case },
    context,
  );
  const content = await ready.sign();
  // Another officer may have signed the same file while this one was reading.
  if ((await readNote(path)) !== note) {
    fail('warrant_invalid', 'the file was changed while the question was open; nothing was written', { file: path });
  }
  const out = options.out ?? path;
  await writePrivateFiles([{ path: out, content, force: options.out === undefined }], context);
  context.voice.note(`wrote ${out}, signed by ${named.handle}`);
}

async function ratify(
  path: string,
  options: SignOptions & { readonly ratify: string },
  charter: Charter,
  { signer, handle }: NamedSigner,
  context: Context,
): Promise<void> {
  const note = await readNote(path);
  const warrant = inFile(path, () => parseWarrant(note));
  const signed = inFile(path, () => signedSoFar(note, warrant.text, charter, 'warrant@trefoil'));
  const dossierPath = options.dossier ?? dossierBeside(path);
  const bytes = await readDossier(dossierPath);
  const dossier = inFile(dossierPath, () => parseDossier(bytes));
  if (dossier.sha256 !== warrant.dossier) {
    fail('dossier_wrong', NOT_ITS_OWN, {
      file: dossierPath,
    });
  }
  const isThere = await stat(options.ratify).then(
    () => true,
    () => false,
  );
  if (isThere && (options.uses !== undefined || options.why !== undefined)) {
    throw new UsageError('the file of --ratify exists, and --uses and --why are for a new one');
  }
  const before = isThere ? await readNote(options.ratify) : await newRatification(warrant.sha256, options);
  const ratification = inFile(options.ratify, () => parseRatification(before));
  const lines = [...inWords({ warrant, dossier, charter, signed }), ...ratificationInWords(ratification)];
  await confirmTyped({ lines: [`you ratify as ${handle}`, ...lines], what: THE_CASE, wanted: dossier.case }, context);
  const content = await signRatification(before, { charter, warrant, signer });
  await writePrivateFiles([{ path: options.ratify, content, force: isThere }], context);
  context.voice.note(`wrote ${options.ratify}, signed by ${handle}`);
}

/** The text of a new ratification. */
async function newRatification(warrant: string, { uses: path, why }: SignOptions): Promise<string> {
  if (path === undefined || why === undefined) {
    throw new UsageError('the file of --ratify does not exist; to make it, set --uses FILE and --why TEXT');
  }
  const uses = await readSmallFile(path, MOST_USES, 'the file of uses', 'warrant_invalid', usesOf);
  return writeRatification({ warrant, uses, why: why.normalize('NFC') }).text;
}

function ratificationInWords({ uses, why }: Ratification): readonly string[] {
  return [
    `and you agree to ${plural(uses.length, 'use')} of it`,
    ...uses.map(({ index, sha256 }) => `  entry ${index} of the log, sha256:${sha256}`),
    `  because         ${quoted(why)}`,
  ];
}
