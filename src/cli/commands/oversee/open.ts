/// <reference types="node" />
/** `trefoil oversee open`: whether an opening is that of an entry, and what it says. */

import type { Command } from 'commander';
import { escapeOf } from '../../../core/visible.ts';
import { fail } from '../../../errors.ts';
import { MAX_DETAILS } from '../../../log/entry/commitment.ts';
import { MOST_PROOF_BYTES } from '../../../log/tree/proof-text.ts';
import { checkOpening, checkProof, type LogPolicy, parseLogProof, readEntry } from '../../../log.ts';
import { inFile } from '../../charters/charter-file.ts';
import { UsageError } from '../../exit.ts';
import { type Context, fileOption, integerOption, need } from '../../options.ts';
import { refuseTwoDashes } from '../../outputs.ts';
import { addLogOptions, type LogOptions, policyOf, readable } from '../../oversee/log-options.ts';
import { proveEntries } from '../../oversee/one-entry.ts';
import { policyOfCharters } from '../../oversee/whole-log.ts';
import { readSmallFile } from '../../policy-file.ts';
import { writeOut } from '../../stdout.ts';
import { helpText } from '../../voice.ts';

const HELP = `
An entry of a use has a commitment in place of its details. The opening, which
the operator keeps beside the log and gives to an overseer who demands it, shows
what they were: tokens, rows, the host of the desk. They are personal data, and
go to standard output.

The entry is read from LOG and proven to be in it, or it is the one in a proof,
as trefoil log subject writes them. The exit code is 7 if the opening is not the
one of the entry, or the entry is not in the log.

Examples:
  trefoil oversee open https://log.example/2026 --log-policy policy.txt --entry 812 --opening 812.json
  trefoil oversee open --proof use.tlog-proof --log-policy policy.txt --opening 812.json`;

interface OpenOptions extends LogOptions {
  readonly entry?: number;
  readonly proof?: string;
  readonly opening?: string;
}

export function addOverseeOpen(parent: Command, context: Context): void {
  const command = parent
    .command('open')
    .summary('check the opening of an entry, and show its details')
    .description('Checks that an opening is the one of an entry of a log, and shows the details of the entry.')
    .argument('[LOG]', 'folder of the log, or its address: http://… or https://…');
  addLogOptions(command)
    .addOption(integerOption('--entry', 'N', 'number of the entry, from 0', 0, 999_999_999_999_999))
    .addOption(fileOption('--proof', 'proof with the entry in it, instead of LOG and --entry'))
    .addOption(fileOption('--opening', 'opening of the entry (required)'))
    .addHelpText('after', helpText(HELP))
    .action((log: string | undefined, options: OpenOptions) => open(log, options, context));
}

async function open(log: string | undefined, options: OpenOptions, context: Context): Promise<void> {
  const path = need(options.opening, '--opening');
  refuseTwoDashes('input', [
    ['--log-policy', options.logPolicy],
    ['--proof', options.proof],
    ['--opening', path],
  ]);
  const opening = await readSmallFile(path, MAX_DETAILS + 1024, 'the opening', 'opening_wrong', (text) => text);
  const { index, bytes } = await entryOf(log, options, context);
  const { event, at } = readEntry(bytes);
  if (event === null || !('commit' in event)) {
    return fail('opening_wrong', `entry ${index} is of the kind ${readEntry(bytes).kind}, which has no opening`);
  }
  const details = inFile(path, () => checkOpening(event, opening));
  await writeOut(`${shown(JSON.stringify(details, null, 2))}\n`);
  context.voice.note(
    `the opening is that of entry ${index}, a ${event.kind} of ${new Date(at * 1000).toISOString().slice(0, 19)}Z`,
  );
}

/** The entry, from the log or from a proof. It is known to be in the log. */
async function entryOf(
  log: string | undefined,
  options: OpenOptions,
  { signal }: Context,
): Promise<{ readonly index: number; readonly bytes: Uint8Array }> {
  const { entry, proof } = options;
  if ((log === undefined) === (proof === undefined)) throw new UsageError('set either LOG or --proof FILE');
  if (proof !== undefined) {
    if (entry !== undefined) throw new UsageError('--entry is for LOG; a proof has the number of its entry');
    return entryOfProof(proof, await policyOf(options));
  }
  if (entry === undefined) throw new UsageError('--entry N is required');
  const source = await readable(log!, signal);
  const policy = (await policyOf(options)) ?? (await policyOfCharters(source, options.charterSha256!));
  const [proven] = await proveEntries(source, policy, [entry]);
  return { index: entry, bytes: proven!.bytes };
}

async function entryOfProof(path: string, policy: LogPolicy | null) {
  if (policy === null) {
    throw new UsageError(
      '--proof needs --log-policy or --log-key',
      'the charters, which name the keys, are in the log',
    );
  }
  return readSmallFile(path, MOST_PROOF_BYTES, 'the proof', 'proof_invalid', (text) => {
    const { extra } = parseLogProof(text);
    if (extra === null) return fail('proof_invalid', 'the proof does not have its entry; set LOG and --entry instead');
    return { index: checkProof(text, extra, policy).index, bytes: extra };
  });
}

/** Everything that is not plain is shown as an escape of JSON: details are somebody's input. */
function shown(json: string): string {
  return json.replace(/[^\x20-\x7e\n]/gu, (character) =>
    /[\p{L}\p{N}\p{M}]/u.test(character) ? character : escapeOf(character),
  );
}
