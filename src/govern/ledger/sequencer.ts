/**
 * The sequencer: the one place that writes to the log of a gateway. It decides and reserves in one step without
 * waiting, so a hundred requests at once cannot spend one budget twice; then it waits until the entry is on the disk
 * and, where the purpose demands it, until others have cosigned it. A use whose entry cannot be written is spent all
 * the same: nothing is given back, because it may be in the log.
 */

import { badType, checkInteger, checkName, checkOptions, typeName } from '../../core/checks.ts';
import { writeHex } from '../../core/hex.ts';
import { fail } from '../../errors.ts';
import { randomBytes } from '../../kernel/random.ts';
import { commitment, randomOf } from '../../log/entry/commitment.ts';
import { readEntry } from '../../log/entry/entry.ts';
import type { DoneEntry, LogEvent } from '../../log/entry/kinds.ts';
import type { SubjectSealer } from '../../log/entry/subjects.ts';
import { openCheckpoint } from '../../log/tree/open-checkpoint.ts';
import type { Appended } from '../../log/writer/group.ts';
import type { Log } from '../../log/writer/sequencer.ts';
import type { Charter } from '../charter/charter.ts';
import { openCharter } from '../charter/succession.ts';
import { digestHex } from '../warrant/fields.ts';
import { parseRatification } from '../warrant/ratification.ts';
import { parseRefusal } from '../warrant/refusal.ts';
import { checkTimeOf } from '../warrant/steps.ts';
import type { VerifiedWarrant } from '../warrant/verify.ts';
import { verifyClock, verifyRatification, verifyRefusal } from '../warrant/verify-statements.ts';
import { decideLease, decideUse, standing, type WantedLease, type WantedUse } from './decide.ts';
import { type Denials, makeDenials } from './denials.ts';
import { type Leases, makeLeases } from './leases.ts';
import { type GlassUse, type Ledger, newLedger, take, type WarrantAccount } from './ledger.ts';

/** How far the clock may be ahead of the log and of the witnesses, in seconds. */
export const MOST_JUMP = 600;

/** A `beat` is written if nothing was for so many seconds, so that there is one at least every ten minutes. */
const BEAT_SECONDS = 540;

/** How long cosignatures of a start, and of a use that needs them before, are waited for, in milliseconds. */
const COSIGN_WAIT = 60_000;

/** Options of {@link openSequencer}. */
export interface SequencerOptions {
  /** SHA-256 of the text of the first charter of the log, 64 hexadecimal digits: it is pinned. */
  readonly firstCharter: string;
  /** The note of a charter. It is logged if the log does not have it: the first one, or the next version. */
  readonly charter?: string | undefined;
  /** Seals and opens the pseudonyms of the shard. */
  readonly sealer: SubjectSealer;
  /** The name of this writer, as it is configured: for the entry `start`. */
  readonly host: string;
  /** The clock, in milliseconds since 1970. Default: `Date.now`. */
  readonly now?: (() => number) | undefined;
  /** Returns so many random bytes. Default: the generator of the system. */
  readonly random?: ((length: number) => Uint8Array) | undefined;
  /** How long cosignatures are waited for, in milliseconds. Default: a minute. */
  readonly patience?: number | undefined;
}

/** A use that somebody wants to make, with its details. */
export interface UseRequest extends WantedUse {
  /** Whether the values are known to belong to these people; else that is the requester's word. */
  readonly bound: boolean;
  /** SHA-256 of what the requester signed, 64 hexadecimal digits. */
  readonly request: string;
  /** What the entry commits to and does not show: tokens, rows, the desk's host. */
  readonly details: object;
}

/** A use that is in the log. Now it may be opened. */
export interface NotedUse {
  /** Index of its entry. */
  readonly index: number;
  /** The checkpoint that the entry is under. */
  readonly checkpoint: string;
  /** Writes what became of it. Call it once. */
  readonly done: (outcome: Pick<DoneEntry, 'opened' | 'failed' | 'refused'>) => Promise<void>;
}

/** What a gateway writes to its log. */
export interface Sequencer {
  /** The newest charter. */
  readonly charter: () => Charter;
  /** Logs the next version of the charter. From then on, warrants under the one before are void. */
  readonly changeCharter: (note: string) => Promise<Charter>;
  /** Logs a warrant, if it is new. @throws TrefoilError `id_taken`, `charter_outdated`, `warrant_refused`. */
  readonly admit: (verified: VerifiedWarrant) => Promise<void>;
  /** Verifies and logs a refusal, a ratification or a statement about the clock. */
  readonly refuse: (note: string) => Promise<void>;
  readonly ratify: (note: string) => Promise<void>;
  readonly setClock: (note: string) => Promise<void>;
  /**
   * Decides a use, writes it, and waits until it may be opened.
   *
   * @throws TrefoilError as `decideUse`; `clock_jumped`; `witness_missing`; what the log throws. Then nothing may be
   *   opened.
   */
  readonly use: (request: UseRequest) => Promise<NotedUse>;
  /** Spends values of a lease, or writes a new one and waits until it is on the disk. */
  readonly forward: (wanted: WantedLease) => Promise<void>;
  /** Counts a refused request. @param warrant SHA-256 of its warrant's text; it is written only if the log has it. */
  readonly deny: (code: string, warrant?: string) => void;
  /** Writes the denials so far, and a `beat` if nothing was written for nine minutes. Call it every minute. */
  readonly tick: () => Promise<void>;
  /** Writes what is left. The log stays open. */
  readonly close: () => Promise<void>;
}

/**
 * Opens the sequencer of a log: accounts for all its entries, writes the charter if it is new, and writes `start`.
 *
 * Nothing is opened before a quorum of witnesses has cosigned that entry, unless the charter has `quorum none`: a
 * state that was restored from a backup, or cloned to another machine, is found out first.
 *
 * @throws TrefoilError `charter_invalid`, `charter_unsigned`, `charter_outdated`; `log_broken`; what the log throws.
 *
 * @example
 * ```ts
 * import { mkdtempSync } from 'node:fs';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 * import { openSequencer, parseCharter } from 'trefoil/govern';
 * import { newNoteKey, noteSigner, openLog, signNote, subjectSealer } from 'trefoil/log';
 * import { logFolder } from 'trefoil/node';
 *
 * const [key, eva] = [newNoteKey('log.example'), newNoteKey('eva.example')];
 * const text =
 *   `trefoil charter v1\nversion 1\ndomain eu-enclave\nlog ${key.verifierKey}\nquorum none\n` +
 *   `officer eva keeper note ${eva.verifierKey}\nchange 1:keeper\n`;
 * const place = mkdtempSync(join(tmpdir(), 'gateway-'));
 * const store = logFolder(join(place, 'log'), { head: join(place, 'head') });
 * const log = await openLog(store, { signer: noteSigner(key.privateKey), create: true });
 * const sequencer = await openSequencer(log, {
 *   firstCharter: parseCharter(text).sha256, // pinned in the configuration
 *   charter: await signNote(text, [noteSigner(eva.privateKey)]),
 *   sealer: subjectSealer(crypto.getRandomValues(new Uint8Array(32))),
 *   host: 'gateway-1',
 * });
 * sequencer.charter().version; // → 1
 * await sequencer.close();
 * await log.close();
 * ```
 */
export async function openSequencer(log: Log, options: SequencerOptions): Promise<Sequencer> {
  if (['entries', 'append', 'cosigned'].some((verb) => typeof Object(log)[verb] !== 'function')) {
    badType('log', `expected what openLog returns, got ${typeName(log)}`);
  }
  const settings = settingsOf(options);
  const ledger = newLedger();
  const taking = { firstCharter: settings.firstCharter, open: settings.sealer.open };
  let index = 0;
  const entries: unknown = log.entries();
  if (typeof Object(entries)[Symbol.asyncIterator] !== 'function') badType('log', 'does not list its entries');
  for await (const bytes of entries as AsyncIterable<Uint8Array>) {
    const entry = readEntry(bytes);
    if (entry.event === null) fail('log_broken', `entry ${index} is of a newer version; use a newer trefoil`);
    placed(take(ledger, entry.event, { ...taking, at: entry.at }), index, bytes);
    index++;
  }
  const leases = makeLeases({
    decide: (wanted, wish) => decideLease(ledger, wanted, wish, timeOf(state)),
    write: async (event) => void (await write(state, event)),
    now: () => timeOf(state),
  });
  const denials = makeDenials((sha256) => ledger.warrants.has(sha256));
  const state: State = { log, ledger, settings, leases, denials, started: null, hasJumped: false, owed: [] };
  await begin(state);
  return faceOf(state);
}

/** The options with their defaults. */
type Settings = { readonly [Name in keyof SequencerOptions]-?: NonNullable<SequencerOptions[Name]> } & {
  readonly charter: string;
};

function settingsOf(options: SequencerOptions): Settings {
  const names = ['firstCharter', 'charter', 'sealer', 'host', 'now', 'random', 'patience'];
  const given = checkOptions<SequencerOptions>('options', options, names);
  const { firstCharter, charter = '', sealer, host, now = Date.now, random = randomBytes } = given;
  const { patience = COSIGN_WAIT } = given;
  if (typeof firstCharter !== 'string') badType('firstCharter', `expected text, got ${typeName(firstCharter)}`);
  if (typeof charter !== 'string') badType('charter', `expected a note as text, got ${typeName(charter)}`);
  if (typeof Object(sealer).seal !== 'function' || typeof Object(sealer).open !== 'function') {
    badType('sealer', `expected what subjectSealer returns, got ${typeName(sealer)}`);
  }
  checkName('host', host);
  if (typeof now !== 'function') badType('now', `expected a function, got ${typeName(now)}`);
  if (typeof random !== 'function') badType('random', `expected a function, got ${typeName(random)}`);
  checkInteger('patience', patience, 0, 86_400_000);
  return { firstCharter, charter, sealer, host, now, random, patience };
}

/** Fills in the place of a use of break-glass, which its ratification names. */
function placed(use: GlassUse | null, index: number, entry: Uint8Array): void {
  if (use === null) return;
  use.index = index;
  use.sha256 = digestHex(entry);
}

/** A sequencer at work. */
interface State {
  readonly log: Log;
  readonly ledger: Ledger;
  readonly settings: Settings;
  readonly leases: Leases;
  readonly denials: Denials;
  /** The size at the entry `start`, until witnesses have cosigned it; `null` also if the charter has none. */
  started: { readonly size: number; readonly jumped: boolean } | null;
  /** The clock was ahead of the log and of all cosignatures, and no keeper has spoken since. */
  hasJumped: boolean;
  /**
   * The sizes of the log that have to be cosigned, and until when, in seconds since 1970: both ascend. A size that has
   * no more time than a smaller one stands for that one, too.
   */
  readonly owed: { readonly size: number; readonly by: number }[];
}

/** The clock, in seconds since 1970. */
function clockOf({ settings }: State): number {
  return Math.floor(settings.now() / 1000);
}

/** The time of the next entry: it never falls. */
function timeOf(state: State): number {
  return Math.max(clockOf(state), state.ledger.last);
}

/** Writes an entry. The ledger has it before anything is waited for. */
async function write(state: State, event: LogEvent, opening?: string): Promise<Appended> {
  const { log, ledger, settings } = state;
  if (ledger.last > 0 && clockOf(state) > ledger.last + MOST_JUMP) state.hasJumped = true;
  const appending = log.append(event, { opening });
  const taking = { at: timeOf(state), firstCharter: settings.firstCharter, open: settings.sealer.open };
  const use = take(ledger, event, taking);
  const appended = await appending;
  placed(use, appended.index, appended.entry);
  return appended;
}

/** The charter, `start`, and what has to be known before the first use. */
async function begin(state: State): Promise<void> {
  const { log, ledger, settings } = state;
  const jumped = ledger.last > 0 && clockOf(state) > ledger.last + MOST_JUMP;
  if (ledger.charter === null || (settings.charter !== '' && isNext(settings.charter, ledger.charter))) {
    if (settings.charter === '') fail('charter_invalid', 'the log has no charter yet; pass its note');
    const { firstCharter: sha256 } = settings;
    // Opened before it is written, so that a wrong one is not in the log.
    openCharter(settings.charter, ledger.charter === null ? { sha256 } : { previous: ledger.charter });
    await write(state, { kind: 'charter', note: settings.charter });
  }
  const charter = ledger.charter!;
  if (charter.log.text !== log.verifierKey) {
    fail('charter_invalid', 'the key of the log is not the one that the charter names');
  }
  const boot = writeHex(randomOf(settings.random, 16));
  const { index } = await write(state, { kind: 'start', host: settings.host, boot });
  // Without witnesses nobody else knows the time, and the operator could set it anyway.
  state.hasJumped = false;
  if (!charter.isUnwitnessed) state.started = { size: index + 1, jumped };
}

/** Whether a charter is newer than the one that the log has. An older one, or the same, is not written again. */
function isNext(note: string, charter: Charter): boolean {
  return !note.startsWith(charter.text);
}

/**
 * Waits until a quorum of witnesses has cosigned the start.
 *
 * @throws TrefoilError `witness_missing`; then the next call asks again.
 */
async function checkStarted(state: State): Promise<void> {
  const { log, ledger, settings, started } = state;
  if (started === null) return;
  const { witnesses } = openCheckpoint(await log.cosigned(started.size, settings.patience), ledger.charter!.logPolicy);
  const latest = witnesses.reduce((most, one) => Math.max(most, one.time), 0);
  if (started.jumped && clockOf(state) > latest + MOST_JUMP) state.hasJumped = true;
  state.started = null;
}

/**
 * @throws TrefoilError `witness_missing` if a use that was opened at once was not cosigned in the time of its purpose.
 */
async function checkOwed(state: State): Promise<void> {
  const { log, owed } = state;
  while (owed.length > 0 && timeOf(state) > owed[0]!.by) {
    const due = owed[0]!;
    await log.cosigned(due.size, 0);
    // Another use may have taken it out meanwhile.
    if (owed[0] === due) owed.shift();
  }
}

/** Takes a use that was opened at once into account. */
function owe({ owed }: State, size: number, by: number): void {
  while (owed.length > 0 && owed.at(-1)!.by >= by) owed.pop();
  owed.push({ size, by });
}

/**
 * Refuses to open anything after a jump of the clock: budgets and windows would end or begin anew by it.
 *
 * @throws TrefoilError `clock_jumped`.
 */
function checkClock(state: State): void {
  if (clockOf(state) > state.ledger.last + MOST_JUMP) state.hasJumped = true;
  if (!state.hasJumped) return;
  fail('clock_jumped', 'the clock is over ten minutes ahead of the log; set it, or let keepers state that it is right');
}

/** What became of a use. */
type Outcome = Pick<DoneEntry, 'opened' | 'failed' | 'refused'>;

async function use(state: State, request: UseRequest): Promise<NotedUse> {
  const { warrant, scopes, people, bound, request: signed, details } = request;
  const { ledger, settings } = state;
  await checkStarted(state);
  await checkOwed(state);
  checkClock(state);
  const { kind, n, account } = decideUse(ledger, { warrant, scopes, people }, timeOf(state));
  const { commit, opening } = commitment(details, { random: settings.random });
  const subjects = people.map(settings.sealer.seal);
  const entry = { kind, warrant, n, scopes, subjects, bound, request: signed, commit } as const;
  const { index, checkpoint } = await write(state, entry, opening);
  const done = async (outcome: Outcome): Promise<void> => {
    await write(state, { kind: 'done', entry: index, ...outcome });
  };
  // `quorum none` is satisfied by nobody: then a charter has no witnesses to wait for.
  const witnessed = ledger.charter!.isUnwitnessed ? null : account.purpose.witnessed;
  if (witnessed === 'before') await cosignedBefore(state, index, request, done);
  else if (witnessed !== null) owe(state, index + 1, timeOf(state) + witnessed);
  return { index, checkpoint, done };
}

/** Waits for cosignatures, and looks once more at what may have changed meanwhile. */
async function cosignedBefore(state: State, index: number, request: UseRequest, done: NotedUse['done']): Promise<void> {
  try {
    await state.log.cosigned(index + 1, state.settings.patience);
    standing(state.ledger, request.warrant, timeOf(state));
  } catch (error) {
    const refused = Object.values(request.scopes).reduce((sum, count) => sum + count, 0);
    await done({ opened: 0, failed: 0, refused });
    throw error;
  }
}

async function admit(state: State, { warrant, sha256, note }: VerifiedWarrant): Promise<void> {
  const { ledger } = state;
  const owner = ledger.ids.get(warrant.id);
  if (owner !== undefined && owner !== sha256) fail('id_taken', 'the log has another warrant with this id; ask anew');
  if (owner === undefined) {
    if (warrant.charter.sha256 !== ledger.charter!.sha256) fail('charter_outdated', 'the charter has changed');
    // The time of the log may be ahead of the clock that the warrant was verified by.
    checkTimeOf(warrant, timeOf(state));
    await write(state, { kind: 'warrant', note });
  }
  standing(ledger, sha256, timeOf(state));
}

/** The account of the warrant that a note is about. */
function accountIn({ ledger }: State, sha256: string): WarrantAccount {
  const account = ledger.warrants.get(sha256);
  return account ?? fail('warrant_invalid', 'the log does not have the warrant that the note is about');
}

async function setClock(state: State, note: string): Promise<void> {
  const { statement, note: logged } = verifyClock(note, { charter: state.ledger.charter! });
  if (Math.abs(statement.at - clockOf(state)) > MOST_JUMP) {
    fail('clock_jumped', 'the time that the keepers state is not that of the clock');
  }
  if (statement.at <= state.ledger.clock) {
    fail('clock_jumped', 'the statement is not newer than the last one in the log');
  }
  await write(state, { kind: 'clock', note: logged });
  state.hasJumped = false;
}

async function writeDenials(state: State): Promise<void> {
  for (const event of state.denials.taken()) await write(state, event);
}

/** What others see of a sequencer. */
function faceOf(state: State): Sequencer {
  const { ledger } = state;
  return Object.freeze({
    charter: () => ledger.charter!,
    async changeCharter(note: string): Promise<Charter> {
      openCharter(note, { previous: ledger.charter! });
      await write(state, { kind: 'charter', note });
      return ledger.charter!;
    },
    admit: (verified: VerifiedWarrant) => admit(state, verified),
    async refuse(note: string): Promise<void> {
      const { warrant, isRefused } = accountIn(state, parseRefusal(note).warrant);
      const verified = verifyRefusal(note, { charter: ledger.charter!, warrant });
      // A refusal that is sent again changes nothing, and would only lengthen the log.
      if (isRefused) return;
      await write(state, { kind: 'refusal', note: verified.note });
    },
    async ratify(note: string): Promise<void> {
      const { warrant, glass } = accountIn(state, parseRatification(note).warrant);
      const verified = verifyRatification(note, { charter: ledger.charter!, warrant });
      const named = verified.ratification.uses.map(({ index, sha256 }) =>
        glass.find((use) => use.index === index && use.sha256 === sha256),
      );
      if (named.includes(undefined)) fail('warrant_invalid', 'the ratification names a use that the log does not have');
      if (named.every((use) => use!.isRatified)) return;
      await write(state, { kind: 'ratified', note: verified.note });
    },
    setClock: (note: string) => setClock(state, note),
    use: (request: UseRequest) => use(state, request),
    async forward(wanted: WantedLease): Promise<void> {
      await checkStarted(state);
      checkClock(state);
      await state.leases.spend(wanted);
    },
    deny: state.denials.count,
    async tick(): Promise<void> {
      await writeDenials(state);
      if (clockOf(state) >= ledger.last + BEAT_SECONDS) await write(state, { kind: 'beat' });
    },
    close: () => writeDenials(state),
  });
}
