/**
 * Opening a log for writing: its options, what was left by a crash, and a new log. What an open log does is in
 * sequencer.ts.
 */

import { badRange, badType, checkOneOf, checkOptions, typeName } from '../../core/checks.ts';
import { fail, TrefoilError } from '../../errors.ts';
import { emptyRoot } from '../../kernel/merkle.ts';
import { randomBytes } from '../../kernel/random.ts';
import type { Signer } from '../../note/signer.ts';
import { checkOf, verifierKey } from '../../note/verifier.ts';
import { readEntry } from '../entry/entry.ts';
import { parseBundle } from '../tree/bundle.ts';
import type { LogPolicy } from '../tree/policy.ts';
import { checkpointOf, makeCommitter } from './commit.ts';
import { JOURNAL_KEY, journalOf, MOST_JOURNAL, sizeInJournal } from './journal.ts';
import { findLog } from './recover.ts';
import { type Log, type LogEntries, makeLog } from './sequencer.ts';
import { checkedStore, isLogStore, type LogStore } from './store.ts';

/** Options of {@link openLog}. */
export interface OpenLogOptions {
  /** Signs the checkpoints. Its name is the origin of the log. */
  readonly signer: Signer;
  /** Makes a new log. It is needed once, and refused afterwards, so that no log is begun anew by mistake. */
  readonly create?: boolean | undefined;
  /** What `append` takes. Default: `log-v1`. */
  readonly entries?: LogEntries | undefined;
  /**
   * Who has to cosign the checkpoints, and where they are asked: a policy that `parseLogPolicy` has read. They are
   * asked when the log is opened, and after every group.
   */
  readonly witnesses?: LogPolicy | undefined;
  /** Asks the witnesses. Default: `fetch` of the runtime. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** The clock, in milliseconds since 1970. Default: `Date.now`. */
  readonly now?: (() => number) | undefined;
  /** Returns so many random bytes. Default: the generator of the system. */
  readonly random?: ((length: number) => Uint8Array) | undefined;
}

/**
 * Opens a log for writing. Only one writer can have it. After a crash, what was in the journal is written and signed
 * first.
 *
 * **Warning**: a log that is not witnessed by others can be rewritten by anyone who has its key and its disk. And
 * nothing that a log does shows what was never appended.
 *
 * @param store where the log is kept: `logFolder` of `trefoil/node`.
 * @throws TrefoilError `log_missing`, `log_exists`, `log_in_use`, `log_broken`; `log_rolled_back`, also if a witness
 *   has a larger checkpoint of this log; `log_forked`; `io_failed`.
 *
 * @example
 * ```ts
 * import { mkdtempSync } from 'node:fs';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * import { newNoteKey, noteSigner, openLog } from 'trefoil/log';
 * import { logFolder } from 'trefoil/node';
 *
 * const place = mkdtempSync(join(tmpdir(), 'log-'));
 * const store = logFolder(join(place, 'log'), { head: join(place, 'head') });
 * const signer = noteSigner(newNoteKey('log.example/2027').privateKey);
 * const log = await openLog(store, { signer, create: true });
 * const { index } = await log.append({ kind: 'start', host: 'gateway-1', boot: '00112233445566778899aabbccddeeff' });
 * index; // → 0
 * await log.close();
 * ```
 */
export async function openLog(store: LogStore, options: OpenLogOptions): Promise<Log> {
  if (!isLogStore(store)) badType('store', `expected a store, as logFolder makes it, got ${typeName(store)}`);
  const settings = settingsOf(options);
  const checked = checkedStore(store);
  await checked.open(settings.create);
  try {
    return await opened(checked, settings);
  } catch (error) {
    await checked.close();
    throw error;
  }
}

/** The options with their defaults. */
type Settings = {
  readonly [Name in keyof Omit<Required<OpenLogOptions>, 'witnesses'>]: NonNullable<OpenLogOptions[Name]>;
} & { readonly witnesses: LogPolicy | null };

function settingsOf(options: OpenLogOptions): Settings {
  const names = ['signer', 'create', 'entries', 'witnesses', 'fetch', 'now', 'random'];
  const given = checkOptions<OpenLogOptions>('options', options, names);
  const { signer, create = false, entries = 'log-v1', now = Date.now, random = randomBytes } = given;
  if (typeof signer !== 'object' || signer === null || typeof signer.sign !== 'function') {
    badType('signer', `expected a signer, as noteSigner makes it, got ${typeName(signer)}`);
  }
  if (typeof create !== 'boolean') badType('create', `expected true or false, got ${typeName(create)}`);
  checkOneOf<LogEntries>('entries', entries, ['log-v1', 'bytes']);
  const { witnesses = null, fetch = globalThis.fetch } = given;
  if (witnesses !== null && !isPolicy(witnesses)) {
    badType('witnesses', `expected a policy, as parseLogPolicy reads it, got ${typeName(witnesses)}`);
  }
  if (typeof fetch !== 'function') badType('fetch', `expected a function, got ${typeName(fetch)}`);
  if (typeof now !== 'function') badType('now', `expected a function, got ${typeName(now)}`);
  if (typeof random !== 'function') badType('random', `expected a function, got ${typeName(random)}`);
  return { signer, create, entries, witnesses, fetch, now, random };
}

function isPolicy(value: unknown): boolean {
  const { witnesses, satisfiedBy } = Object(value) as Partial<LogPolicy>;
  return (
    typeof satisfiedBy === 'function' &&
    Array.isArray(witnesses) &&
    witnesses.every((witness) => typeof witness?.name === 'string' && checkOf(witness.verifier) !== null)
  );
}

/** Opens the log of a store that is held. */
async function opened(store: LogStore, settings: Settings): Promise<Log> {
  const { signer, create, entries, witnesses: policy, fetch, now, random } = settings;
  const verifier = verifierKey(signer.verifierKey);
  if (verifier.name !== signer.name || verifier.algorithm !== 'ed25519') {
    badRange('signer', 'expected a signer of notes whose verifier key has its name');
  }
  if (create) await createLog(store, signer, random);
  const { tree, head, isBehind, last } = await findLog(store, verifier);
  const key = await store.journalKey(random);
  if (key.length !== JOURNAL_KEY) fail('log_broken', `the key of the journal does not have ${JOURNAL_KEY} bytes`);
  const journal = journalOf(key);
  const base = { origin: signer.name, size: tree.size(), root: tree.root() };
  const bytes = await store.readJournal(MOST_JOURNAL);
  if (bytes !== null && (sizeInJournal(bytes) ?? 0n) > BigInt(base.size)) {
    const message =
      'the journal is of a larger log than the head: an old head was restored; find the newest head, and do not ' +
      'remove the journal, which shows it';
    fail('log_rolled_back', message, { actual: base.size });
  }
  const left = bytes === null ? null : journal.read(base, bytes);
  await store.clearFrom(base.size, base.size + (left?.count ?? 0));
  const committer = makeCommitter(store, signer, tree, journal, head);
  let latest = last;
  if (left !== null) {
    latest = parseBundle(left.records, left.count).at(-1)!.slice();
    await committer.commitAgain({ ...left, openings: [] });
  } else if (isBehind) await store.publish(head);
  const recovery = { taken: left?.count ?? 0, published: isBehind };
  const time = entries === 'bytes' || latest === null ? 0 : timeOf(latest);
  return makeLog({ store, committer, entries, now, signer, recovery, time, policy, fetch, log: verifier });
}

/** Makes an empty log: the key of the journal, and the head. The checkpoint is published from the head. */
async function createLog(store: LogStore, signer: Signer, random: Settings['random']): Promise<void> {
  if ((await store.readHead()) !== null) fail('log_exists', 'there is a head already; open its log without `create`');
  if (!(await store.isEmpty())) {
    fail(
      'log_exists',
      'there are files of a log in the folder, and no head: it was lost, or the folder is a copy; find the head, or ' +
        'begin another log with another name in another folder',
    );
  }
  await store.journalKey(random);
  await store.writeHead(await checkpointOf(signer, { size: 0, root: emptyRoot() }));
}

/** The time of the last entry. A log of log-v1 whose last entry is of another form is not continued as one. */
function timeOf(entry: Uint8Array): number {
  try {
    return readEntry(entry).at;
  } catch (error) {
    if (!(error instanceof TrefoilError)) throw error;
    return fail('log_broken', 'the last entry of the log is not one of log-v1; open such a log with `entries: bytes`');
  }
}
