/** Verifying a log: its signature, its tree, its entries, what was seen before, and what its witnesses have seen. */

import { equalBytes } from '../../core/bytes.ts';
import { badType, checkInteger, checkOneOf, checkOptions, typeName } from '../../core/checks.ts';
import { fail, type Issue } from '../../errors.ts';
import type { Cosigned, OpenedCheckpoint } from '../tree/open-checkpoint.ts';
import { checkPolicy, type LogPolicy } from '../tree/policy.ts';
import { rootOf } from '../tree/range.ts';
import { checkSource, type LogSource } from '../tree/source.ts';
import { type Compared, compareViews, unwitnessed, type Vouched, witnessedBy } from './compared.ts';
import { type EntryFormat, type EntryVisitor, entryVisitor, type TimedEntry, type VisitEntry } from './entries.ts';
import { caught, Fault, type Finding, finding, inOrder, within } from './finding.ts';
import { FORKED, type Head, provenBy, readHead } from './head.ts';
import { firstChange } from './kept.ts';
import { type CountedSource, counted } from './reading.ts';
import { changedRange, explainTree } from './rebuilt.ts';
import { type CheckedSeen, checkedSeen, type Seen, type SeenCosigned, seenOf } from './seen.ts';
import { type TrustedTiles, trustedTiles } from './trusted.ts';
import { isLate, isOverdue, openLooks } from './uncosigned.ts';
import { attempted, Unread } from './unread.ts';
import { walkTrusted } from './walk.ts';
import { type AskWitness, askByHttp, type WitnessView } from './witnesses.ts';

/** How long a log may need to show a checkpoint that a witness has, in milliseconds, if the caller does not say. */
const DEFAULT_PATIENCE = 5000;

const DEFAULT_TIMEOUT = 30_000;

/** Options of {@link verifyLog}. */
export interface VerifyOptions {
  /** Whom to trust: the keys of the log and of its witnesses. */
  readonly policy: LogPolicy;
  /** What the last verification returned as `seen`. Without it, all entries are verified. */
  readonly seen?: Seen;
  /** What entries are. Default: `log-v1`, so that each is read and its time checked; `bytes` for other logs. */
  readonly entries?: EntryFormat;
  /** Is called with each entry after it was verified. The bytes are a view, which is only valid during the call. */
  readonly entry?: VisitEntry;
  /**
   * Whether the full tiles of leaves are compared with the entries: `all`, or `edge` for none of them. Entries are
   * verified without them. Default: `all` from the beginning, `edge` after a last look.
   */
  readonly tiles?: 'all' | 'edge';
  /** An old copy of the log, for the exact entry if the log has changed what was seen before. */
  readonly kept?: LogSource;
  /** How a witness is asked. Default: by HTTP, at its address in the policy. `null` asks none. */
  readonly ask?: AskWitness | null;
  /** Another `fetch` for the witnesses. */
  readonly fetch?: typeof globalThis.fetch;
  /** Time limit for each witness in milliseconds. Default: 30,000. */
  readonly timeout?: number;
  /**
   * If a witness has a larger tree than the log shows, the checkpoint is read again after so many milliseconds, because
   * the log may be about to publish it. Default: 5,000.
   */
  readonly patience?: number;
  /** The clock, in milliseconds since 1970. Default: `Date.now`. */
  readonly now?: () => number;
}

/** The result of a verification. */
export interface Verification {
  /** Whether nothing wrong was found. Look at `silent` and `witnessed` as well. */
  readonly ok: boolean;
  /** The checkpoint with its signatures; `null` if there is none that the log has signed. */
  readonly checkpoint: string | null;
  readonly origin: string | null;
  /** How many entries the log has, by its checkpoint. */
  readonly size: number;
  /** How many entries were verified: all, or those after the last look. */
  readonly checked: number;
  /** How many files were asked for. */
  readonly files: number;
  /** What is wrong, the first entry first. */
  readonly findings: readonly Finding[];
  /**
   * Why the log could not be read to its end, if something was proven already; otherwise `null`. There may be more
   * findings then. If nothing is proven, it is thrown.
   */
  readonly unread: Issue | null;
  /** To keep for the next look; `null` unless `ok`. */
  readonly seen: Seen | null;
  /** How many of the verified entries there are of each kind, of the first 100 kinds. */
  readonly kinds: Readonly<Record<string, number>>;
  /** How many of the verified entries are of a kind or version that this version of trefoil does not know. */
  readonly unknown: number;
  /**
   * The first of the verified entries whose time is more than ten minutes ahead of the clock; `null` if there is none,
   * or if times were not read. It is no finding, because the clock may be wrong that is on this side. Times of a log
   * never fall, so the next entries have at least this time, and their times say nothing until the clock is there.
   */
  readonly ahead: TimedEntry | null;
  /** The witnesses whose cosigned tree the log contains. */
  readonly cosigned: readonly Vouched[];
  /**
   * The witnesses of the policy that did not answer with their own checkpoint when they were asked, whatever the
   * checkpoint of the log says of them: the log may leave an old cosignature on it. If none was asked, those whose
   * cosignature was not found. Also those in `mistimed`. Every witness of the policy is here, in `cosigned`, or named
   * by a finding; one that is here and in `cosigned` has cosigned and did not answer.
   */
  readonly silent: readonly string[];
  /**
   * The cosignatures that do not count, because their time is 0 or more than ten minutes ahead of the clock. Such a
   * time says nothing about when the witness has seen the log.
   */
  readonly mistimed: readonly Cosigned[];
  /** How many entries, from the first, a quorum of witnesses has cosigned. With `quorum none` all. */
  readonly witnessed: number;
  /**
   * The time of the cosignature that completes this quorum, in seconds since 1970; `null` if there is no quorum, or
   * with `quorum none`.
   */
  readonly witnessedAt: number | null;
  /** Whether entries after `witnessed` are not cosigned and `witnessedAt` is more than 20 minutes ago. */
  readonly late: boolean;
}

/**
 * Verifies a log, and names the first entry that is wrong. It needs the same memory for any size.
 *
 * From the beginning it reads every file. With `seen` it reads what is new: the entries since, and the right edge of
 * the tree, which shows that nothing was changed before; it does not read the older entries again, so a file that was
 * damaged since is only found by a verification from the beginning.
 *
 * Every witness of the policy is asked for its own checkpoint, not only a quorum: the log has to contain each of them.
 * A witness that does not answer is listed in `silent`. While it is silent, the log may show it other entries.
 *
 * The newest entries may not be cosigned yet. They are those from `witnessed` on. `late` says that the last cosignature
 * of a quorum is more than 20 minutes old. It is a finding if one of these entries was seen at a look more than 30
 * minutes ago, or if no cosignatures of a quorum are known. `seen` has those of the last look, so a witness that is
 * down for a moment makes neither.
 *
 * @param source where the log is read: `logAt`, a folder, or your own.
 * @returns what was found. Whatever is wrong with the log is in it, and is not thrown. What is proven is never lost: if
 *   the source fails afterwards, that is in `unread`.
 * @throws TrefoilError `log_unavailable`, `io_failed` or what else the source throws if nothing is proven and it is not
 *   known what the log has; `seen_invalid`. What `entry` throws passes through.
 * @throws TypeError, RangeError for wrong options.
 *
 * @example
 * ```ts
 * import {
 *   leafHash, newNoteKey, noteSigner, parseLogPolicy, bundleBytes, signNote, tilePath, verifyLog, writeCheckpoint,
 *   writeEntry,
 * } from 'trefoil/log';
 *
 * const key = newNoteKey('log.example');
 * const entry = writeEntry({ kind: 'beat' }, 1_796_126_400);
 * const text = writeCheckpoint({ origin: 'log.example', size: 1, root: leafHash(entry) });
 * const files = new Map([
 *   ['checkpoint', new TextEncoder().encode(await signNote(text, [noteSigner(key.privateKey)]))],
 *   [tilePath('entries', 0, 1), bundleBytes([entry])],
 *   [tilePath(0, 0, 1), leafHash(entry)],
 * ]);
 * const policy = parseLogPolicy(`log ${key.verifierKey}\nquorum none\n`);
 * const found = await verifyLog({ read: async (path) => files.get(path) ?? null }, { policy });
 * found.ok; // → true
 * found.kinds; // → { beat: 1 }
 * ```
 */
export async function verifyLog(source: LogSource, options: VerifyOptions): Promise<Verification> {
  const settings = checkedOptions(options);
  const log = counted(checkSource('source', source));
  try {
    return await verifyChecked(log, settings);
  } catch (error) {
    throw error instanceof Unread ? error.cause : error;
  }
}

/** @throws Unread if nothing is proven and it is not known what the log has. */
async function verifyChecked(log: CountedSource, settings: Settings): Promise<Verification> {
  const head = await caught(readHead(log, settings));
  if (head instanceof Fault) return unreadHead(head.finding, log);
  const { seen } = settings;
  // Read after the checkpoint and the witnesses: nothing in the log was made later.
  const now = settings.now();
  const visitor = entryVisitor(settings.entries, seen?.seen.at ?? null, settings.entry, now);
  const findings: Finding[] = [];
  const tree = await attempted(verifyTree(log, head, settings, visitor));
  if (tree instanceof Fault) findings.push(tree.finding);
  // The two checkpoints may prove it alone, whatever else is wrong or cannot be read.
  const bySeen = settings.seen === null ? null : provenBy(head, settings.seen);
  const isNamed = tree instanceof Fault && tree.finding.word === bySeen?.word;
  if (bySeen !== null && !isNamed) findings.unshift(bySeen);
  const wrongEntry = visitor.finding();
  if (wrongEntry !== null) findings.push(wrongEntry);
  const tiles = tree instanceof Error ? await tilesAgain(log, head.opened) : tree;
  const remembered = (await hasSeen(tiles, seen)) ? seen!.seen.cosigned : [];
  const compared = await compareViews(head, tiles, settings.policy, remembered, now);
  findings.push(...compared.findings);
  const { later } = head;
  if (later !== null) keepProofs(findings, later);
  const unread = firstUnread(later, tree, tiles, compared.unread);
  if (unread !== null && findings.length === 0) throw unread;
  const { cosigned, mistimed } = compared;
  const { origin, size } = head.opened;
  const witnessed = witnessedBy(cosigned, size, settings.policy);
  const isOpen = witnessed.witnessed < size;
  const isLong = witnessed.witnessedAt === null || isOverdue(seen?.seen.open ?? [], witnessed.witnessed, now);
  // If something could not be read, it is not known who has cosigned it.
  if (isOpen && isLong && unread === null && later === null) {
    findings.push(unwitnessed(witnessed, size, mistimed.length));
  }
  const ok = findings.length === 0;
  const kept = {
    cosigned: cosignedToKeep(cosigned, settings.policy),
    open: openLooks(seen?.seen.open ?? [], witnessed, size, now),
  };
  return Object.freeze({
    ok,
    checkpoint: head.note,
    origin,
    size,
    checked: visitor.checked(),
    files: log.count(),
    findings: Object.freeze(inOrder(findings)),
    unread: unread?.issue() ?? null,
    seen:
      ok && !(tiles instanceof Error)
        ? seenOf(head.opened, await tiles.edgeAt(size), visitor.at(), head.note, kept)
        : null,
    kinds: visitor.kinds(),
    unknown: visitor.unknown(),
    ahead: visitor.ahead(),
    cosigned,
    silent: silentOf(settings, head.views, compared),
    mistimed,
    ...witnessed,
    late: isLate(witnessed, size, now),
  });
}

/** Options that were checked. */
interface Settings {
  readonly policy: LogPolicy;
  readonly seen: CheckedSeen | null;
  readonly entries: EntryFormat;
  readonly entry: VisitEntry | undefined;
  readonly everyTile: boolean;
  readonly kept: CountedSource | null;
  readonly ask: AskWitness | null;
  readonly patience: number;
  readonly now: () => number;
}

const NAMES = ['policy', 'seen', 'entries', 'entry', 'tiles', 'kept', 'ask', 'fetch', 'timeout', 'patience', 'now'];

function checkedOptions(options: VerifyOptions): Settings {
  const { policy, seen, entries, entry, tiles, kept, ask, fetch, timeout, patience, now } = checkOptions<VerifyOptions>(
    'options',
    options,
    NAMES,
  );
  for (const [name, value] of Object.entries({ entry, ask: ask ?? undefined, fetch, now })) {
    if (value !== undefined && typeof value !== 'function') {
      badType(name, `expected a function, got ${typeName(value)}`);
    }
  }
  const before = seen === undefined ? null : checkedSeen(seen);
  if (before !== null && !checkPolicy(policy).logs.some(({ name }) => name === before.seen.origin)) {
    const message =
      'the record of the last look is of a log that the policy does not name; use those that belong together';
    fail('seen_invalid', message);
  }
  const limit = checkInteger('timeout', timeout ?? DEFAULT_TIMEOUT, 1, 2 ** 31 - 1);
  return {
    policy: checkPolicy(policy),
    seen: before,
    entries: checkOneOf('entries', entries ?? 'log-v1', ['log-v1', 'bytes']),
    entry,
    everyTile: checkOneOf('tiles', tiles ?? (before === null ? 'all' : 'edge'), ['all', 'edge']) === 'all',
    kept: kept === undefined ? null : counted(checkSource('kept', kept)),
    ask: ask === undefined ? askByHttp(fetch, limit) : ask,
    patience: checkInteger('patience', patience ?? DEFAULT_PATIENCE, 0, 2 ** 31 - 1),
    now: now ?? Date.now,
  };
}

function unreadHead(found: Finding, log: CountedSource): Verification {
  return Object.freeze({
    ok: false,
    checkpoint: null,
    origin: null,
    size: 0,
    checked: 0,
    files: log.count(),
    findings: Object.freeze([found]),
    unread: null,
    seen: null,
    kinds: {},
    unknown: 0,
    ahead: null,
    cosigned: [],
    silent: [],
    mistimed: [],
    witnessed: 0,
    witnessedAt: null,
    late: false,
  });
}

/**
 * Verifies the tree and the entries.
 *
 * @returns the verified tiles.
 * @throws Fault for the first thing that is wrong.
 */
async function verifyTree(
  log: LogSource,
  head: Head,
  { seen, everyTile, kept }: Settings,
  visitor: EntryVisitor,
): Promise<TrustedTiles> {
  const { opened, note } = head;
  const { size, root } = opened;
  const proven = seen === null ? null : provenBy(head, seen);
  if (proven?.word === 'rolled back') throw new Fault(proven);
  const tiles = await caught(trustedTiles(log, size, root));
  if (tiles instanceof Fault) return explainTree(log, opened, seen);
  const from = seen?.seen.size ?? 0;
  if (seen !== null) {
    // If a tile is wrong that the comparison needs, the entries below it tell which of its hashes.
    const now = await caught(tiles.edgeAt(from));
    if (now instanceof Fault) return explainTree(log, opened, seen);
    const range = changedRange(seen, now, from);
    if (range[0] < from) return forked(tiles, seen, range, kept, note);
  }
  await walkTrusted(log, tiles, from, everyTile, (bundle) => visitor.visit(bundle, from));
  return tiles;
}

/** Throws that the log has another tree than the one that was seen. An old copy tells the exact entry. */
async function forked(
  tiles: TrustedTiles,
  { seen, root }: CheckedSeen,
  range: readonly [from: number, to: number],
  kept: CountedSource | null,
  note: string,
): Promise<never> {
  const old = kept === null ? null : await attempted(trustedTiles(kept, seen.size, root));
  const exact = old === null || old instanceof Error ? old : await attempted(firstChange(old, tiles));
  const where = typeof exact === 'number' ? { entry: exact } : within(range);
  const proven = finding('forked', FORKED, { ...where, evidence: [seen.checkpoint, note] });
  throw new Fault(proven, exact instanceof Unread ? exact : undefined);
}

/**
 * Leaves of some findings those that signed checkpoints prove, because the checkpoint could not be read again: the
 * files may be of a newer one.
 */
function keepProofs(findings: Finding[], later: Fault | Unread): void {
  const proofs = findings.filter(({ code }) => code === 'log_forked' || code === 'log_rolled_back');
  findings.splice(0, findings.length, ...(later instanceof Fault ? [later.finding] : []), ...proofs);
}

/** What could not be read first. */
function firstUnread(...parts: readonly unknown[]): Unread | null {
  const all = parts.flatMap((part) => (part instanceof Fault ? [part.cause] : [part]));
  return all.find((part) => part instanceof Unread) ?? null;
}

/** The tiles for the comparison with the witnesses; what is wrong if the right edge of the tree is not good. */
async function tilesAgain(log: LogSource, { size, root }: OpenedCheckpoint): Promise<TrustedTiles | Fault | Unread> {
  return attempted(trustedTiles(log, size, root));
}

/** Whether a log has the tree of the last look. */
async function hasSeen(tiles: TrustedTiles | Fault | Unread, seen: CheckedSeen | null): Promise<boolean> {
  if (seen === null || tiles instanceof Error || tiles.size < seen.seen.size) return false;
  const edge = await attempted(tiles.edgeAt(seen.seen.size));
  return !(edge instanceof Error) && equalBytes(rootOf(edge), seen.root);
}

/** What the witnesses have cosigned, to remember it under their keys: names belong to a policy. */
function cosignedToKeep(cosigned: readonly Vouched[], { witnesses }: LogPolicy): readonly SeenCosigned[] {
  const keys = new Map(witnesses.map(({ name, verifier }) => [name, verifier.text]));
  return Object.freeze(cosigned.map(({ name, size, time }) => Object.freeze({ key: keys.get(name)!, size, time })));
}

/** The witnesses that were asked and did not answer, and those of which nothing else is known. */
function silentOf(
  { policy, ask }: Settings,
  views: readonly WitnessView[],
  { cosigned, findings }: Compared,
): string[] {
  const known = new Set([...cosigned.map(({ name }) => name), ...findings.map(({ witness }) => witness)]);
  const answered = new Set(views.map(({ name }) => name));
  const isSilent = (name: string): boolean => !known.has(name) || (ask !== null && !answered.has(name));
  return policy.witnesses.map(({ name }) => name).filter(isSilent);
}
