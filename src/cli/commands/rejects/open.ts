/// <reference types="node" />
/** `trefoil rejects open`: opens the records that a run rejected, so that they can be corrected and run again. */

import type { Command } from 'commander';
import { type Reject, type Rejects, readRejects } from '../../../files/rejects.ts';
import { pinned } from '../../../policy/bind.ts';
import { revealAccess } from '../../../reveal.ts';
import { EXIT, UsageError } from '../../exit.ts';
import { identityOption, keysOption, needKeys } from '../../key-source.ts';
import { type Context, checkFileName, fileOption } from '../../options.ts';
import { DASH, openFileOrStdout, refuseTwoDashes } from '../../outputs.ts';
import { loadPolicy } from '../../policy-file.ts';
import { intoFolderByInput, intoOneOutput, type RejectsWriter, type WrittenTable } from '../../rejects/by-input.ts';
import { optionsFor } from '../../rejects/tables.ts';
import { helpText, plural, wordFor } from '../../voice.ts';

const HELP = `
The records are written as they were in the input, under its header line if it
had one, so that you can correct them and run them like any other file. They are
UTF-8, whatever the encoding of the input was, so run them without --encoding.
The last lines name the options that they need. After a run over several inputs
with different header lines, --out-dir writes a file for each input. With --json
each record is one JSON object with its file, row, line, problems and text. The
records are personal data in clear; only their owner can read the files.

--policy holds the keys against the pins of the policy. Narrowed keys need it,
because their branches have to be pinned.

Examples:
  trefoil rejects open people.rejects.ndjson --keys keys.json --out mend.csv
  trefoil rejects open all.rejects.ndjson --keys keys.json --out-dir mend
  trefoil rejects open people.rejects.ndjson --keys keys.json --json`;

interface OpenOptions {
  readonly keys?: readonly string[];
  readonly identity?: readonly string[];
  readonly policy?: string;
  readonly out?: string;
  readonly outDir?: string;
  readonly json?: boolean;
  readonly force?: boolean;
}

export function addRejectsOpen(parent: Command, context: Context): void {
  parent
    .command('open')
    .summary('open rejected records with the keys of the run')
    .description('Opens the records that a run rejected, with the keys of that run.')
    .argument('<FILE>', 'file of rejects')
    .addOption(keysOption())
    .addOption(identityOption())
    .addOption(fileOption('--policy', 'policy of the run; its domain, region, keyCheck and branchCheck must hold'))
    .addOption(fileOption('--out', 'file to write (default: standard output)'))
    .addOption(fileOption('--out-dir', 'folder for the records of each input, under the name of the input', 'DIR'))
    .option('--json', 'write one JSON object per record, with its place and problems')
    .option('--force', 'replace existing files')
    .addHelpText('after', helpText(HELP))
    .action((file: string, options: OpenOptions) => open(file, options, context));
}

async function open(file: string, options: OpenOptions, context: Context) {
  const { keys, json = false } = options;
  checkFileName('FILE', file);
  checkOutputs(options);
  refuseTwoDashes('input', [
    ['FILE', file],
    ['--policy', options.policy],
    ['--keys', keys],
  ]);
  const policy = options.policy === undefined ? null : (await loadPolicy(options.policy)).policy;
  const source = await needKeys(options, context);
  const keysOf = (domain: string) => {
    const domainKeys = source.keyset.domain(domain);
    return policy === null ? domainKeys : pinned(policy, domainKeys);
  };
  const rejects = await readRejects(file, keysOf, revealAccess);
  const inputs = [file, ...source.files, ...(options.policy === undefined ? [] : [options.policy])];
  const writer = await writerFor(rejects, options, inputs);
  let opened = 0;
  let lost = 0;
  let damaged = 0;
  try {
    for await (const reject of rejects.records) {
      context.signal.throwIfAborted();
      opened++;
      if (reject.record === null) lost++;
      if (reject.issues.some(({ code }) => code === 'not_utf8' || code === 'not_in_encoding')) damaged++;
      await writer.write(reject);
    }
    await writer.finish();
  } catch (error) {
    await writer.discard();
    throw error;
  }
  context.voice.note(`${plural(opened, 'record')} opened, as UTF-8`);
  if (!json) for (const hint of hintsFor(writer.tables())) context.voice.hint(hint);
  if (damaged > 0) {
    context.voice.warning(
      `${plural(damaged, 'record')} ${wordFor(damaged, 'has', 'have')} bytes that are no characters, which are written ` +
        'as U+FFFD; correct them before you run the records again',
    );
  }
  if (lost > 0) {
    context.voice.warning(
      `${plural(lost, 'record')} longer than --max-record ${wordFor(lost, 'is', 'are')} not in the file of rejects`,
    );
    context.exit(EXIT.partial);
  }
}

function checkOutputs({ out, outDir, json = false }: OpenOptions): void {
  if (outDir === undefined) return;
  if (out !== undefined) throw new UsageError('--out and --out-dir cannot be combined');
  if (json) throw new UsageError('--json and --out-dir cannot be combined', 'with --json each record names its input');
  if (outDir === DASH) throw new UsageError('--out-dir cannot be standard output');
}

async function writerFor(
  rejects: Rejects,
  { out, outDir, json = false, force = false }: OpenOptions,
  inputs: readonly string[],
): Promise<RejectsWriter> {
  if (outDir !== undefined) return intoFolderByInput(outDir, force, inputs);
  const output = await openFileOrStdout(out, { force, inputs, mode: 0o600 });
  if (!json) return intoOneOutput(output, rejects.firstTable);
  const encoder = new TextEncoder();
  return {
    write: (reject) => output.write(encoder.encode(jsonOf(reject))),
    finish: () => output.finish(),
    discard: () => output.discard(),
    tables: () => [],
  };
}

function jsonOf({ table: _, input: __, ...reject }: Reject): string {
  return `${JSON.stringify(reject)}\n`;
}

/** The options that the written files need, and the files that need them if not all do. */
function hintsFor(tables: readonly WrittenTable[]): string[] {
  const byOptions = new Map<string, string[]>();
  for (const { table, file } of tables) {
    const options = optionsFor(table);
    byOptions.set(options, [...(byOptions.get(options) ?? []), file ?? '']);
  }
  return [...byOptions].flatMap(([options, files]) => {
    if (options === '') return [];
    const of = byOptions.size === 1 ? '' : ` of ${someOf(files)}`;
    return [`run the corrected records${of} with ${options}`];
  });
}

/** Most files that a hint names. */
const MOST_NAMED = 5;

function someOf(files: readonly string[]): string {
  const more = files.length - MOST_NAMED;
  return files.slice(0, MOST_NAMED).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
