#!/usr/bin/env node
/// <reference types="node" />
/**
 * `trefoil`: the command line. This file makes the program, listens to signals and turns what was thrown into an exit
 * code; each command has a file of its own. Only `cli/` reads the environment and writes to standard error.
 */

import { Command, CommanderError } from 'commander';
import { packageVersion } from '../files/version.ts';
import { closeAll } from './at-end.ts';
import { EXIT, Interrupted, SIGNALS, UsageError } from './exit.ts';
import type { Context } from './options.ts';
import { EXIT_HELP, makeVoice } from './voice.ts';

const HELP = `
Examples:
  trefoil keys new --out keys.json
  trefoil check --policy people.policy.yaml --input people.csv
  trefoil protect people.csv --policy people.policy.yaml --keys keys.json --out people.safe.csv
  trefoil reveal people.safe.csv --policy people.policy.yaml --keys keys.json --out people.back.csv`;

/** How long a run may take to clean up after a signal, in milliseconds. */
const GRACE = 2000;

const voice = makeVoice((line) => process.stderr.write(line), process.env.TREFOIL_DEBUG === '1');
const abort = new AbortController();
let exitCode: number = EXIT.done;

type Add = (parent: Command, context: Context) => void;

/**
 * The commands in the order of the help. A process loads the one that it runs: what all of them need takes three times
 * as long to load (measured), and engines start a process for each of their tasks.
 */
const COMMANDS: Readonly<Record<string, () => Promise<Add>>> = {
  'keys new': async () => (await import('./commands/keys/new.ts')).addKeysNew,
  'keys inspect': async () => (await import('./commands/keys/inspect.ts')).addKeysInspect,
  check: async () => (await import('./commands/check.ts')).addCheck,
  explain: async () => (await import('./commands/explain.ts')).addExplain,
  protect: async () => (await import('./commands/protect.ts')).addProtect,
  reveal: async () => (await import('./commands/reveal.ts')).addReveal,
  apply: async () => (await import('./commands/apply.ts')).addApply,
  'rejects open': async () => (await import('./commands/rejects/open.ts')).addRejectsOpen,
  'vault stats': async () => (await import('./commands/vault/stats.ts')).addVaultStats,
  'vault verify': async () => (await import('./commands/vault/verify.ts')).addVaultVerify,
  'vault forget': async () => (await import('./commands/vault/forget.ts')).addVaultForget,
  'vault shred': async () => (await import('./commands/vault/shred.ts')).addVaultShred,
  'vault check-certificate': async () =>
    (await import('./commands/vault/check-certificate.ts')).addVaultCheckCertificate,
  'vault expire': async () => (await import('./commands/vault/expire.ts')).addVaultExpire,
  'vault rekey': async () => (await import('./commands/vault/rekey.ts')).addVaultRekey,
  'vault export': async () => (await import('./commands/vault/export.ts')).addVaultExport,
  'vault import': async () => (await import('./commands/vault/import.ts')).addVaultImport,
  inspect: async () => (await import('./commands/inspect.ts')).addInspect,
};

/** Commands that hold others: summary and description. */
const GROUPS: Readonly<Record<string, readonly [string, string]>> = {
  keys: ['make and look at key files', 'Makes and looks at key files.'],
  rejects: ['read the records that a run rejected', 'Reads the records that a run rejected.'],
  vault: ['look after the store of a vault', 'Looks after the store of a policy with a vault rule.'],
};

/** The program with the command that is meant, or with all where that is not clear. */
async function makeProgram(argv: readonly string[], context: Context): Promise<Command> {
  const program = new Command('trefoil')
    // Before the commands are added: they inherit both.
    .exitOverride()
    .configureOutput({ outputError: () => {} })
    .description('Pseudonymises records: keyed tokens, format-preserving encryption and sealing under one policy.')
    .version(packageVersion, '-V, --version', 'write the version')
    .helpOption('-h, --help', 'write this help')
    .addHelpText('after', HELP + EXIT_HELP);
  const [first = ''] = argv;
  const meant = Object.keys(COMMANDS).filter((name) => name === first);
  const groups = new Map<string, Command>();
  for (const name of meant.length > 0 ? meant : Object.keys(COMMANDS)) {
    const [group] = name.split(' ');
    if (group !== name && !groups.has(group!)) groups.set(group!, addGroup(program, group!));
    const add = await COMMANDS[name]!();
    add(groups.get(group!) ?? program, context);
  }
  return program;
}

function addGroup(program: Command, name: string): Command {
  const [summary, description] = GROUPS[name]!;
  return program.command(name).summary(summary).description(description).addHelpText('after', EXIT_HELP);
}

/** Commander's error in our voice. What was typed is repeated only when it looks like an option or a command. */
function usageOf(error: CommanderError): UsageError {
  const [, said = '', similar] = /^(?:error: )?(.*?)\.?(?:\n\(Did you mean (.*)\?\))?$/s.exec(error.message) ?? [];
  const hint = similar === undefined ? 'trefoil --help lists the commands and options' : `did you mean ${similar}?`;
  const [, kind, word = ''] = /^(unknown option|unknown command) '(.*)'$/s.exec(said) ?? [];
  if (kind === undefined)
    return new UsageError(said.replace('. Expected', ': expected'), similar === undefined ? undefined : hint);
  const name = word.replace(/=.*$/s, '');
  const what = name === word ? kind : 'unknown option, or one that takes no value';
  return new UsageError(/^[a-z-]{1,24}$/i.test(name) ? `${what} ${name}` : what, hint);
}

async function run(argv: readonly string[]): Promise<number> {
  const context: Context = {
    signal: abort.signal,
    voice,
    exit: (code) => {
      exitCode = code;
    },
  };
  try {
    const program = await makeProgram(argv, context);
    await program.parseAsync(argv, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (abort.signal.aborted) return voice.failure(abort.signal.reason);
    if (!(error instanceof CommanderError)) return voice.failure(error);
    // Help and version are thrown as well. A command without its subcommand shows help on standard error: code 1.
    if (error.exitCode === 0) return EXIT.done;
    return error.code === 'commander.help' ? EXIT.usage : voice.failure(usageOf(error));
  } finally {
    await closeAll(voice);
  }
}

/** Ends the process once standard error has taken what was said. Standard input may still be open. */
function end(code: number): void {
  process.stderr.write('', () => process.exit(code));
}

for (const name of Object.keys(SIGNALS) as (keyof typeof SIGNALS)[]) {
  process.on(name, () => {
    // npm and shells send a signal twice; the second must not stop the cleaning up.
    if (abort.signal.aborted) return;
    const reason = new Interrupted(name);
    abort.abort(reason);
    setTimeout(() => process.exit(reason.exitCode), GRACE).unref();
  });
}
// Nobody listens any more: there is nothing left to say it to.
process.stderr.on('error', () => {});
process.on('uncaughtException', (error) => end(voice.failure(error)));

end(await run(process.argv.slice(2)));
