/** `trefoil check`: finds the problems of a policy: alone, with its keys, and with records. */

import type { Command } from 'commander';
import { makeIssueCounter } from '../../core/issues.ts';
import { type Issue, type IssueCode, MAX_ISSUES, TrefoilError } from '../../errors.ts';
import type { FileFormat } from '../../files/file-format.ts';
import { COMPRESSIONS, type Compression } from '../../files/inputs/compression.ts';
import { mayProtect, openKeys } from '../../keys/domain-keys.ts';
import type { DomainKeys } from '../../keys.ts';
import { openBound, openReady } from '../../policy/bound.ts';
import { readingNotes } from '../../policy/explain/reading-notes.ts';
import { joinWarnings } from '../../policy/joins.ts';
import { namedPolicies } from '../../policy/named.ts';
import { policyLeaves } from '../../policy/policy.ts';
import { type FilePolicy, parsePolicy } from '../../policy.ts';
import { revealAccess } from '../../reveal.ts';
import { memoryStores, type PolicyWithKeys, throwAwayKeys } from '../bind.ts';
import { keyWarnings } from '../custody/key-warnings.ts';
import { exitCodeOf, UsageError } from '../exit.ts';
import { type FileFormatOptions, fileFormatOf, openSource, streamsOf } from '../file-formats.ts';
import { toJson } from '../json.ts';
import { findKeys, identityOption, keysOption } from '../key-source.ts';
import {
  type Context,
  delimiterOption,
  encodingOption,
  escapeOption,
  fileOption,
  filesOption,
  integerOption,
  namesOption,
  need,
  quoteOption,
  wordOption,
} from '../options.ts';
import { refuseTwoDashes } from '../outputs.ts';
import { loadPolicies } from '../policy-file.ts';
import type { PolicyText } from '../policy-text.ts';
import { isParquet } from '../run/engine.ts';
import { refuseDuckdb } from '../run/request.ts';
import { sampleStream } from '../run/sample.ts';
import { writeOut } from '../stdout.ts';
import { storeNames } from '../stores/places.ts';
import { helpText, plural } from '../voice.ts';

/** How many records of the input are tried. */
const ROWS = 100;

const HELP = `
With --keys it also compares the key check of the policy with the keys. With
--input it also protects the first ${ROWS} records and discards the result;
without --keys it uses random keys for that. Stores of a vault are not opened:
empty ones in memory take their place.

Examples:
  trefoil check --policy people.policy.yaml
  trefoil check --policy people.policy.yaml --input people.csv --json
  trefoil check --policy people.policy.yaml --policy orders.policy.yaml`;

interface CheckOptions extends Omit<FileFormatOptions, 'quoting'> {
  readonly policy?: readonly string[];
  readonly keys?: readonly string[];
  readonly identity?: readonly string[];
  readonly input?: string;
  readonly inputCompression?: Compression;
  readonly json?: true;
}

export function addCheck(parent: Command, context: Context): void {
  parent
    .command('check')
    .summary('find all problems of a policy')
    .description('Finds all problems of a policy, with file, line and column.')
    .addOption(filesOption('--policy', 'policy file, YAML or JSON (required); repeat it to check policies together'))
    .addOption(keysOption())
    .addOption(identityOption())
    .addOption(fileOption('--input', 'file whose first records are tried: CSV, TSV, NDJSON or Parquet'))
    .addOption(
      wordOption('--format', 'FORMAT', 'file format of the input (default: by its name)', ['csv', 'tsv', 'ndjson']),
    )
    .addOption(delimiterOption())
    .addOption(quoteOption())
    .addOption(escapeOption())
    .addOption(encodingOption())
    .addOption(namesOption('--header', 'column names, for an input without a header line'))
    .addOption(
      wordOption('--input-compression', 'HOW', 'compression of the input (default: by its name)', COMPRESSIONS),
    )
    .addOption(integerOption('--max-record', 'BYTES', 'longest record (default: 1,048,576)', 1, 2 ** 28))
    .option('--json', 'write { ok, issues } as JSON to standard output')
    .addHelpText('after', helpText(HELP))
    .action(async (options: CheckOptions) => {
      try {
        const tried = await check(options, context);
        if (options.json === true) await writeOut(`${toJson({ ok: true, issues: [] }, 2)}\n`);
        else
          context.voice.note(
            `${options.policy!.join(', ')}: no problems${tried === null ? '' : `, ${rowsOf(tried)} tried`}`,
          );
      } catch (error) {
        if (options.json !== true || !(error instanceof TrefoilError) || error.kind === 'io') throw error;
        await writeOut(`${toJson({ ok: false, issues: error.issues, total: error.total }, 2)}\n`);
        context.exit(exitCodeOf(error));
      }
    });
}

/** Nobody knows whether there are more rows than those that were tried. */
function rowsOf(tried: number): string {
  return tried < ROWS ? plural(tried, 'row') : `the first ${plural(tried, 'row')}`;
}

/**
 * Checks policies, keys and records.
 *
 * @returns the number of records that were tried; `null` without an input.
 * @throws UsageError, TrefoilError with all problems that were found.
 */
async function check(options: CheckOptions, context: Context): Promise<number | null> {
  // Mistakes in the command line are reported before problems in files.
  const format = options.input === undefined ? null : inputFormat(options.input, options);
  const files = need(options.policy, '--policy');
  refuseTwoDashes('input', [
    ['--input', options.input],
    ...files.map((file) => ['--policy', file] as const),
    ['--keys', options.keys],
  ]);
  if (files.length > 1 && format !== null) {
    throw new UsageError('--input cannot be combined with several policies', 'check each policy with its own input');
  }
  const loaded = await loadPolicies(files);
  if (format === 'parquet' && storeNames(loaded[0]!.policy).length > 0) refuseDuckdb();
  const source = await findKeys(options, context);
  const keysOf = (policy: FilePolicy) => source?.keyset.domain(policy.domain!) ?? null;
  const policies = loaded.map(({ policy }) => policy);
  for (const note of readingNotes(namedPolicies(policies, files))) context.voice.note(note);
  const domains = new Set(loaded.map(({ policy }) => policy.domain!));
  if (domains.size > 1) {
    const names = [...domains].join(', ');
    context.voice.hint(
      `fields of different domains (${names}) never join, whatever their scopes, unless they are kept or coarsened`,
    );
  }
  for (const [i, { policy }] of loaded.entries()) {
    for (const { field, message } of joinWarnings(policyLeaves(policy))) {
      context.voice.warning(`${files[i]}: field ${field}: ${message}`);
    }
    if (source?.isSealed === true && policy.keyCheck === undefined && policy.branchCheck === undefined) {
      context.voice.warning(
        `${files[i]}: the policy pins no keys, and anyone who knows who can open the key file could put other keys in ` +
          'its place',
      );
      context.voice.hint(
        `trefoil keys inspect --keys FILE --domain ${policy.domain} prints the line to put into the policy`,
      );
    }
    if (source !== null) {
      for (const message of keyWarnings(policy, source.keyset)) context.voice.warning(`${files[i]}: ${message}`);
    }
    await checkKeys(policy, keysOf(policy), context);
  }
  if (format === null) return null;
  const { policy, read } = loaded[0]!;
  const keys = keysOf(policy);
  // Keys that are not for protecting are compared above, and random ones try the records.
  const trial = keys !== null && mayProtect(openKeys(keys)) ? keys : null;
  return tryRecords(format, await bindForTrial(policy, read, trial), options, context);
}

/**
 * Binds a policy to protect some records. Without keys it takes random ones, which no check can expect. Stores are
 * empty ones in memory.
 */
async function bindForTrial(
  policy: FilePolicy,
  read: PolicyText,
  keys: DomainKeys | null,
): Promise<PolicyWithKeys['bound']> {
  if (keys !== null) return bindInMemory(policy, keys);
  const { keyCheck: _, branchCheck: __, ...unpinned } = read.value as Record<string, unknown>;
  return bindInMemory(parsePolicy(unpinned, read.locate), throwAwayKeys(policy));
}

async function bindInMemory(policy: FilePolicy, keys: DomainKeys): Promise<PolicyWithKeys['bound']> {
  return storeNames(policy).length === 0 ? policy.bind(keys) : policy.open(keys, memoryStores(policy));
}

/**
 * Protects the first records of the input and discards the result.
 *
 * @returns the number of records.
 * @throws TrefoilError with the issues of all of them.
 */
async function tryRecords(
  format: FileFormat | 'parquet',
  bound: PolicyWithKeys['bound'],
  options: CheckOptions,
  context: Context,
): Promise<number> {
  if (format === 'parquet') {
    const { checkParquet } = await import('../../duckdb/sample.ts');
    return checkParquet(
      { direction: 'protect', inside: openReady(bound), inputs: [options.input!] },
      ROWS,
      context.signal,
    );
  }
  const issues: Issue[] = [];
  const { add, tally } = makeIssueCounter();
  let rows = 0;
  let total = 0;
  const stream = sampleStream(streamsOf(format, options), 'protect', openSource(options.input!, options), bound, {
    signal: context.signal,
    limit: ROWS,
    onReject(issue) {
      total++;
      add(issue);
      // A record may have a long array, and each of its elements an issue.
      if (issues.length < MAX_ISSUES) issues.push(issue);
    },
    onProgress(progress) {
      rows = progress.rows;
    },
  });
  for await (const _chunk of stream);
  if (total > 0) throw new TrefoilError(issues, total, { rows, isAll: rows < ROWS, ...tally() });
  return rows;
}

/**
 * Warns if a policy cannot protect or cannot reveal with these keys. What narrowed keys are not for is not tried.
 *
 * @throws TrefoilError `not_granted` if narrowed keys lack a node that binding needs.
 */
async function checkKeys(policy: FilePolicy, keys: DomainKeys | null, context: Context): Promise<void> {
  if (keys === null) return;
  // Whether the keys fit does not depend on what a store holds, so an empty one in memory takes the place of each.
  const bound = openBound(await bindInMemory(policy, keys));
  const reveal = () =>
    storeNames(policy).length > 0
      ? policy.open(keys, memoryStores(policy), revealAccess)
      : policy.bind(keys, revealAccess);
  const { verbs } = openKeys(keys);
  if (verbs !== null) {
    context.voice.note(`domain ${keys.domain}: the keys are narrowed to ${verbs.join(' and ')}`);
  }
  if (verbs?.includes('protect') ?? true) {
    await warnUnless('protect', 'key_not_pinned', () => bound.demand('protect'), policy, context);
  }
  if (verbs?.includes('reveal') ?? true) {
    await warnUnless('reveal', 'key_check_required', reveal, policy, context);
  }
}

/** Options about files of text. */
const FOR_TEXT = [
  ['format', '--format'],
  ['delimiter', '--delimiter'],
  ['quote', '--quote'],
  ['escape', '--escape'],
  ['encoding', '--encoding'],
  ['header', '--header'],
  ['inputCompression', '--input-compression'],
  ['maxRecord', '--max-record'],
] as const;

/** The file format of the input, by its name or as `--format` sets it. Parquet is known by its name only. */
function inputFormat(input: string, options: CheckOptions): FileFormat | 'parquet' {
  if (!isParquet(input)) return fileFormatOf([input], options);
  for (const [name, flag] of FOR_TEXT) {
    if (options[name] !== undefined)
      throw new UsageError(`${flag} cannot be combined with a .parquet file`, 'leave it out');
  }
  return 'parquet';
}

/**
 * Warns if an action fails with this code. A policy may be able to protect and not to reveal, or the reverse, and it is
 * better to learn that before the data are protected.
 */
async function warnUnless(
  action: 'protect' | 'reveal',
  code: IssueCode,
  attempt: () => unknown,
  policy: FilePolicy,
  context: Context,
): Promise<void> {
  try {
    await attempt();
  } catch (error) {
    if (!(error instanceof TrefoilError) || error.code !== code) throw error;
    context.voice.warning(`this policy cannot ${action} with these keys: ${error.message}`);
    context.voice.hint(
      `trefoil keys inspect --keys FILE --domain ${policy.domain} prints the line to put into the policy`,
    );
  }
}
