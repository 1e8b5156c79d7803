/// <reference types="node" />
/**
 * `trefoil vault …`: what is done to the store of a policy, and not to records. Subjects and tokens are read from standard
 * input, one a line: arguments are seen by every user of a machine.
 */

import { createInterface } from 'node:readline';
import type { Command } from 'commander';
import { TrefoilError } from '../errors.ts';
import { revealAccess } from '../reveal.ts';
import type { RevealingVault, VaultRule } from '../rule/vault.ts';
import { EXIT, UsageError } from './exit.ts';
import { keysOption, needKeys } from './key-source.ts';
import { type Context, fileOption, need } from './options.ts';
import { loadPolicy } from './policy-file.ts';
import { writeOut } from './stdout.ts';
import { openStores } from './vault-open.ts';
import { storeNames, vaultOption, vaultRules } from './vault-stores.ts';
import { EXIT_HELP, plural } from './voice.ts';

interface VaultOptions {
  readonly policy?: string;
  readonly keys?: string;
  readonly vault?: readonly string[];
}

interface Opened {
  readonly rule: VaultRule;
  readonly vault: RevealingVault;
}

/**
 * What a command does with the rules of the policy; it gives the lines of JSON to write. Those that destroy give each as soon
 * as it is done: what comes after may fail, and what was destroyed is known all the same.
 */
type Work = (all: readonly Opened[], context: Context) => Promise<readonly object[]> | AsyncIterable<object>;

/** One rule of each store: what is done to a whole store is done once. */
function stores(all: readonly Opened[]): readonly Opened[] {
  return all.filter(({ rule }, i) => all.findIndex((other) => other.rule.store === rule.store) === i);
}

async function* lines(): AsyncGenerator<string, void, undefined> {
  if (process.stdin.isTTY) throw new UsageError('say what on standard input, one a line');
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line !== '') yield line;
  }
}

/** Whether a vault gave a token out; what is none was not given out. */
async function isThere(vault: RevealingVault, token: string): Promise<boolean> {
  try {
    return await vault.exists(token);
  } catch (error) {
    if (error instanceof TrefoilError && error.code === 'malformed_token') return false;
    throw error;
  }
}

const WORK: Readonly<Record<string, readonly [summary: string, work: Work]>> = {
  stats: [
    'write sizes, and the keys that the rows are under',
    async (all) => Promise.all(stores(all).map(({ vault }) => vault.stats())),
  ],
  verify: [
    'open every row and hold the tables against each other',
    async (all, context) => {
      const out = await Promise.all(
        stores(all).map(async ({ rule, vault }) => ({ store: rule.store, ...(await vault.verify()) })),
      );
      const broken = out.reduce((sum, one) => sum + one.broken, 0);
      if (broken > 0) {
        context.voice.warning(`${plural(broken, 'row')} not as it must be`);
        context.exit(EXIT.unverified);
      }
      return out;
    },
  ],
  expire: [
    'remove what has expired',
    async (all) =>
      Promise.all(stores(all).map(async ({ rule, vault }) => ({ store: rule.store, removed: await vault.expire() }))),
  ],
  rekey: [
    "bring all rows under the primary key's outer layer, while others work",
    async (all, context) => {
      const out = await Promise.all(
        stores(all).map(async ({ rule, vault }) => ({ store: rule.store, ...(await vault.rekey()) })),
      );
      if (out.some(({ left }) => left > 0)) context.exit(EXIT.partial);
      return out;
    },
  ],
  forget: [
    'destroy the mappings of tokens, which are read from standard input',
    async function* (all, context) {
      let line = 0;
      for await (const token of lines()) {
        line++;
        let found = false;
        let forgotten = false;
        for (const { vault } of all) {
          if (!(await isThere(vault, token))) continue;
          found = true;
          forgotten = await vault.forget(token);
          break;
        }
        if (!found) context.exit(EXIT.partial);
        yield { line, found, forgotten };
      }
    },
  ],
  shred: [
    'destroy the keys of subjects, which are read from standard input; writes a certificate for each',
    async function* (all) {
      for await (const subject of lines()) {
        for (const { vault } of stores(all)) yield await vault.shred(subject);
      }
    },
  ],
};

/** What is read from standard input, line by line: a person's number does not belong into a command line. */
const READ: Readonly<Record<string, string>> = { forget: 'tokens', shred: 'subjects' };

/** One command of the group. */
export function addVault(name: string): (parent: Command, context: Context) => void {
  const [summary, work] = WORK[name]!;
  return (parent, context) => {
    parent
      .command(name)
      .allowExcessArguments(name in READ)
      .summary(summary)
      .description(`${summary[0]!.toUpperCase()}${summary.slice(1)}. One JSON object a line.`)
      .addOption(fileOption('--policy', 'policy file, YAML or JSON (required)'))
      .addOption(keysOption())
      .addOption(vaultOption())
      .addHelpText('after', EXIT_HELP)
      .action(async (options: VaultOptions, { args }: Command) => {
        if (args.length > 0) {
          const message = `${READ[name]} are read from standard input, one a line; others see what is in a command line`;
          throw new UsageError(message);
        }
        const { policy } = await loadPolicy(need(options.policy, '--policy'));
        const rules = vaultRules(policy);
        if (rules.length === 0) throw new UsageError('the policy has no vault rule');
        const { keyset } = await needKeys(options.keys, context.voice);
        const keys = keyset.domain(policy.domain!);
        const places = await openStores(storeNames(policy), options.vault ?? [], { create: false });
        const all: Opened[] = [];
        for (const rule of rules) all.push({ rule, vault: await rule.open(keys, places, revealAccess) });
        try {
          for await (const one of await work(all, context)) await writeOut(`${JSON.stringify(one)}\n`);
        } finally {
          for (const store of Object.values(places)) await store.close();
        }
      });
  };
}
