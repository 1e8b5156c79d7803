/// <reference types="node" />
/** `trefoil rejects open`: opens the records that a run rejected, so that they can be corrected and run again. */

import type { Command } from 'commander';
import { given } from '../../../core/given.ts';
import { type Reject, type Rejects, readRejects } from '../../../files/rejects.ts';
import { DEFAULT_DELIMITER } from '../../../io/csv/codec.ts';
import { makeCsvWriter, OWN_RECORDS } from '../../../io/csv/records.ts';
import { writeCells } from '../../../io/tsv/cells.ts';
import { revealAccess } from '../../../reveal.ts';
import { EXIT } from '../../exit.ts';
import { identityOption, keysOption, needKeys } from '../../key-source.ts';
import { type Context, checkFileName, fileOption } from '../../options.ts';
import { openFileOrStdout, refuseTwoDashes } from '../../outputs.ts';
import { helpText, plural, wordFor } from '../../voice.ts';

const HELP = `
The records are written as they were in the input, under its header line if it
had one, so that you can correct them and run them like any other file. They are
UTF-8, whatever the encoding of the input was, so run them without --encoding.
The last lines name the options that they need. With --json each record is one
JSON object with its file, row, line, problems and text. The records are
personal data in clear; --out makes a file that only its owner can read.

Examples:
  trefoil rejects open people.rejects.ndjson --keys keys.json --out mend.csv
  trefoil rejects open people.rejects.ndjson --keys keys.json --json`;

interface OpenOptions {
  readonly keys?: readonly string[];
  readonly identity?: readonly string[];
  readonly out?: string;
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
    .addOption(fileOption('--out', 'file to write (default: standard output)'))
    .option('--json', 'write one JSON object per record, with its place and problems')
    .option('--force', 'replace an existing file')
    .addHelpText('after', helpText(HELP))
    .action((file: string, options: OpenOptions) => open(file, options, context));
}

async function open(file: string, options: OpenOptions, context: Context) {
  const { keys, out, json = false, force = false } = options;
  checkFileName('FILE', file);
  refuseTwoDashes('input', [
    ['FILE', file],
    ['--keys', keys],
  ]);
  const source = await needKeys(options, context);
  const rejects = await readRejects(file, (domain) => source.keyset.domain(domain), revealAccess);
  const inputs = [file, ...source.files];
  const output = await openFileOrStdout(out, { force, inputs, mode: 0o600 });
  const encoder = new TextEncoder();
  const write = (text: string): Promise<void> => output.write(encoder.encode(text));
  let opened = 0;
  let lost = 0;
  let damaged = 0;
  try {
    if (!json) await write(headerOf(rejects));
    for await (const reject of rejects.records) {
      context.signal.throwIfAborted();
      opened++;
      if (reject.record === null) lost++;
      if (reject.issues.some(({ code }) => code === 'not_utf8' || code === 'not_in_encoding')) damaged++;
      const text = json ? `${JSON.stringify(reject)}\n` : recordOf(reject, rejects);
      if (text !== '') await write(text);
    }
    await output.finish();
  } catch (error) {
    await output.discard();
    throw error;
  }
  context.voice.note(`${plural(opened, 'record')} opened, as UTF-8`);
  const flags = json ? '' : optionsFor(rejects);
  if (flags !== '') context.voice.hint(`run the corrected records with ${flags}`);
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

function headerOf({ format, delimiter, newline, quote, escape: escapedBy, header }: Rejects): string {
  if (header === null) return '';
  if (format === 'tsv') return writeCells(header) + newline;
  const quoting = quote === 'none' ? 'never' : 'minimal';
  const write = makeCsvWriter({
    delimiter: delimiter ?? DEFAULT_DELIMITER,
    newline,
    quoting,
    ...given({ quote, escapedBy }),
  });
  return write(
    header.map((name) => [name]),
    [0],
    // A column without a name has no quotes, as most programs write it.
    { ...OWN_RECORDS, wasBare: () => true },
  );
}

/** The options with which corrected records are read; none for NDJSON, and for CSV that is written in the usual way. */
function optionsFor({ format, delimiter, quote, escape: escapedBy, header }: Rejects): string {
  if (format === 'ndjson') return '';
  const flags = [
    // The extension .tsv stands for two file formats.
    ['--format', format === 'tsv' ? format : null],
    ['--delimiter', delimiter === DEFAULT_DELIMITER ? null : delimiter],
    ['--quote', quote],
    ['--escape', escapedBy],
  ] as const;
  const options = flags.flatMap(([flag, value]) => (value == null ? [] : [`${flag} ${inShell(value)}`]));
  // The file of rejects does not have the names that the run had.
  if (header === null) options.push('--header NAMES, with the names of that run: its input had no header line');
  return options.join(' ');
}

/** An argument as a shell takes it. */
function inShell(value: string): string {
  if (value === '\t') return 'tab';
  return /^[a-z]+$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`;
}

function recordOf({ record }: Reject, { newline }: Rejects): string {
  return record === null ? '' : record + newline;
}
