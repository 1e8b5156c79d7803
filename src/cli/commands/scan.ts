/// <reference types="node" />
/** `trefoil scan`: which keys the values of files show. */

import type { Command } from 'commander';
import { parquetLines } from '../../duckdb/texts.ts';
import { TrefoilError } from '../../errors.ts';
import { COMPRESSIONS, type Compression } from '../../files/inputs/compression.ts';
import { expandInputs, inputCompression, openBytes } from '../../files/inputs/inputs.ts';
import { checkEncoding, type EncodingName } from '../../io/encoding.ts';
import { makeScan } from '../../io/scan.ts';
import {
  type KeyCounts,
  type ScannedFile,
  type ScanReport,
  type SilentField,
  writeScanReport,
} from '../../io/scan-report.ts';
import { silentFields } from '../../policy/explain/silent.ts';
import { EXIT } from '../exit.ts';
import { type Context, checkFileName, encodingOption, fileOption, filesOption, wordOption } from '../options.ts';
import { DASH, openFileOrStdout, refuseTwoDashes } from '../outputs.ts';
import { loadPolicy } from '../policy-file.ts';
import { isParquet } from '../run/engine.ts';
import { refuseOwnInput, writeOut } from '../stdout.ts';
import { count, helpText, plural } from '../voice.ts';

const HELP = `
It counts labelled tokens, sealed values and rejected records by the key that
they show, in files of any text, also inside sentences. It needs no keys. With
--policy it names the fields whose values do not show their key.

It does not find everything: not values that show no key, that were cut, or
encoded as base64, not tokens in mixed case, and not tokens without a label and
sealed values that have letters or digits directly before or after them.

The report of --out is for trefoil keys retire.

Examples:
  trefoil scan people.safe.csv orders.safe.ndjson.gz
  trefoil scan 'safe/*.csv' --policy people.policy.yaml --out scan.json`;

interface ScanOptions {
  readonly policy?: readonly string[];
  readonly encoding?: EncodingName;
  readonly inputCompression?: Compression;
  readonly json?: boolean;
  readonly out?: string;
  readonly force?: boolean;
}

export function addScan(parent: Command, context: Context): void {
  parent
    .command('scan')
    .summary('count tokens and sealed values by the key that they show')
    .description('Counts labelled tokens, sealed values and rejected records by the key that they show.')
    .argument('[INPUT...]', 'files or patterns to read (default, or -: standard input)')
    .addOption(filesOption('--policy', 'policy whose fields are looked at; may be repeated'))
    .addOption(encodingOption())
    .addOption(
      wordOption('--input-compression', 'HOW', 'compression of the inputs (default: by their names)', COMPRESSIONS),
    )
    .option('--json', 'write the report as JSON to standard output')
    .addOption(fileOption('--out', 'file for the report as JSON'))
    .option('--force', 'replace an existing report')
    .addHelpText('after', helpText(HELP))
    .action((inputs: readonly string[], options: ScanOptions) => scan(inputs, options, context));
}

async function scan(args: readonly string[], options: ScanOptions, context: Context): Promise<void> {
  const { policy: policies = [], out, json = false, force = false } = options;
  const named = args.length === 0 ? [DASH] : args;
  for (const input of named) checkFileName('INPUT', input);
  refuseTwoDashes('input', [
    ['INPUT', named],
    ['--policy', policies],
  ]);
  refuseTwoDashes('output', [
    ['--json', json ? DASH : undefined],
    ['--out', out],
  ]);
  const inputs = await expandInputs(named);
  const silent: SilentField[] = [];
  for (const path of policies) {
    const { policy } = await loadPolicy(path);
    silent.push(...silentFields(policy).map(({ field, rule }) => ({ policy: path, field, rule })));
  }
  refuseOwnInput([...inputs.filter((input) => input !== DASH), ...policies]);
  // An output that cannot be written is reported before a long scan.
  const file = out === undefined ? null : await openFileOrStdout(out, { force, inputs: [...inputs, ...policies] });
  try {
    const files: ScannedFile[] = [];
    for (const input of inputs) files.push(await scanFile(input, options, context.signal));
    const report: ScanReport = { at: new Date().toISOString(), files, silent };
    const text = writeScanReport(report);
    if (file !== null) await file.write(new TextEncoder().encode(text));
    context.signal.throwIfAborted();
    await file?.finish();
    if (out !== DASH) await writeOut(json ? text : `${linesOf(report).join('\n')}\n`);
    noteEmpty(report, inputs, context);
  } catch (error) {
    await file?.discard();
    throw error;
  }
}

/** A command that failed leaves an empty pipe or file, and it must not pass for one without keys. */
function noteEmpty({ files }: ScanReport, inputs: readonly string[], { voice, exit }: Context): void {
  const empty = files.flatMap(({ file, bytes }, i) => (bytes === 0 ? [{ file, isPipe: inputs[i] === DASH }] : []));
  if (empty.length === 0) return;
  if (empty.some(({ isPipe }) => isPipe)) {
    voice.warning('standard input is empty, so nothing was scanned; the command before the pipe may have failed');
  }
  const names = empty.filter(({ isPipe }) => !isPipe).map(({ file }) => file);
  if (names.length > 0) {
    voice.warning('these files are empty, so nothing was scanned in them; what wrote them may have failed', names);
  }
  exit(EXIT.partial);
}

async function scanFile(
  input: string,
  { encoding, inputCompression: compression }: ScanOptions,
  signal: AbortSignal,
): Promise<ScannedFile> {
  const { push, end } = makeScan();
  const name = input === DASH ? 'standard input' : input;
  try {
    const source = isParquet(input)
      ? parquetLines(input, signal)
      : await openBytes(input, inputCompression(input, compression), checkEncoding(encoding));
    for await (const chunk of source) {
      signal.throwIfAborted();
      push(chunk);
    }
    return { file: name, ...end() };
  } catch (error) {
    if (!(error instanceof TrefoilError)) throw error;
    throw new TrefoilError(
      error.issues.map((issue) => ({ file: name, ...issue })),
      error.total,
    );
  }
}

function linesOf({ files, silent }: ScanReport): readonly string[] {
  return [
    ...files.flatMap(({ file, bytes, keys, damaged }) => [
      ...(Object.keys(keys).length === 0 ? [`${file}: ${bytes === 0 ? 'empty' : 'no value shows a key'}`] : []),
      ...Object.entries(keys).map(([id, counts]) => `${file}: key ${id}: ${countsText(counts)}`),
      ...(damaged === 0 ? [] : [`${file}: ${plural(damaged, 'text')} like a token with wrong check characters`]),
    ]),
    ...silent.map(({ policy, field, rule }) => `${policy}: field ${field} (${rule}): its values do not show their key`),
  ];
}

/** `1,200 tokens (cust 1,000, mail 200), 3 sealed values, first in line 2`. */
function countsText({ tokens, sealed, rejects, first }: KeyCounts): string {
  const labels = Object.entries(tokens);
  const all = labels.reduce((sum, [, number]) => sum + number, 0);
  const byLabel = labels.map(([label, number]) => `${label === '' ? 'without a label' : label} ${count(number)}`);
  return [
    ...(all > 0 ? [`${plural(all, 'token')} (${byLabel.join(', ')})`] : []),
    ...(sealed > 0 ? [plural(sealed, 'sealed value')] : []),
    ...(rejects > 0 ? [plural(rejects, 'rejected record')] : []),
    `first in line ${count(first)}`,
  ].join(', ');
}
