/// <reference types="node" />
/** `trefoil oversee verify`: verifies a log that somebody else keeps. */

import { type Command, Option } from 'commander';
import { fail, formatIssue, TrefoilError } from '../../../errors.ts';
import { inOrder } from '../../../log/verify/finding.ts';
import { Unread } from '../../../log/verify/unread.ts';
import {
  type LogPolicy,
  type LogSource,
  parseLogPolicy,
  type Seen,
  type Verification,
  verifyLog,
} from '../../../log.ts';
import { EXIT, exitCodeOf, UsageError } from '../../exit.ts';
import { type Context, fileOption, need, wordOption } from '../../options.ts';
import { refuseTwoDashes } from '../../outputs.ts';
import { askWith } from '../../oversee/asking.ts';
import { type BadCopies, badCopies, tellOfCopies } from '../../oversee/copies.ts';
import { type Copied, copied, hasKept, keptTiles } from '../../oversee/kept-tiles.ts';
import { readLogPolicy, vkeysOption } from '../../oversee/keys.ts';
import { logThere, refuseLogAsCopies, sourceOf, withCheckpoint } from '../../oversee/log-source.ts';
import { checkSeenPlace, readSeenFile, type SeenFile, writeSeenFile } from '../../oversee/seen-file.ts';
import { aheadText, isWitnessed, type Look, reasonOf, verdictJson, verdictLines } from '../../oversee/verdict.ts';
import { writeJsonLine, writeOut } from '../../stdout.ts';
import { count, helpText, plural, printable } from '../../voice.ts';

const HELP = `
LOG is the folder of the log, or its address on a web server. The first line of
the output is the verdict. If the log does not verify, the lines after it name
the first entry that is wrong, what has happened to it, and what to do. Entries
count from 0.

The file of --seen is what you have verified last. The first run makes it; later
runs read only what is new, and prove that the log has not signed anything else
in place of what is old. With --all, they also read all that is old, and find a
file that was damaged or deleted since. The file is replaced only if the log
verifies. Keep it where the operator of the log cannot write.

Every witness of the policy is asked for its own checkpoint, not only a quorum.

The exit code is 7 if the log does not verify. It is 9 if it does and a witness
does not answer, entries are of a kind that this version does not know, the time
of an entry is more than ten minutes ahead of the clock of this machine, the
copies of --keep cannot be made, or the newest entries are not cosigned by a
quorum and its last cosignature is older than 20 minutes. If an entry is still not cosigned 30 minutes after a run has
seen it, the log does not verify.

Examples:
  trefoil oversee verify https://log.example/2026 --log-policy policy.txt --seen seen.json
  trefoil oversee verify /mnt/log --log-key log.example/2026+3d1a…+Ab… --seen seen.json --json`;

interface VerifyOptions {
  readonly logPolicy?: string;
  readonly logKey?: readonly string[];
  readonly seen?: string;
  readonly all?: boolean;
  readonly keep?: string;
  readonly entries?: 'log-v1' | 'bytes';
  readonly witnesses: boolean;
  readonly json?: boolean;
}

export function addOverseeVerify(parent: Command, context: Context): void {
  parent
    .command('verify')
    .summary('verify a log, and what is new in it')
    .description('Verifies a log that somebody else keeps: that it has grown, and that nothing was changed.')
    .argument('<LOG>', 'folder of the log, or its address: http://… or https://…')
    .addOption(fileOption('--log-policy', 'keys of the log and of its witnesses (C2SP tlog-policy)'))
    .addOption(vkeysOption('--log-key', 'verifier key of a log that has no witnesses, instead of a policy'))
    .addOption(fileOption('--seen', 'file of what was verified last (required); the first run makes it'))
    .option('--all', 'also read the entries again that were verified before')
    .addOption(
      fileOption('--keep', 'folder for copies of the hash tiles, to name an entry that was signed anew', 'DIR'),
    )
    .addOption(wordOption('--entries', 'FORM', 'what the entries are (default: log-v1)', ['log-v1', 'bytes']))
    .addOption(new Option('--no-witnesses', 'do not ask the witnesses; the verdict then states that'))
    .option('--json', 'one JSON object, with the checkpoints that prove a finding')
    .addHelpText('after', helpText(HELP))
    .action((log: string, options: VerifyOptions) => verify(log, options, context));
}

async function verify(log: string, options: VerifyOptions, context: Context): Promise<void> {
  const seenFile = need(options.seen, '--seen');
  refuseTwoDashes('input', [
    ['--log-policy', options.logPolicy],
    ['--seen', seenFile],
  ]);
  if (seenFile === '-') throw new UsageError('--seen expected a file, because it is read and written');
  const policy = await policyOf(options);
  await checkSeenPlace(seenFile);
  if (options.keep !== undefined) await refuseLogAsCopies(options.keep, log);
  const before = await readSeenOf(policy, seenFile).catch((error: unknown) => unseen(error, log, options));
  const source = interruptible(
    await sourceOf(log).catch((error: unknown) => unread(error, log, options)),
    context.signal,
  );
  const there = before.seen === null ? logThere(source, log) : source;
  const copies = options.keep === undefined ? null : await copied(there, options.keep);
  try {
    const look = await lookAt(copies?.source ?? there, log, policy, before.seen, options, context).catch(
      (error: unknown) => unread(error, log, options),
    );
    await conclude(look, before, copies, options, context);
  } finally {
    await copies?.discard();
  }
}

/** Looks at the log. @throws what the source throws if nothing is proven. */
async function lookAt(
  source: LogSource,
  log: string,
  policy: LogPolicy,
  seen: Seen | null,
  options: VerifyOptions,
  { signal }: Context,
): Promise<Look> {
  const reasons = new Map<string, string>();
  const ask = options.witnesses ? askWith(reasons, signal) : null;
  const common = { policy, entries: options.entries ?? ('log-v1' as const), ask };
  const fresh = await verifyLog(source, {
    ...common,
    ...(seen === null ? {} : { seen }),
    ...(options.keep === undefined ? {} : { kept: keptTiles(options.keep), tiles: 'all' }),
  });
  // Without a checkpoint that the log has signed, there is nothing to read from the beginning.
  const { checkpoint } = fresh;
  const isAgain = options.all === true && seen !== null && checkpoint !== null;
  const found = isAgain
    ? await verifyLog(withCheckpoint(source, checkpoint), { ...common, patience: 0 }).then(
        (all) => withAll(fresh, all),
        (error: unknown) => proven(fresh, error),
      )
    : fresh;
  const before = seen?.size ?? null;
  const now = Math.floor(Date.now() / 1000);
  return {
    found,
    policy,
    place: log,
    before,
    isAll: before === null || isAgain,
    isAsked: options.witnesses,
    reasons,
    now,
  };
}

/** What a first verification has proven stays so if the second one cannot read the log. */
function proven(fresh: Verification, error: unknown): Verification {
  if (fresh.ok) throw error;
  return { ...fresh, unread: fresh.unread ?? new Unread(error).issue() };
}

/**
 * Writes the verdict, and then what was seen: an overseer who did not get the verdict looks again at the same. Nothing
 * that goes wrong with the output or with the copies takes the verdict away.
 */
async function conclude(
  look: Look,
  { seen, text }: SeenFile,
  copies: Copied | null,
  options: VerifyOptions,
  context: Context,
): Promise<void> {
  const { found } = look;
  const { voice, exit } = context;
  const seenFile = options.seen!;
  try {
    if (options.json === true) await writeJsonLine(verdictJson(look));
    else await writeOut(`${verdictLines(look).map(printable).join('\n')}\n`);
  } catch (error) {
    if (found.ok) throw error;
    voice.failure(error);
  }
  if (copies !== null) {
    // They are judged before new ones are put beside them.
    const bad = seen === null ? null : await copies.trying(() => judged(options, seen));
    if (found.seen !== null) await copies.keep();
    const isMade = (path: string): boolean => found.seen !== null && copies.failure() === null && copies.hasRead(path);
    if (bad !== null) tellOfCopies(bad, isMade, voice);
  }
  report(look, seenFile, context);
  const failure = copies?.failure() ?? null;
  if (failure !== null) {
    voice.warning(`the copies of --keep could not be read or made: ${formatIssue(failure.issues[0]!)}`);
    if (found.ok) exit(EXIT.partial);
  }
  if (found.seen === null) return;
  await writeSeenFile(seenFile, found.seen, text);
  if (seen === null) voice.note(`made ${seenFile}: this was the first look, and there was nothing to compare with`);
}

/** Reads the file of --seen, which must be of a log of the policy. @throws TrefoilError `seen_invalid`, `io_failed`. */
async function readSeenOf(policy: LogPolicy, path: string): Promise<SeenFile> {
  const file = await readSeenFile(path);
  if (file.seen !== null && !policy.logs.some(({ name }) => name === file.seen!.origin)) {
    fail('seen_invalid', OTHER_LOG, { file: path });
  }
  return file;
}

const OTHER_LOG =
  'the file is that of a log that the policy does not name; use the policy and the file of --seen that belong ' +
  'together';

/**
 * Writes the verdict on a file of --seen that is damaged or of another log: nothing is known of the log. It is the
 * overseer's own file, so nobody may take its damage for that of the log.
 */
async function unseen(error: unknown, place: string, { seen, json }: VerifyOptions): Promise<never> {
  if (!(error instanceof TrefoilError) || error.code !== 'seen_invalid') throw error;
  const { message } = error.issues[0]!;
  const what = message === OTHER_LOG ? 'of another log' : 'damaged';
  if (json === true) await writeJsonLine({ verified: null, place, seen: { file: seen, message }, findings: [] });
  else await writeOut(`${printable(`NOT KNOWN: the file ${seen} is ${what}, and ${place} was not read`)}\n`);
  throw error;
}

/** Writes the object of --json if the log could not be read, so that there is always one. */
async function unread(error: unknown, place: string, { json }: VerifyOptions): Promise<never> {
  if (json === true && error instanceof TrefoilError && exitCodeOf(error) === EXIT.io) {
    const { code, message } = error.issues[0]!;
    await writeJsonLine({ verified: null, place, error: { code, message }, findings: [] });
  }
  throw error;
}

/** The copies of --keep that are not those of the last look. */
function judged({ keep, all }: VerifyOptions, seen: Seen): Promise<BadCopies> {
  return badCopies(keptTiles(keep!), (path) => hasKept(keep!, path), seen, all === true);
}

/** What is new, verified after the last look, together with everything from the beginning, of the same checkpoint. */
function withAll(fresh: Verification, all: Verification): Verification {
  const known = new Set(fresh.findings.map(({ message }) => message));
  // What is new was verified with the memory of the last look, so it knows more of the witnesses.
  const more = all.findings.filter(({ word, message }) => word !== 'unwitnessed' && !known.has(message));
  const findings = inOrder([...fresh.findings, ...more]);
  const ok = findings.length === 0;
  const { checked, files, kinds, unknown, ahead } = all;
  const seen = ok ? fresh.seen : null;
  const unread = fresh.unread ?? all.unread;
  return { ...fresh, ok, findings, unread, seen, checked, files: files + fresh.files, kinds, unknown, ahead };
}

/** Messages about what the verdict leaves open, and the exit code. */
function report(look: Look, seenFile: string, { voice, exit }: Context): void {
  const { found, policy, before, isAsked } = look;
  const forks = policy.forks();
  if (isWitnessed(policy) && forks !== null) {
    voice.warning(
      `the quorum of the policy does not prevent forks: ${forks[0].join(' and ')} alone satisfy it, and so do ` +
        `${forks[1].join(' and ')}; anyone who checks a proof with this policy may be shown another log`,
    );
  }
  const ahead = aheadText(look);
  if (ahead !== null) voice.warning(ahead);
  if (!found.ok) {
    exit(EXIT.unverified);
    voice.note(before === null ? 'nothing was kept' : `${seenFile} is still that of the last look`);
    return;
  }
  if (ahead !== null) exit(EXIT.partial);
  // Witnesses that were not asked are no surprise, unless their cosignature is there and does not count.
  const silent = isAsked ? found.silent : found.mistimed.map(({ name }) => name);
  if (silent.length > 0) {
    const lines = silent.map((name) => `${name}: ${reasonOf(look, name)}`);
    voice.warning(
      `${plural(silent.length, 'witness').replace(/witnesss$/, 'witnesses')} of the policy said nothing`,
      lines,
    );
    exit(EXIT.partial);
  }
  if (found.late) {
    const open = found.size - found.witnessed;
    voice.warning(
      `the newest ${count(open)} of ${count(found.size)} entries are not cosigned by enough witnesses, and the last ` +
        'cosignature that counts is older than 20 minutes; ask the operator of the log and its witnesses',
    );
    exit(EXIT.partial);
  }
  if (found.unknown > 0) {
    voice.warning(`${count(found.unknown)} of the entries are of a kind that this version of trefoil does not know`);
    exit(EXIT.partial);
  }
}

async function policyOf({ logPolicy, logKey = [] }: VerifyOptions): Promise<LogPolicy> {
  if ((logPolicy === undefined) === (logKey.length === 0)) {
    throw new UsageError(
      'set either --log-policy FILE or --log-key VKEY',
      'a policy names the witnesses; without witnesses, nobody knows whether others see the same log',
    );
  }
  if (logPolicy === undefined) return parseLogPolicy(`${logKey.map((key) => `log ${key}\n`).join('')}quorum none\n`);
  const policy = await readLogPolicy(logPolicy);
  if (policy.logs.length === 0) throw new UsageError('the policy of --log-policy names no log');
  return policy;
}

/** A source that ends when the run is interrupted. */
function interruptible(source: LogSource, signal: AbortSignal): LogSource {
  return {
    async read(path, limit) {
      signal.throwIfAborted();
      return source.read(path, limit);
    },
  };
}
