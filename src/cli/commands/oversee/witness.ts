/// <reference types="node" />
/** `trefoil oversee witness`: runs a witness of logs (https://c2sp.org/tlog-witness). */

import { stat } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import { fail, TrefoilError } from '../../../errors.ts';
import { type WitnessFolder, witnessFolder } from '../../../files/log/witness-state.ts';
import { latestIn, MOST_REQUEST_BYTES, publicKeyOf } from '../../../log/witness/server.ts';
import { type Verifier, verifierKey, type WitnessEvent, witness } from '../../../log.ts';
import { UsageError } from '../../exit.ts';
import { type Context, fileOption, need, option } from '../../options.ts';
import { refuseTwoDashes } from '../../outputs.ts';
import { type DisputedKeeper, disputedKeeper } from '../../oversee/disputed.ts';
import { checkListen, type ListenPlace, listen, parseListen } from '../../oversee/http-server.ts';
import { readCosigner, readLogPolicy, vkeysOption } from '../../oversee/keys.ts';
import { writeOut } from '../../stdout.ts';
import { count, helpText, plural } from '../../voice.ts';

const HELP = `
The witness cosigns a checkpoint of a log only if it extends the last one that
it has cosigned. Any log that speaks C2SP tlog-witness can use it. It also
serves the last checkpoint of each log, for overseers.

When it listens, it writes one line to standard output: the line of this witness
for the policies of those who rely on it. SIGTERM or Ctrl-C ends it; requests that
have begun are answered, and the exit code is 0.

It speaks HTTP without TLS. What it sends is signed and public, so a proxy with
TLS is needed only to hide who asks.

Never restore the folder of --state from a backup: a witness that has forgotten
what it cosigned may cosign a second tree.

Examples:
  trefoil oversee witness --key ncc.key --log-policy policy.txt --state state --new --listen 127.0.0.1:7381
  trefoil oversee witness --key ncc.key --log log.example/2026+3d1a…+Ab… --state state --listen unix:/run/w.sock`;

interface WitnessOptions {
  readonly key?: string;
  readonly logPolicy?: string;
  readonly log?: readonly string[];
  readonly state?: string;
  readonly new?: boolean;
  readonly listen?: ListenPlace;
  readonly prefix?: string;
}

export function addOverseeWitness(parent: Command, context: Context): void {
  parent
    .command('witness')
    .summary('run a witness, which cosigns the checkpoints of logs')
    .description('Runs a witness: a server that cosigns the checkpoints of logs if they extend the last ones.')
    .addOption(fileOption('--key', 'private key of the witness, of the type cosignature/v1 (required)'))
    .addOption(fileOption('--log-policy', 'policy whose logs it cosigns (C2SP tlog-policy)'))
    .addOption(vkeysOption('--log', 'verifier key of a log that it cosigns, instead of a policy; may be repeated'))
    .addOption(fileOption('--state', 'folder in which it remembers what it has cosigned (required)', 'DIR'))
    .addOption(new Option('--new', 'make the folder of --state: once in the life of a witness'))
    .addOption(option('--listen', 'ADDRESS', 'HOST:PORT or unix:PATH (required); port 0 takes a free one', parseListen))
    .addOption(option('--prefix', 'PATH', 'path before /add-checkpoint, such as /witness (default: none)', parsePrefix))
    .addHelpText('after', helpText(HELP))
    .action((options: WitnessOptions) => serve(options, context));
}

function parsePrefix(text: string): string {
  if (/^(\/[A-Za-z0-9._~-]+)+$/.test(text)) return text;
  throw new UsageError('--prefix expected a path such as /witness, without a slash at its end');
}

async function serve(options: WitnessOptions, context: Context): Promise<void> {
  const { voice, signal } = context;
  const keyFile = need(options.key, '--key');
  const folder = need(options.state, '--state');
  const place = options.listen;
  if (place === undefined) throw new UsageError('--listen ADDRESS is required', 'for example --listen 127.0.0.1:7381');
  refuseTwoDashes('input', [
    ['--key', keyFile],
    ['--log-policy', options.logPolicy],
  ]);
  const logs = await logsOf(options);
  const signer = await readCosigner(keyFile, voice);
  const own = verifierKey(signer.verifierKey);
  if (logs.some((log) => publicKeyOf(log) === publicKeyOf(own))) {
    throw new UsageError('the key of --key is also that of a log, and a log cannot be its own witness');
  }
  await checkListen(place);
  const state = await stateIn(folder, signer.verifierKey, options.new === true);
  try {
    // A state that was damaged is an error now, and not with the first request.
    for (const { name } of logs) await latestIn(state, own, name);
    const { prefix = '' } = options;
    const keeper = disputedKeeper(folder);
    const report = (event: WitnessEvent): void => tell(event, keeper, context);
    const handle = witness({ signer, state, logs, prefix, report });
    const server = await listen(place, MOST_REQUEST_BYTES, handle).catch((error: unknown) => {
      // The corrected command must not have the option.
      if (options.new === true) voice.note(`the state is made in ${folder}: leave out --new from now on`);
      throw error;
    });
    try {
      const { verifierKey: text, name } = signer;
      const url = server.address.startsWith('unix:') ? '' : ` ${server.address}${prefix}`;
      await writeOut(`witness ${name} ${text}${url}\n`);
      voice.note(`listening on ${server.address} for ${plural(new Set(logs.map((log) => log.name)).size, 'log')}`);
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    } finally {
      await server.close();
      await keeper.idle();
    }
    voice.note('the witness has ended');
  } finally {
    await state.close();
  }
}

/** Opens the state. Its errors are for callers; here the option has another name. */
async function stateIn(folder: string, key: string, create: boolean): Promise<WitnessFolder> {
  try {
    return await witnessFolder(folder, { key, create });
  } catch (error) {
    if (!(error instanceof TrefoilError)) throw error;
    if (error.code === 'io_failed' && create && (await isFile(folder))) {
      return fail('output_exists', '--state names a file, and the state of a witness is a folder', { file: folder });
    }
    if (error.code !== 'witness_state_missing') throw error;
    return fail(
      'witness_state_missing',
      'there is no state of a witness; make it with --new, and only for a new witness, because one that has lost its ' +
        'state may cosign a second tree',
      { file: folder },
    );
  }
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => !stats.isDirectory(),
    () => false,
  );
}

async function logsOf({ logPolicy, log = [] }: WitnessOptions): Promise<readonly Verifier[]> {
  if ((logPolicy === undefined) === (log.length === 0)) {
    throw new UsageError(
      'set either --log-policy FILE or --log VKEY',
      'the witness cosigns the logs of the policy, or those whose verifier keys are named',
    );
  }
  if (logPolicy === undefined) return log.map(verifierKey);
  const { logs } = await readLogPolicy(logPolicy);
  if (logs.length === 0) throw new UsageError('the policy of --log-policy names no log');
  return logs;
}

/** Writes what happened, if it matters to the operator. Other clients may ask for anything, so refusals are silent. */
function tell(
  { status, origin, size, disputed, other, error }: WitnessEvent,
  keeper: DisputedKeeper,
  { voice }: Context,
): void {
  if (size !== null) voice.note(`cosigned ${count(size)} entries of ${origin}`);
  if (disputed !== null) {
    const what =
      other === null
        ? `refused a checkpoint of ${origin} that the log has signed and that does not extend the last one by the proof`
        : `${origin} was forked: the log has signed two checkpoints of one size, and the second one was refused`;
    keeper.keep({ origin: origin!, note: disputed, other }).then(
      (kept) => {
        // What is known was told already, and anybody can send it again.
        if (kept === 'full') voice.warning(`${what}; it is not kept, because too many are; move them away`);
        else if (kept !== 'known') voice.warning(`${what}; it is kept in ${kept.file}${compareWith(other)}`);
      },
      () => voice.warning(`${what}; it could not be kept`),
    );
  }
  if (status === 500) voice.failure(error);
}

function compareWith(other: string | null): string {
  return other === null
    ? ': compare it with a later one of the log, because it may be of a second tree'
    : ', and the first one beside it (.other): keep both, they are the proof';
}
