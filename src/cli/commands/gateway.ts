/// <reference types="node" />
/** `trefoil gateway`: the one process that has the keys, behind a charter and a log. */

import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { type Command, Option } from 'commander';
import { TrefoilError } from '../../errors.ts';
import { guard } from '../../files/system-error.ts';
import { MOST_BODY } from '../../gateway/wire/limits.ts';
import { gateway, recentRequests, requestSigner } from '../../gateway.ts';
import { openSequencer, type ProtectedPeople, parseCharter, parseProtected, type Sequencer } from '../../govern.ts';
import { type Log, noteSigner, openLog } from '../../log.ts';
import { logFolder } from '../../node.ts';
import { readNoteKeyFile } from '../custody/note-key.ts';
import { readShardKey } from '../custody/shard-key.ts';
import { UsageError } from '../exit.ts';
import { identityOption, type KeyOptions, keysOption, needKeys } from '../key-source.ts';
import { type Context, fileOption, nameOption, need, option } from '../options.ts';
import { checkListen, type ListenPlace, listen, parseListen } from '../oversee/http-server.ts';
import { writeOut } from '../stdout.ts';
import { vaultOption } from '../stores/places.ts';
import type { Voice } from '../voice.ts';
import { helpText } from '../voice.ts';
import { charterOption, charterPinOption, readNote } from '../warrants/files.ts';

const HELP = `
The gateway has the keys; desks and clients have none. Each request is signed
by a key of the charter, and each use is in the log and on the disk before
anything of it is opened. It does not stop the administrator of this machine.

When it listens, it writes its address to standard output. SIGTERM or Ctrl-C
ends it: requests that have begun are answered, and the exit code is 0.

An address that other machines reach needs TLS and certificates of its clients:
--tls-cert, --tls-key and --client-ca.

Examples:
  trefoil gateway --keys keys.json --charter charter.note --charter-sha256 5f2b… --log log --head head \\
      --log-key log.key --shard-key shard.key --answers-key answers.key --listen unix:/run/trefoil/gateway.sock
  trefoil gateway … --listen 127.0.0.1:7380 --new`;

interface GatewayCommandOptions extends KeyOptions {
  readonly charter?: string;
  readonly charterSha256?: string;
  readonly log?: string;
  readonly head?: string;
  readonly new?: boolean;
  readonly logKey?: string;
  readonly shardKey?: string;
  readonly answersKey?: string;
  readonly protected?: string;
  readonly vault?: readonly string[];
  readonly listen?: ListenPlace;
  readonly url?: string;
  readonly host?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly clientCa?: string;
}

/** How often denials are written, in milliseconds. */
const TICK = 60_000;

/** The header fields that the protocol reads. */
const HEADERS = ['content-digest', 'signature-input', 'signature'];

export function addGateway(parent: Command, context: Context): void {
  parent
    .command('gateway')
    .summary('run a gateway, which has the keys and logs every use')
    .description('Runs a gateway: it has the keys, and reveals only under a warrant and after it has logged the use.')
    .addOption(keysOption())
    .addOption(identityOption())
    .addOption(charterOption())
    .addOption(charterPinOption())
    .addOption(fileOption('--log', 'folder of the log (required)', 'DIR'))
    .addOption(fileOption('--head', 'newest checkpoint; not in the folder, and never from a backup (required)'))
    .addOption(new Option('--new', 'make the log: once in its life'))
    .addOption(fileOption('--log-key', 'private key of the log (required)'))
    .addOption(fileOption('--shard-key', 'key that people in the log are sealed with (required)'))
    .addOption(fileOption('--answers-key', 'private key that answers are signed with (required)'))
    .addOption(fileOption('--protected', 'list of people whose records need more signatures'))
    .addOption(vaultOption())
    .addOption(option('--listen', 'ADDRESS', 'HOST:PORT or unix:PATH (default: 127.0.0.1:7380)', parseListen))
    .addOption(option('--url', 'URL', 'address that desks use, if it is not that of --listen', String))
    .addOption(nameOption('--host', 'name of this writer in the log (default: that of the machine)'))
    .addOption(fileOption('--tls-cert', 'certificate of the gateway'))
    .addOption(fileOption('--tls-key', 'private key of that certificate'))
    .addOption(fileOption('--client-ca', 'certificates that those of the clients are signed with'))
    .addHelpText('after', helpText(HELP))
    .action((options: GatewayCommandOptions) => serve(options, context));
}

async function serve(options: GatewayCommandOptions, context: Context): Promise<void> {
  const { voice, signal } = context;
  const place = options.listen ?? { host: '127.0.0.1', port: 7380 };
  const tls = await tlsOf(options, place);
  const charterFile = need(options.charter, '--charter');
  const firstCharter = need(options.charterSha256, '--charter-sha256');
  const [folder, head] = [need(options.log, '--log'), need(options.head, '--head')];
  const [logKey, shardKey] = [need(options.logKey, '--log-key'), need(options.shardKey, '--shard-key')];
  const answersKey = need(options.answersKey, '--answers-key');
  await checkListen(place);
  const note = await readNote(charterFile);
  const charter = inFileOf(charterFile, () => parseCharter(note));
  const signer = inFileOf(logKey, noteSigner, await readNoteKeyFile(logKey, voice));
  const answers = inFileOf(answersKey, requestSigner, await readNoteKeyFile(answersKey, voice));
  const sealer = await readShardKey(shardKey, voice);
  const protectedPeople = await protectedIn(options.protected);
  const { keyset } = await needKeys(options, context);
  const keys = keyset.domain(charter.domain);
  const stores = await storesOf(options.vault ?? []);
  const witnesses = charter.isUnwitnessed ? {} : { witnesses: charter.logPolicy };
  const log = await openLog(logFolder(folder, { head }), { signer, create: options.new === true, ...witnesses });
  try {
    const seen = await recentRequests(log.entries(), Math.floor(Date.now() / 1000));
    const host = options.host ?? nameOfMachine();
    const sequencer = await openSequencer(log, { firstCharter, charter: note, sealer, host });
    let handle: (request: Request) => Promise<Response> = async () => new Response('starting\n', { status: 503 });
    const server = await listen(place, MOST_BODY, (request) => handle(request), {
      headers: HEADERS,
      ...(tls !== null && { tls }),
    });
    try {
      const url = options.url ?? ('path' in place ? 'http://localhost' : server.address);
      const report = (error: unknown): void => void voice.failure(error);
      const more = protectedPeople === null ? {} : { protectedPeople };
      handle = gateway({ keys, stores, sequencer, answers, url, seen, report, ...more });
      await writeOut(`${server.address}\n`);
      voice.note(`the gateway of ${charter.domain} listens on ${server.address}, and desks call it ${url}`);
      await untilEnd(sequencer, signal, voice);
    } finally {
      await server.close();
      await sequencer.close();
    }
    voice.note('the gateway has ended');
  } finally {
    await closeLog(log, voice);
  }
}

/** Waits for the signal that ends the gateway, and writes denials meanwhile. */
async function untilEnd(sequencer: Sequencer, signal: AbortSignal, voice: Voice): Promise<void> {
  // If the log has stopped, each request fails: a gateway that logs nothing more opens nothing more.
  const timer = setInterval(() => sequencer.tick().catch((error: unknown) => voice.failure(error)), TICK);
  try {
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  } finally {
    clearInterval(timer);
  }
}

async function closeLog(log: Log, voice: Voice): Promise<void> {
  try {
    await log.close();
  } catch (error) {
    voice.failure(error);
  }
}

/** Reads what belongs to TLS. Without it, the gateway listens to this machine alone. */
async function tlsOf({ tlsCert, tlsKey, clientCa }: GatewayCommandOptions, place: ListenPlace) {
  const given = [tlsCert, tlsKey, clientCa].filter((file) => file !== undefined).length;
  if (given !== 0 && given !== 3) {
    throw new UsageError('--tls-cert, --tls-key and --client-ca belong together', 'clients must have certificates');
  }
  if (given === 0) {
    if ('path' in place || ['127.0.0.1', '::1', 'localhost'].includes(place.host)) return null;
    throw new UsageError(
      'an address that other machines reach needs --tls-cert, --tls-key and --client-ca',
      'answers are signed and not encrypted; or listen on 127.0.0.1 or unix:PATH',
    );
  }
  if ('path' in place) throw new UsageError('--tls-cert cannot be combined with --listen unix:PATH');
  const [cert, key, ca] = await Promise.all(
    [tlsCert!, tlsKey!, clientCa!].map((file) => guard(file, readFile(file), 'cannot be read')),
  );
  return { cert: cert!, key: key!, ca: ca! };
}

async function protectedIn(file: string | undefined): Promise<ProtectedPeople | null> {
  if (file === undefined) return null;
  const bytes = await guard(file, readFile(file), 'cannot be read');
  return inFileOf(file, parseProtected, bytes);
}

/** Opens the stores that are named. The gateway has no policy: rules of requests name them. */
async function storesOf(places: readonly string[]) {
  if (places.length === 0) return {};
  const names = places.map((place) => /^([a-z0-9][a-z0-9._-]{0,63})=/.exec(place)?.[1] ?? noName());
  const { openStores } = await import('../stores/open.ts');
  return openStores(names, places, { create: false });
}

function noName(): never {
  throw new UsageError('--vault expected NAME=PLACE', 'a gateway has no policy that would name the only store');
}

/** The name of the machine as a name of the log. */
function nameOfMachine(): string {
  const name = hostname()
    .toLowerCase()
    .replace(/[^a-z0-9._-]/g, '-')
    .replace(/^[._-]+/, '')
    .slice(0, 64);
  return name === '' ? 'gateway' : name;
}

/** Reads something, and adds the file to its errors. */
function inFileOf<Given extends readonly unknown[], Result>(
  file: string,
  read: (...given: Given) => Result,
  ...given: Given
): Result {
  try {
    return read(...given);
  } catch (error) {
    if (!(error instanceof TrefoilError)) throw error;
    throw new TrefoilError(error.issues.map((issue) => ({ ...issue, file })));
  }
}
