/// <reference types="node" />
/** `trefoil vault rekey`: moves the rows of the stores of a policy to the primary key. */

import type { Command } from 'commander';
import { TrefoilError } from '../../../errors.ts';
import { openInput } from '../../../files/inputs/input-file.ts';
import type { RevealingVault } from '../../../rule/vault/verbs.ts';
import { EXIT } from '../../exit.ts';
import { linesOf, standardInput } from '../../lines.ts';
import { type Context, fileOption } from '../../options.ts';
import { DASH, refuseTwoDashes } from '../../outputs.ts';
import { writeJsonLine } from '../../stdout.ts';
import {
  addVaultOptions,
  type OpenVault,
  onePerStore,
  openVaults,
  untilAborted,
  type VaultOptions,
} from '../../stores/vaults.ts';
import { helpText, plural, wordFor } from '../../voice.ts';

const HELP = `
Other processes may use the stores meanwhile. The exit code is 9 if rows are
left under an older key.

With --tokens it moves the mappings of these tokens to the inner layer of the
primary key, which needs the tokens: one per line, from the data. From then on
new mappings get that inner layer, too; until then they get the older one.

Examples:
  trefoil vault rekey --policy p.yaml --keys keys.json --vault people.db
  cut -d, -f2 people.safe.csv | tail -n +2 > tokens.txt
  trefoil vault rekey --tokens tokens.txt --policy p.yaml --keys keys.json --vault people.db`;

/** Tokens that are moved at once. */
const BATCH = 1000;

interface RekeyOptions extends VaultOptions {
  readonly tokens?: string;
}

export function addVaultRekey(parent: Command, context: Context): void {
  const command = parent
    .command('rekey')
    .summary('move rows to the primary key')
    .description('Moves all rows to the outer layer of the primary key. Writes one JSON object per store.');
  addVaultOptions(command)
    .addOption(fileOption('--tokens', 'file of tokens, one per line, whose mappings are moved instead'))
    .addHelpText('after', helpText(HELP))
    .action((options: RekeyOptions) => rekey(options, context));
}

async function rekey(options: RekeyOptions, context: Context): Promise<void> {
  refuseTwoDashes('input', [
    ['--tokens', options.tokens],
    ['--policy', options.policy],
    ['--keys', options.keys],
  ]);
  const vaults = await openVaults(options, context);
  const work = options.tokens === undefined ? rekeyStores(vaults) : rekeyTokens(vaults, options.tokens, context);
  const reports = await untilAborted(context.signal, work);
  if (reports.some(({ left }) => left > 0)) context.exit(EXIT.partial);
  for (const report of reports) await writeJsonLine(report);
}

/** How many rows or mappings of a store were moved, and how many were not. */
interface Report {
  readonly store: string;
  readonly moved: number;
  readonly left: number;
}

function rekeyStores(vaults: readonly OpenVault[]): Promise<readonly Report[]> {
  const work = onePerStore(vaults).map(async ({ rule, vault }) => ({ store: rule.store, ...(await vault.rekey()) }));
  return Promise.all(work);
}

async function rekeyTokens(vaults: readonly OpenVault[], path: string, context: Context): Promise<readonly Report[]> {
  const reports = new Map(vaults.map(({ rule: { store } }) => [store, { store, moved: 0, left: 0 }]));
  let unknown = 0;
  const move = async (tokens: readonly string[]): Promise<void> => {
    context.signal.throwIfAborted();
    let rest = tokens;
    for (const { rule, vault } of vaults) {
      const known = await Promise.all(rest.map((token) => hasToken(vault, token)));
      const { moved, left } = await vault.rekey({ tokens: rest.filter((_, i) => known[i]) });
      const report = reports.get(rule.store)!;
      report.moved += moved;
      report.left += left;
      rest = rest.filter((_, i) => !known[i]);
    }
    unknown += rest.length;
  };
  const source = path === DASH ? standardInput(context.signal, 'tokens') : await openInput(path);
  let batch: string[] = [];
  for await (const { text } of linesOf(source)) {
    if (text === '') continue;
    batch.push(text);
    if (batch.length < BATCH) continue;
    await move(batch);
    batch = [];
  }
  await move(batch);
  if (unknown > 0) {
    const are = wordFor(unknown, 'is not a token', 'are not tokens');
    context.voice.warning(`${plural(unknown, 'line')} of the file ${are} of these stores`);
    context.exit(EXIT.partial);
  }
  return [...reports.values()];
}

/** Whether a vault has made this token; `false` if the text is not one of its tokens. */
async function hasToken(vault: RevealingVault, token: string): Promise<boolean> {
  try {
    return await vault.exists(token);
  } catch (error) {
    if (error instanceof TrefoilError && error.code === 'malformed_token') return false;
    throw error;
  }
}
