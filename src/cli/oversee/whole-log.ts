/// <reference types="node" />
/**
 * Reading a whole log for a report: verified as `oversee verify` verifies it, and its entries passed on. Nothing is
 * concluded from entries of a log that does not verify.
 */

import { fail, TrefoilError } from '../../errors.ts';
import { type Charter, openCharter } from '../../govern.ts';
import { MOST_BUNDLE_BYTES, parseBundle } from '../../log/tree/bundle.ts';
import { CHECKPOINT_PATH, readTileFile } from '../../log/tree/source.ts';
import { TILE_WIDTH, tileOf } from '../../log/tree/tiles.ts';
import { inOrder } from '../../log/verify/finding.ts';
import {
  type LogPolicy,
  type LogSource,
  parseCheckpoint,
  parseLogPolicy,
  parseNote,
  readEntry,
  type Seen,
  type Verification,
  type VisitEntry,
  verifyLog,
} from '../../log.ts';
import { MOST_NOTE_BYTES } from '../../note/note-text.ts';
import { EXIT } from '../exit.ts';
import { writeJsonLine, writeOut } from '../stdout.ts';
import { printable } from '../voice.ts';
import { askWith } from './asking.ts';
import { withCheckpoint } from './log-source.ts';
import { type Look, verdictJson, verdictLines } from './verdict.ts';

/** How many entries are looked at for the first charter. The writer of a log writes it before anything else. */
const MOST_BEFORE_CHARTER = 10 * TILE_WIDTH;

/** What a log is read with. */
export interface WholeLogOptions {
  /** The folder or address, for messages. */
  readonly place: string;
  /** Whom to trust; `null`: the keys and witnesses of the newest charter, which follows from the pinned one. */
  readonly policy: LogPolicy | null;
  /** SHA-256 of the text of the first charter; `null`: it is not pinned. */
  readonly firstCharter: string | null;
  /** What was seen at the last look; `null` if nothing. */
  readonly seen: Seen | null;
  /** Whether the witnesses are asked. */
  readonly isAsked: boolean;
  readonly signal: AbortSignal;
}

/** A log that was read. */
export interface WholeLog {
  readonly look: Look;
  /** The log as it was read: with the checkpoint that was verified. */
  readonly source: LogSource;
}

/** Begins a pass over the entries, under a checkpoint whose signature was not verified yet. */
export type BeginPass = (head: {
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
}) => VisitEntry;

/**
 * Verifies a log from its first entry on, and passes each entry on.
 *
 * @param begin is called once for each pass, before its first entry. Of several passes the last one counts.
 */
export async function readWholeLog(source: LogSource, options: WholeLogOptions, begin: BeginPass): Promise<WholeLog> {
  const { firstCharter, seen, isAsked, signal } = options;
  const reasons = new Map<string, string>();
  const ask = isAsked ? askWith(reasons, signal) : null;
  const policy = options.policy ?? (await policyOfCharters(source, firstCharter!));
  const common = { policy, ask };
  // As `oversee verify --all`: what is new, after the last look, and then everything under the same checkpoint.
  const fresh = seen === null ? null : await verifyLog(source, { ...common, seen });
  const fixed = fresh === null || fresh.checkpoint === null ? source : withCheckpoint(source, fresh.checkpoint);
  const all =
    fresh?.ok === false ? fresh : await verifyAll(fixed, { ...common, patience: fresh === null ? 5000 : 0 }, begin);
  const now = Math.floor(Date.now() / 1000);
  const found =
    fresh === null || fresh === all ? all : { ...all, findings: inOrder([...fresh.findings, ...all.findings]) };
  const before = seen?.size ?? null;
  const look = { found, policy, place: options.place, before, isAll: true, isAsked, reasons, now };
  return { look, source: found.checkpoint === null ? source : withCheckpoint(source, found.checkpoint) };
}

/**
 * Writes the verdict of a log that does not verify, in place of a report.
 *
 * @returns whether it verifies.
 */
export async function isVerified({ look }: WholeLog, isJson: boolean, exit: (code: number) => void): Promise<boolean> {
  if (look.found.ok) return true;
  if (isJson) await writeJsonLine(verdictJson(look));
  else await writeOut(`${verdictLines(look).map(printable).join('\n')}\n`);
  exit(EXIT.unverified);
  return false;
}

/** Verifies everything. The checkpoint that is read last is the one that is verified. */
async function verifyAll(
  source: LogSource,
  options: Pick<Parameters<typeof verifyLog>[1], 'policy' | 'ask' | 'patience'>,
  begin: BeginPass,
): Promise<Verification> {
  let checkpoint: Uint8Array | null = null;
  let visit: VisitEntry | null = null;
  const watched: LogSource = {
    async read(path, limit) {
      const bytes = await source.read(path, limit);
      if (path === CHECKPOINT_PATH) checkpoint = bytes;
      return bytes;
    },
  };
  const entry: VisitEntry = (index, bytes) => {
    visit ??= begin(parseCheckpoint(parseNote(checkpoint!).text));
    return visit(index, bytes);
  };
  return verifyLog(watched, { ...options, entry });
}

/**
 * The policy of the newest charter. The first charter is known by its digest, and each version is signed by keepers of
 * the one before, so nothing else of the log has to be trusted for it but that it has shown all of them.
 *
 * @throws TrefoilError `charter_invalid` if the pinned one is not the first of the log.
 */
export async function policyOfCharters(source: LogSource, sha256: string): Promise<LogPolicy> {
  let charter = await firstCharterOf(source, sha256);
  const own = parseLogPolicy(`log ${charter.log.text}\nquorum none\n`);
  const prefix = '{"trefoil":"log-v1","kind":"charter",';
  let isFirst = true;
  const entry: VisitEntry = (_, bytes) => {
    if (!startsWith(bytes, prefix)) return;
    try {
      const { event } = readEntry(bytes);
      if (event?.kind === 'charter' && !isFirst) charter = openCharter(event.note, { previous: charter });
    } catch (error) {
      // One that does not follow changes nothing, and the report names it.
      if (!(error instanceof TrefoilError)) throw error;
    }
    isFirst = false;
  };
  const { ok } = await verifyLog(source, { policy: own, ask: null, entries: 'bytes', tiles: 'edge', entry });
  // What is wrong is found again, and reported, under the policy.
  return ok ? charter.logPolicy : own;
}

/** The first charter of a log, which must be the one that is pinned. */
async function firstCharterOf(source: LogSource, sha256: string): Promise<Charter> {
  const bytes = await source.read(CHECKPOINT_PATH, MOST_NOTE_BYTES);
  const { size } = parseCheckpoint(parseNote(bytes ?? '').text);
  for (let first = 0; first < Math.min(size, MOST_BEFORE_CHARTER); first += TILE_WIDTH) {
    const { index, width } = tileOf(0, first, size);
    const file = await readTileFile(source, { level: 'entries', index, width }, () => MOST_BUNDLE_BYTES);
    if (file === null) fail('log_broken', 'a bundle of entries is missing; the log was cut, or a file was deleted');
    for (const entry of parseBundle(file.bytes, file.width)) {
      const { event } = readEntry(entry);
      if (event?.kind === 'charter') return openCharter(event.note, { sha256 });
    }
  }
  return fail('charter_invalid', 'the log does not begin with a charter; is it the log of a gateway?');
}

function startsWith(bytes: Uint8Array, text: string): boolean {
  if (bytes.length < text.length) return false;
  for (let i = 0; i < text.length; i++) if (bytes[i] !== text.charCodeAt(i)) return false;
  return true;
}
