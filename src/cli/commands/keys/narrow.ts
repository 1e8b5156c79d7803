/// <reference types="node" />
/** `trefoil keys narrow`: makes a key file for a worker, with only the keys that its policies need. */

import type { Command } from 'commander';
import { given } from '../../../core/given.ts';
import { describeKeyset } from '../../../keys/described.ts';
import type { KeyVerb } from '../../../keys/entries.ts';
import type { Keyset } from '../../../keys.ts';
import { periodProblem } from '../../../policy/narrow.ts';
import { type FilePolicy, type NarrowedField, narrow } from '../../../policy.ts';
import { unitOf } from '../../../prepare/civil-period.ts';
import { addWriteOptions, type WriteOptions, writeChanged } from '../../custody/changing.ts';
import { UsageError } from '../../exit.ts';
import { identityOption, type KeyOptions, keysOption, needKeys } from '../../key-source.ts';
import { type Context, filesOption, need, option } from '../../options.ts';
import { refuseTwoDashes } from '../../outputs.ts';
import { loadPolicy } from '../../policy-file.ts';
import { helpText, plural } from '../../voice.ts';

const HELP = `
A thief of the file opens no other scope, domain or key. A line for each field
says what else holds: a wall, where cryptography keeps the holder to the verbs,
or a seat belt, where only this program does. Put the branchCheck that is
printed into the policy of the worker.

A file for protecting alone has no branches of other keys than the primary key
and its base, except those of a vault: there values are looked up under every
key that the store has used.

Examples:
  trefoil keys narrow --policy people.policy.yaml --verbs protect --keys keys.json --out worker.json
  trefoil keys narrow --policy people.policy.yaml --verbs protect,reveal --rejects \\
    --keys keys.json --out desk.json`;

const VERBS: readonly KeyVerb[] = ['protect', 'reveal', 'rekey'];

interface NarrowOptions extends KeyOptions, WriteOptions {
  readonly policy?: readonly string[];
  readonly verbs?: readonly KeyVerb[];
  readonly rejects?: boolean;
  readonly period?: string;
  readonly out?: string;
}

export function addKeysNarrow(parent: Command, context: Context): void {
  const command = parent
    .command('narrow')
    .summary('make a key file with only the keys that a policy needs')
    .description('Makes a key file with only the keys that policies need, for a worker.')
    .addOption(filesOption('--policy', 'policy of the worker (required); may be repeated'))
    .addOption(option('--verbs', 'VERBS', 'what the file is for (required): protect, reveal, rekey', readVerbs))
    .option('--rejects', 'also keep the key of rejected records')
    .addOption(option('--period', 'PERIOD', 'of rules with a period, only the key of this one: 2024-03', readPeriod))
    .addOption(keysOption())
    .addOption(identityOption());
  addWriteOptions(command)
    .addHelpText('after', helpText(HELP))
    .action((options: NarrowOptions) => makeNarrow(options, context));
}

function readVerbs(value: string): readonly KeyVerb[] {
  const verbs = value.split(',');
  const known = verbs.map((verb) => VERBS.find((one) => one === verb));
  if (known.includes(undefined) || new Set(verbs).size !== verbs.length) {
    throw new UsageError('--verbs expected protect, reveal or rekey, or several of them separated by commas');
  }
  return known as KeyVerb[];
}

function readPeriod(value: string): string {
  if (unitOf(value) !== null) return value;
  throw new UsageError('--period expected 2024-03-01, 2024-W09, 2024-03, 2024-Q1 or 2024');
}

async function makeNarrow({ rejects = false, ...options }: NarrowOptions, context: Context): Promise<void> {
  const files = options.policy ?? [];
  if (files.length === 0) throw new UsageError('--policy FILE is required');
  const { verbs } = options;
  if (verbs === undefined) throw new UsageError('--verbs is required', 'set what the file is for: --verbs protect');
  const out = need(options.out, '--out');
  refuseTwoDashes('input', [['--keys', options.keys], ...files.map((file) => ['--policy', file] as const)]);
  const policies: FilePolicy[] = [];
  for (const file of files) policies.push((await loadPolicy(file)).policy);
  const problem = options.period === undefined ? null : periodProblem(policies, options.period);
  if (problem !== null) throw new UsageError(`--period does not fit the policy: ${problem}`);
  const source = await needKeys(options, context);
  const {
    keyset: narrowed,
    branchCheck,
    fields,
  } = narrow(source.keyset, policies, {
    verbs,
    rejects,
    ...given({ period: options.period }),
  });
  const what = `${plural(fields.length, 'field')}, for ${verbs.join(' and ')}`;
  await writeChanged(out, { keyset: narrowed, source, what }, options, context);
  for (const field of fields) context.voice.note(lineOf(field));
  if (rejects) context.voice.note('rejected records: seat belt');
  const older = verbs.every((verb) => verb === 'protect') ? vaultKeysOf(narrowed) : [];
  if (older.length > 0) {
    context.voice.note(
      `the file also has the vault branches of root key ${older.join(', ')}: a vault looks values up under every key ` +
        'that its store has used',
    );
  }
  const soft = fields.filter(({ kept }) => kept === 'seat belt');
  if (soft.some(({ rule }) => rule !== 'token')) {
    context.voice.warning(
      'a seat belt holds only as long as this program is used: anyone who has the file can protect and reveal these fields',
    );
  }
  if (soft.some(({ rule }) => rule === 'token')) {
    context.voice.warning(
      'the base of the keys also protects, so anyone who has the file can turn tokens of the recipient into tokens of ' +
        'its parent',
    );
    context.voice.hint('keys of trefoil keys new --renewable have a base that protects nothing');
  }
  context.voice.note(`pin the branches in the policy of the worker: branchCheck: "${branchCheck}"`);
}

/** The keys besides the primary one that have branches of a vault. */
function vaultKeysOf(keyset: Keyset): readonly string[] {
  const others = describeKeyset(keyset, null).keys.filter(({ state }) => state !== 'primary');
  return others.filter(({ branches }) => branches?.some(({ kind }) => kind === 'vault')).map(({ id }) => id);
}

function lineOf({ field, rule, scope, kept }: NarrowedField): string {
  const name = [rule, ...(scope === null || scope === '' ? [] : [scope])].join(' ');
  return `field ${field} (${name}): ${kept === 'none' ? 'no key' : kept}`;
}
