/// <reference types="node" />
/** `trefoil charter sign`: a keeper reads a charter and signs it. */

import type { Command } from 'commander';
import { fail, TrefoilError } from '../../../errors.ts';
import { openOutput } from '../../../files/outputs/output-file.ts';
import { checkFollows, keepersOf } from '../../../govern/charter/succession.ts';
import type { PartyKey } from '../../../govern/officers/party-key.ts';
import { notePartySigner, type PartySigner } from '../../../govern/officers/party-signer.ts';
import { addSignature, partyOf } from '../../../govern/officers/signatures.ts';
import { type Charter, charterChanges, checkCharter } from '../../../govern.ts';
import { type CharterFile, inFile, keepersWhoSigned, readCharterFile } from '../../charters/charter-file.ts';
import { changeLines, findingLines, levelLine, signedLine, titleOf } from '../../charters/words.ts';
import { readNoteKeyFile } from '../../custody/note-key.ts';
import { UsageError } from '../../exit.ts';
import { sshKeygenSigner } from '../../officers/ssh-keygen.ts';
import { confirmTyped } from '../../officers/typed.ts';
import { type Context, fileOption, nameOption } from '../../options.ts';
import { DASH, refuseTwoDashes } from '../../outputs.ts';
import { helpText } from '../../voice.ts';

const HELP = `
Shows the whole charter on the terminal, what it changes, and what is unwise in
it, and asks for the number of the version to be typed. There is no option that
answers for you, and a charter that charter check refuses is not signed.

The signature is added to the file, or written to --out. A version after the
first needs --previous: keepers of both versions sign, each with a key that their
version names.

Examples:
  trefoil charter sign charter.txt --key eva.key --out charter.note
  trefoil charter sign charter.note --ssh ~/.ssh/id_ed25519_sk
  trefoil charter sign charter-4.note --previous charter-3.note --key eva.key`;

interface SignOptions {
  readonly key?: string;
  readonly ssh?: string;
  readonly handle?: string;
  readonly previous?: string;
  readonly out?: string;
}

export function addCharterSign(parent: Command, context: Context): void {
  parent
    .command('sign')
    .summary('sign a charter as its keeper')
    .description('Shows a charter and signs it for a keeper who agrees.')
    .argument('<FILE>', 'charter: a draft, or a note with signatures')
    .addOption(fileOption('--key', 'private key of the keeper, as officer new makes it'))
    .addOption(fileOption('--ssh', 'key of OpenSSH of the keeper, or its .pub file if an agent has the key'))
    .addOption(nameOption('--handle', 'keeper who signs, if the two versions name the key differently'))
    .addOption(fileOption('--previous', 'version before (required after version 1)'))
    .addOption(fileOption('--out', 'file to write (default: the file of the charter)'))
    .addHelpText('after', helpText(HELP))
    .action((path: string, options: SignOptions) => sign(path, options, context));
}

async function sign(path: string, options: SignOptions, context: Context): Promise<void> {
  if (path === DASH || options.out === DASH) {
    throw new UsageError('charters are signed in files, because the terminal is needed for the question');
  }
  refuseTwoDashes('input', [
    ['--previous', options.previous],
    ['--key', options.key],
    ['--ssh', options.ssh],
  ]);
  const file = await readCharterFile(path);
  const { charter } = file;
  const previous = await previousOf(file, options.previous);
  refuseFindings(file);
  const { signer, handle } = await signerOf(
    options,
    keepers(charter, previous?.charter ?? null, options.handle),
    context,
  );
  // Signatures that are there already are verified, so that nobody signs below a broken one.
  const signed = [
    ...(previous === null ? [] : [signedLine(keepersWhoSigned(file, previous.charter), previous.charter)]),
    signedLine(keepersWhoSigned(file, charter), charter),
  ];
  const lines = [...shown(charter, previous?.charter ?? null), ...signed, `you sign as ${handle}`];
  const wanted = String(charter.version);
  await confirmTyped({ lines, what: 'the number of the version', wanted }, context);
  const line = await signer.sign(charter.text, 'charter@trefoil');
  const content = inFile(path, () => addSignature(file.content, line));
  // Another keeper may have signed the same file while this one was reading.
  if ((await readCharterFile(path)).content !== file.content) {
    fail('charter_invalid', 'the file was changed while the question was open; nothing was written', { file: path });
  }
  const out = options.out ?? path;
  await write(out, content, options.out === undefined, context);
  context.voice.note(`wrote ${out}, signed by ${handle}`);
}

/** The version before, which a later version must follow. */
async function previousOf(
  { path, charter }: CharterFile,
  previousPath: string | undefined,
): Promise<CharterFile | null> {
  if (previousPath === undefined) {
    if (charter.version === 1) return null;
    throw new UsageError(
      '--previous FILE is required for a version after the first',
      'it shows what changes, and whose keepers have to sign',
    );
  }
  const previous = await readCharterFile(previousPath);
  inFile(path, () => checkFollows(charter, previous.charter));
  return previous;
}

/** Refuses a charter with findings that no keeper may sign. */
function refuseFindings({ path, charter }: CharterFile): void {
  const issues = checkCharter(charter)
    .filter(({ level }) => level === 'refused')
    .map(({ message, line }) => ({
      code: 'charter_invalid' as const,
      message,
      file: path,
      ...(line === null ? {} : { line }),
    }));
  if (issues.length > 0) throw new TrefoilError(issues);
}

/** The keys of the keepers of both versions, by handle; of one handle if it is named. */
function keepers(
  charter: Charter,
  previous: Charter | null,
  handle: string | undefined,
): ReadonlyMap<string, readonly PartyKey[]> {
  const all = new Map(keepersOf(charter));
  for (const [name, keys] of previous === null ? [] : keepersOf(previous)) {
    const own = all.get(name) ?? [];
    // A key of both versions has the demands of the new one, which its signature has to show as well.
    all.set(name, [...own, ...keys.filter(({ raw }) => own.every((one) => one.raw !== raw))]);
  }
  if (handle === undefined) return all;
  const keys = all.get(handle);
  if (keys === undefined) fail('not_in_charter', 'no keeper of the charter, or of the version before, has this handle');
  return new Map([[handle, keys!]]);
}

/** The signer that the options name, and the handle of its key. */
async function signerOf(
  { key, ssh }: SignOptions,
  parties: ReadonlyMap<string, readonly PartyKey[]>,
  { voice }: Context,
): Promise<{ readonly signer: PartySigner; readonly handle: string }> {
  if ((key === undefined) === (ssh === undefined)) {
    throw new UsageError('set either --key FILE or --ssh FILE', 'a keeper signs with a key that the charter names');
  }
  if (ssh !== undefined) {
    const signer = await sshKeygenSigner(ssh, parties);
    return { signer, handle: signer.handle! };
  }
  const text = await readNoteKeyFile(key!, voice);
  const signer = inFile(key!, () => notePartySigner(text));
  const party = partyOf(parties, signer.key);
  if (party === null) return fail('not_in_charter', 'no keeper of the charter has this key', { file: key! });
  return { signer, handle: party.handle };
}

/** What the keeper reads: the text as it is signed, with the numbers of its lines, and what it means. */
function shown(charter: Charter, previous: Charter | null): string[] {
  const text = charter.text.slice(0, -1).split('\n');
  const width = String(text.length).length;
  const changes = previous === null ? null : charterChanges(charter, previous);
  return [
    titleOf(charter),
    levelLine(charter),
    'the text that is signed:',
    ...text.map((line, i) => `  ${String(i + 1).padStart(width)}  ${line}`),
    ...findingLines(checkCharter(charter)),
    ...(changes === null ? ['this is the first version'] : [`it changes version ${previous!.version}:`]),
    ...(changes?.length === 0 ? ['  nothing'] : changeLines(changes ?? []).map((line) => `  ${line}`)),
  ];
}

async function write(path: string, content: string, force: boolean, { signal }: Context): Promise<void> {
  const output = await openOutput(path, { force });
  try {
    await output.write(new TextEncoder().encode(content));
    signal.throwIfAborted();
    await output.finish();
  } catch (error) {
    await output.discard();
    throw error;
  }
}
