/// <reference types="node" />
/**
 * `trefoil vault …`: what is done to the store of a policy, and not to records. Subjects and tokens are read from standard
 * input, one a line: arguments are seen by every user of a machine.
 */

import type { Command } from 'commander';
import { fail, TrefoilError } from '../../../errors.ts';
import { revealAccess } from '../../../reveal.ts';
import type { VaultRule } from '../../../rule/vault.ts';
import type { RevealingVault } from '../../../vault/open-vault.ts';
import { BODY_LENGTH, inspect } from '../../../wire/labelled-token.ts';
import { EXIT, UsageError } from '../../exit.ts';
import { keysOption, needKeys } from '../../key-source.ts';
import { type Line, linesOf, oddity, standardInput } from '../../lines.ts';
import { type Context, fileOption, need } from '../../options.ts';
import { loadPolicy } from '../../policy-file.ts';
import { writeOut } from '../../stdout.ts';
import { openStores } from '../../stores/open.ts';
import { storeNames, vaultOption, vaultRules } from '../../stores/places.ts';
import { EXIT_HELP, plural } from '../../voice.ts';

export interface VaultOptions {
  readonly policy?: string;
  readonly keys?: string;
  readonly vault?: readonly string[];
  readonly inAdvance?: true;
}

export interface Opened {
  readonly rule: VaultRule;
  readonly vault: RevealingVault;
}

/**
 * What a command does with the rules of the policy; it gives the lines of JSON to write. Those that destroy give each as soon
 * as it is done: what comes after may fail, and what was destroyed is known all the same.
 */
type Work = (
  all: readonly Opened[],
  context: Context,
  options: VaultOptions,
) => Promise<readonly object[]> | AsyncIterable<object>;

/** One rule of each store: what is done to a whole store is done once. */
function stores(all: readonly Opened[]): readonly Opened[] {
  return all.filter(({ rule }, i) => all.findIndex((other) => other.rule.store === rule.store) === i);
}

async function* lines({ signal, voice, exit }: Context, what: string): AsyncGenerator<Line, void, undefined> {
  let named = 0;
  let empty = 0;
  for await (const line of linesOf(standardInput(signal, what))) {
    if (line.text === '') {
      empty++;
      continue;
    }
    named++;
    yield line;
    // What was begun is finished and written; nothing else is begun.
    signal.throwIfAborted();
  }
  // A variable of a script that is not set is an empty line.
  if (empty > 0) {
    voice.warning(`${plural(empty, 'line')} of standard input empty: nothing was done for them`);
    exit(EXIT.partial);
  } else if (named === 0) {
    voice.warning(`standard input had no ${what}: nothing was done`);
  }
}

/**
 * Refuses a line that is no subject by its form, before anything is destroyed for it: of what nobody ever loaded, an
 * erasure could be certified that did not happen.
 *
 * @throws TrefoilError `malformed_subject`, with the number of the line.
 */
function checkSubject({ number: line, text }: Line): void {
  const odd = oddity(text);
  if (odd !== null) fail('malformed_subject', `${odd}, so it is not a subject as the data have it`, { line });
  const token = inspect(text);
  // A name of a system's own may look like a short token; its check characters fit once in 1,048,576.
  if (token !== null && (token.intact || token.body.length === BODY_LENGTH)) {
    fail('malformed_subject', 'the line is a token, and shred takes subjects; tokens are for forget', { line });
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
      for await (const { number: line, text: token } of lines(context, READ.forget!)) {
        const odd = oddity(token);
        if (odd !== null) fail('malformed_token', `${odd}, so it is not a token as it was written`, { line });
        let found = false;
        let forgotten = false;
        for (const { vault } of all) {
          if (!(await isThere(vault, token))) continue;
          found = true;
          forgotten = await vault.forget(token);
          break;
        }
        if (!found) context.exit(EXIT.partial);
        if (!found && inspect(token) === null) {
          context.voice.hint(`line ${line} is not a token; forget takes tokens, and shred takes subjects`);
        }
        yield { line, found, forgotten };
      }
    },
  ],
  shred: [
    'destroy the keys of subjects, which are read from standard input; writes a certificate for each',
    async function* (all, context, { inAdvance }) {
      const own = stores(all.filter(({ rule }) => rule.subject !== undefined));
      if (own.length === 0) throw new UsageError('no vault rule of the policy has a subject: take vault forget');
      for await (const line of lines(context, READ.shred!)) {
        checkSubject(line);
        for (const { rule, vault } of own) {
          const certificate = await vault.shred(line.text, inAdvance === undefined ? {} : { inAdvance });
          if (certificate !== null) {
            yield certificate;
            continue;
          }
          context.exit(EXIT.partial);
          yield { line: line.number, found: false, store: rule.store };
        }
      }
    },
  ],
};

/** What is read from standard input, line by line: a person's number does not belong into a command line. */
const READ: Readonly<Record<string, string>> = { forget: 'tokens', shred: 'subjects' };

/** Ends with the reason of the signal as soon as there is one. */
function untilAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

/** One command of the group. */
export function addVault(name: string): (parent: Command, context: Context) => void {
  const [summary, work] = WORK[name]!;
  return (parent, context) => {
    const command = parent
      .command(name)
      .allowExcessArguments(name in READ)
      .summary(summary)
      .description(`${summary[0]!.toUpperCase()}${summary.slice(1)}. One JSON object a line.`)
      .addOption(fileOption('--policy', 'policy file, YAML or JSON (required)'))
      .addOption(keysOption())
      .addOption(vaultOption());
    if (name === 'shred') command.option('--in-advance', 'also shred subjects that the store does not know');
    command.addHelpText('after', EXIT_HELP).action(async (options: VaultOptions, { args }: Command) => {
      if (args.length > 0) {
        const message = `${READ[name]} are read from standard input, one a line; others see what is in a command line`;
        throw new UsageError(message);
      }
      await withVaults(options, context, async (all) => {
        const done = work(all, context, options);
        const out = done instanceof Promise ? await untilAborted(context.signal, done) : done;
        for await (const one of out) await writeOut(`${JSON.stringify(one)}\n`);
      });
    });
  };
}

/** Opens the stores of a policy for a command. */
export async function withVaults(
  options: VaultOptions,
  { voice }: Context,
  work: (all: readonly Opened[]) => Promise<void>,
): Promise<void> {
  const { policy } = await loadPolicy(need(options.policy, '--policy'));
  const rules = vaultRules(policy);
  if (rules.length === 0) throw new UsageError('the policy has no vault rule');
  const { keyset } = await needKeys(options.keys, voice);
  const keys = keyset.domain(policy.domain!);
  const places = await openStores(storeNames(policy), options.vault ?? [], { create: false });
  const all: Opened[] = [];
  for (const rule of rules) all.push({ rule, vault: await rule.open(keys, places, revealAccess) });
  await work(all);
}
