#!/usr/bin/env node
/// <reference types="node" />
/**
 * `trefoil`, the command line. This file has the table of commands, listens to signals and turns errors into exit
 * codes. Each command has a file of its own in `commands/`. Only `cli/` reads the environment and writes to standard
 * error.
 */

import { Command, CommanderError } from 'commander';
import { fail } from '../errors.ts';
import { packageVersion } from '../files/version.ts';
import { closeAll } from './at-end.ts';
import { EXIT, Interrupted, SIGNALS, UsageError } from './exit.ts';
import type { Context } from './options.ts';
import { helpText, makeVoice } from './voice.ts';

const HELP = `
Examples:
  trefoil keys new --out keys.json
  trefoil check --policy people.policy.yaml --input people.csv
  trefoil protect people.csv --policy people.policy.yaml --keys keys.json --out people.safe.csv
  trefoil reveal people.safe.csv --policy people.policy.yaml --keys keys.json --out people.back.csv`;

/** How long a run may clean up after a signal before the process exits, in milliseconds. */
const GRACE = 2000;

const voice = makeVoice((line) => process.stderr.write(line), process.env.TREFOIL_DEBUG === '1');
const abort = new AbortController();
let exitCode: number = EXIT.done;

type AddCommand = (parent: Command, context: Context) => void;

/**
 * The commands, in the order of the help. A process loads only the one that it runs: loading all takes three times as
 * long (measured), and engines such as Spark start a process for each of their tasks.
 */
const COMMANDS: Readonly<Record<string, () => Promise<AddCommand>>> = {
  'keys new': async () => (await import('./commands/keys/new.ts')).addKeysNew,
  'keys add': async () => (await import('./commands/keys/add.ts')).addKeysAdd,
  'keys promote': async () => (await import('./commands/keys/promote.ts')).addKeysPromote,
  'keys retire': async () => (await import('./commands/keys/retire.ts')).addKeysRetire,
  'keys narrow': async () => (await import('./commands/keys/narrow.ts')).addKeysNarrow,
  'keys inspect': async () => (await import('./commands/keys/inspect.ts')).addKeysInspect,
  'keys wrap': async () => (await import('./commands/keys/wrap.ts')).addKeysWrap,
  'keys unwrap': async () => (await import('./commands/keys/unwrap.ts')).addKeysUnwrap,
  'keys split': async () => (await import('./commands/keys/split.ts')).addKeysSplit,
  'keys combine': async () => (await import('./commands/keys/combine.ts')).addKeysCombine,
  'keys check-share': async () => (await import('./commands/keys/check-share.ts')).addKeysCheckShare,
  check: async () => (await import('./commands/check.ts')).addCheck,
  explain: async () => (await import('./commands/explain.ts')).addExplain,
  protect: async () => (await import('./commands/protect.ts')).addProtect,
  reveal: async () => (await import('./commands/reveal.ts')).addReveal,
  rekey: async () => (await import('./commands/rekey.ts')).addRekey,
  project: async () => (await import('./commands/project.ts')).addProject,
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
  'officer new': async () => (await import('./commands/officer/new.ts')).addOfficerNew,
  'warrant new': async () => (await import('./commands/warrant/new.ts')).addWarrantNew,
  'warrant show': async () => (await import('./commands/warrant/show.ts')).addWarrantShow,
  'warrant sign': async () => (await import('./commands/warrant/sign.ts')).addWarrantSign,
  'warrant refuse': async () => (await import('./commands/warrant/refuse.ts')).addWarrantRefuse,
  'log subject': async () => (await import('./commands/log/subject.ts')).addLogSubject,
  'charter check': async () => (await import('./commands/charter/check.ts')).addCharterCheck,
  'charter sign': async () => (await import('./commands/charter/sign.ts')).addCharterSign,
  'charter show': async () => (await import('./commands/charter/show.ts')).addCharterShow,
  gateway: async () => (await import('./commands/gateway.ts')).addGateway,
  'oversee verify': async () => (await import('./commands/oversee/verify.ts')).addOverseeVerify,
  'oversee report': async () => (await import('./commands/oversee/report.ts')).addOverseeReport,
  'oversee open': async () => (await import('./commands/oversee/open.ts')).addOverseeOpen,
  'oversee witness': async () => (await import('./commands/oversee/witness.ts')).addOverseeWitness,
  scan: async () => (await import('./commands/scan.ts')).addScan,
  inspect: async () => (await import('./commands/inspect.ts')).addInspect,
};

/** The groups of commands. */
const GROUPS: Readonly<Record<string, { readonly summary: string; readonly description: string }>> = {
  keys: {
    summary: 'make, inspect, rotate and seal key files',
    description: 'Makes, inspects, rotates and seals key files.',
  },
  log: {
    summary: 'tell a person who opened their record',
    description: 'Tells a person who opened their record, and why, from a log.',
  },
  officer: {
    summary: 'make keys that sign notes and checkpoints',
    description: 'Makes keys of people and services that sign notes, and of witnesses that sign checkpoints.',
  },
  charter: {
    summary: 'check, sign and show charters',
    description: 'Checks, signs and shows charters, which say who may turn something back.',
  },
  oversee: {
    summary: 'verify a log, report what it says, and run a witness',
    description: 'Verifies a log that somebody else keeps, reports what it says, and runs a witness of logs.',
  },
  rejects: { summary: 'open the records that a run rejected', description: 'Opens the records that a run rejected.' },
  warrant: {
    summary: 'ask, agree and refuse to open something',
    description: 'Asks to open something, shows what is asked, and agrees to it or refuses it.',
  },
  vault: {
    summary: 'manage the stores of vault rules',
    description: 'Manages the stores of the vault rules of a policy.',
  },
};

/** The program, with the command that the first argument names, or with all commands if it names none. */
async function makeProgram(argv: readonly string[], context: Context): Promise<Command> {
  const program = new Command('trefoil')
    // Commands inherit these two, so they come first.
    .exitOverride()
    .configureOutput({ outputError: () => {} })
    .description(
      'Replaces the personal fields of records by tokens or ciphertext. A policy file says what happens to each field.',
    )
    .version(packageVersion, '-V, --version', 'show the version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show the help of a command')
    .addHelpText('after', helpText(HELP));
  const [first = ''] = argv;
  const groups = new Map<string, Command>();
  for (const name of Object.hasOwn(COMMANDS, first) ? [first] : Object.keys(COMMANDS)) {
    const [group] = name.split(' ');
    if (group !== name && !groups.has(group!)) groups.set(group!, addGroup(program, group!));
    const add = await loadCommand(name);
    add(groups.get(group!) ?? program, context);
  }
  return program;
}

/**
 * Loads a command, and with it the packages that it needs.
 *
 * @throws TrefoilError `io_failed` if one of them is not installed, as after an installation that was cut short.
 */
async function loadCommand(name: string): ReturnType<(typeof COMMANDS)[string]> {
  try {
    return await COMMANDS[name]!();
  } catch (error) {
    const missing = error instanceof Error ? /^Cannot find package '([@\w./-]+)'/.exec(error.message)?.[1] : undefined;
    if (missing === undefined) throw error;
    return fail('io_failed', `the package ${missing}, which trefoil needs, is not installed; run npm install`);
  }
}

function addGroup(program: Command, name: string): Command {
  const { summary, description } = GROUPS[name]!;
  return program
    .command(name)
    .summary(summary)
    .description(description)
    .helpCommand('help [command]', 'show the help of a command')
    .addHelpText('after', helpText());
}

/** Commander's error as one of ours. It repeats a typed word only if the word looks like an option or a command. */
function usageOf(error: CommanderError): UsageError {
  const [, message = '', similar] = /^(?:error: )?(.*?)\.?(?:\n\(Did you mean (.*)\?\))?$/s.exec(error.message) ?? [];
  const hint = similar === undefined ? 'trefoil --help lists the commands and options' : `did you mean ${similar}?`;
  if (/^too many arguments for 'check'/.test(message)) {
    return new UsageError('check has no arguments', 'name the file whose records are tried with --input FILE');
  }
  if (message === "unknown option '-p'") return new UsageError('unknown option -p', 'did you mean --policy?');
  const [, kind, word = ''] = /^(unknown option|unknown command) '(.*)'$/s.exec(message) ?? [];
  if (kind === undefined) {
    return new UsageError(message.replace('. Expected', ': expected'), similar === undefined ? undefined : hint);
  }
  const name = word.replace(/=.*$/s, '');
  const problem = name === word ? kind : 'unknown option, or one that takes no value';
  return new UsageError(/^[a-z-]{1,24}$/i.test(name) ? `${problem} ${name}` : problem, hint);
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

/** Exits as soon as standard error has taken all lines. It does not wait for standard input, which may be open. */
function end(code: number): void {
  process.stderr.write('', () => process.exit(code));
}

for (const name of Object.keys(SIGNALS) as (keyof typeof SIGNALS)[]) {
  process.on(name, () => {
    // npm and shells send a signal twice. The second one must not stop the clean-up.
    if (abort.signal.aborted) return;
    const reason = new Interrupted(name);
    abort.abort(reason);
    setTimeout(() => process.exit(reason.exitCode), GRACE).unref();
  });
}
// If standard error is closed, there is nowhere left to report it.
process.stderr.on('error', () => {});
process.on('uncaughtException', (error) => end(voice.failure(error)));

end(await run(process.argv.slice(2)));
