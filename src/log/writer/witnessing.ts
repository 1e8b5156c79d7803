/**
 * Asking the witnesses of a log for cosignatures, after its checkpoints are signed (https://c2sp.org/tlog-witness). It
 * works in the background: a witness that is down never undoes an append, and `cosigned` says what is missing.
 */

import { fail, TrefoilError } from '../../errors.ts';
import { MOST_NOTE_BYTES } from '../../note/note-text.ts';
import { openNote } from '../../note/open.ts';
import type { Verifier } from '../../note/verifier.ts';
import { parseCheckpoint } from '../tree/checkpoint.ts';
import { isPlausible } from '../tree/cosign-time.ts';
import type { LogPolicy, PolicyWitness } from '../tree/policy.ts';
import { checkConsistency, consistencyProof } from '../tree/proofs.ts';
import { CHECKPOINT_PATH, hashesOf, type LogSource } from '../tree/source.ts';
import { cosign } from '../witness/cosign.ts';
import type { WitnessCallOptions } from '../witness/exchange.ts';
import { latestOf, type WitnessedCheckpoint } from '../witness/latest.ts';
import type { Committer } from './commit.ts';
import { askAll, type Cosignatures, gatherCosignatures } from './cosignatures.ts';
import { type CosignedCheckpoint, makeWaiters, type Waiters } from './waiters.ts';

/** How long closing a log waits for cosignatures of its newest checkpoint, in milliseconds. */
const CLOSING = 5000;

/** The pauses before a witness is asked again while somebody waits, in milliseconds. The last one repeats. */
const PAUSES: readonly number[] = [100, 250, 500, 1000, 2500];

/** How witnesses are asked. */
export interface WitnessingParts {
  readonly policy: LogPolicy;
  /** The key of the log. */
  readonly log: Verifier;
  readonly source: LogSource;
  readonly committer: Committer;
  readonly fetch: typeof globalThis.fetch;
  /** The clock, in milliseconds since 1970. */
  readonly now: () => number;
  /** Called if a witness proves that the log was rolled back or forked: then nothing more must be signed. */
  readonly onProven: (error: TrefoilError) => void;
}

/** The witnesses of a log that is open. */
export interface Witnessing {
  /**
   * Compares the log with what each witness has seen last. Witnesses that do not answer are left for later. If the
   * published checkpoint lacks cosignatures, because the last process ended before they came, it asks for them.
   */
  readonly start: () => Promise<void>;
  /** Asks for cosignatures of the newest checkpoint, unless it is being done. It returns at once and never throws. */
  readonly ask: () => void;
  /** The newest checkpoint whose cosignatures satisfy the policy; `null` if there is none yet. */
  readonly latest: () => CosignedCheckpoint | null;
  /** Waits for such a checkpoint of at least this size. It fails at once if a witness has proven something. */
  readonly cosigned: (size: number, timeout: number) => Promise<string>;
  /** Gives the witnesses 5 seconds at most, if they are being asked. */
  readonly close: () => Promise<void>;
}

/** What is known of the witnesses, by their names. */
interface Memory {
  /** The size that each has seen last. */
  readonly seen: Map<string, number>;
  /** Why one has not cosigned: the code of an error, or what it is doing. */
  readonly missing: Map<string, string>;
}

/** Makes the witnesses of a log. */
export function witnessing(given: WitnessingParts): Witnessing {
  const { policy, committer, fetch } = given;
  const memory: Memory = { seen: new Map(), missing: new Map() };
  const waiters = makeWaiters(() => notCosigned(memory.missing));
  const parts = failing(given, waiters);
  const aborted = new AbortController();
  /** Ends the pauses between rounds, so that closing waits for requests alone. */
  const closing = new AbortController();
  const options = { fetch, signal: aborted.signal };
  let gathered: Cosignatures | null = null;
  let latest: CosignedCheckpoint | null = null;
  let running: Promise<void> | null = null;

  function take(cosigned: CosignedCheckpoint): void {
    // A slow witness must not replace a newer checkpoint.
    if (latest === null || cosigned.size > latest.size) latest = cosigned;
    waiters.settle(cosigned);
  }

  function adopt(found: WitnessedCheckpoint): void {
    if (isCosigned(found, parts)) take({ size: found.size, note: found.note });
  }

  /**
   * Asks the witnesses for the newest checkpoint, except those that have cosigned it in an earlier round. It is
   * published with its cosignatures as soon as the policy is satisfied, and again with those that come later.
   */
  async function round(): Promise<void> {
    const [checkpoint, size] = [committer.head(), committer.size()];
    if (gathered?.checkpoint !== checkpoint) gathered = gatherCosignatures(checkpoint, policy);
    const { isEnough, note } = gathered;
    const ask = (witness: PolicyWitness) => lineOf(witness, checkpoint, size, parts, memory, options, adopt);
    await askAll(gathered, policy, ask, () => {
      if (isEnough()) take({ size, note: note() });
      // If it cannot be published, it is all the same in the proofs, and the next group will find what is wrong.
      return committer.publishAgain(note(), size).catch(() => {});
    });
  }

  /** Rounds until the newest checkpoint was asked for once, or while somebody waits. */
  async function run(): Promise<void> {
    for (let tried = 0; !aborted.signal.aborted && waiters.failure() === null; tried++) {
      const size = committer.size();
      await round();
      if (committer.size() === size && (waiters.count() === 0 || closing.signal.aborted)) break;
      if ((latest?.size ?? -1) < size) await pause(PAUSES[Math.min(tried, PAUSES.length - 1)]!, closing.signal);
      else tried = -1;
    }
    running = null;
  }

  function ask(): void {
    if (policy.witnesses.length > 0 && waiters.failure() === null) running ??= run();
  }

  return {
    ask,
    latest: () => latest,
    async start() {
      await lookAll(parts, memory, options);
      if (committer.size() > 0) latest = await publishedBy(parts);
      if (committer.size() > 0 && latest === null) ask();
    },
    cosigned(size, timeout) {
      if (waiters.failure() === null && latest !== null && latest.size >= size) return Promise.resolve(latest.note);
      if (policy.witnesses.length === 0 && policy.satisfiedBy(new Set())) return Promise.resolve(committer.head());
      const waited = waiters.add(size, timeout);
      ask();
      return waited;
    },
    async close() {
      closing.abort();
      if (running !== null) await Promise.race([running, pause(CLOSING, aborted.signal)]);
      aborted.abort();
      waiters.end();
      await running;
    },
  };
}

/** The same parts. What a witness proves no other one can mend, so nobody waits for the others after it. */
function failing(parts: WitnessingParts, waiters: Waiters): WitnessingParts {
  return {
    ...parts,
    onProven(error) {
      parts.onProven(error);
      waiters.fail(error);
    },
  };
}

/**
 * Whether a checkpoint that a witness serves satisfies the policy. Somebody else may have handed it to the witness.
 * With its cosignatures taken, nobody can keep a busy log without cosignatures by being faster.
 */
function isCosigned({ note }: Pick<WitnessedCheckpoint, 'note'>, { log, policy, now }: WitnessingParts): boolean {
  const { signatures } = openNote(note, [log, ...policy.witnesses.map(({ verifier }) => verifier)]);
  const clock = now();
  const counting = signatures.filter(({ time }) => time !== null && isPlausible(time, clock));
  const keys = new Set(counting.map(({ verifier }) => verifier.text));
  const names = policy.witnesses.filter(({ verifier }) => keys.has(verifier.text)).map(({ name }) => name);
  return policy.satisfiedBy(new Set(names));
}

/**
 * The published checkpoint, if it is cosigned: opening has published the head, unless it was published already. One
 * with a broken cosignature is not, because it may have been changed.
 */
async function publishedBy(parts: WitnessingParts): Promise<CosignedCheckpoint | null> {
  const size = parts.committer.size();
  const bytes = await parts.source.read(CHECKPOINT_PATH, MOST_NOTE_BYTES);
  const note = bytes === null ? '' : new TextDecoder().decode(bytes);
  try {
    return isCosigned({ note }, parts) ? { size, note } : null;
  } catch (error) {
    if (error instanceof TrefoilError) return null;
    throw error;
  }
}

/** Compares the log with what each witness has seen last. @throws TrefoilError `log_rolled_back`, `log_forked`. */
async function lookAll(parts: WitnessingParts, { seen, missing }: Memory, options: WitnessCallOptions): Promise<void> {
  const looks = parts.policy.witnesses.map(async (witness) => {
    const known = await seenBy(witness, parts, options, (code) => missing.set(witness.name, code));
    if (known !== null) seen.set(witness.name, known.size);
  });
  await Promise.all(looks);
}

/** Asks one witness for its line. Returns `null`, and remembers why, if it has not cosigned. */
async function lineOf(
  witness: PolicyWitness,
  checkpoint: string,
  size: number,
  parts: WitnessingParts,
  { seen, missing }: Memory,
  options: WitnessCallOptions,
  adopt: (found: WitnessedCheckpoint) => void,
): Promise<string | null> {
  const { log, source, now } = parts;
  const { name } = witness;
  if (!missing.has(name)) missing.set(name, 'no answer yet');
  const proof = (from: number) => consistencyProof(hashesOf(source, size), from, size);
  try {
    const from = Math.min(seen.get(name) ?? 0, size);
    const { line, time } = await cosign(checkpoint, from, proof, witness, { ...options, log });
    seen.set(name, size);
    // Nobody who verifies a proof would count it.
    if (!isPlausible(time, now())) {
      missing.set(name, 'a time in the future');
      return null;
    }
    missing.delete(name);
    return line;
  } catch (error) {
    const code = error instanceof TrefoilError ? error.code : 'witness_unavailable';
    missing.set(name, code);
    if (code !== 'log_rolled_back' && code !== 'log_forked') return null;
  }
  // It is proven against the checkpoint that was asked for, which may be older than the log is now: checkpoints are
  // public, and anybody may hand the newest one to a witness. So the proof is tried again against the head.
  try {
    const found = await seenBy(witness, parts, options, (code) => missing.set(name, code));
    if (found === null) return null;
    seen.set(name, found.size);
    missing.set(name, 'witness_disagrees');
    adopt(found);
  } catch (error) {
    missing.set(name, error instanceof TrefoilError ? error.code : 'witness_unavailable');
    if (isProven(error)) parts.onProven(error);
  }
  return null;
}

function isProven(error: unknown): error is TrefoilError {
  return error instanceof TrefoilError && (error.code === 'log_rolled_back' || error.code === 'log_forked');
}

/**
 * What a witness has seen, compared with the head. It is proven, because the log has signed that checkpoint.
 * `null` if the witness has none or does not answer.
 *
 * @throws TrefoilError `log_rolled_back`, `log_forked`.
 */
async function seenBy(
  witness: PolicyWitness,
  { log, source, committer }: WitnessingParts,
  options: WitnessCallOptions,
  failed: (code: string) => void,
): Promise<WitnessedCheckpoint | null> {
  let found: WitnessedCheckpoint | null;
  try {
    found = await latestOf(witness, log, options);
  } catch (error) {
    failed(error instanceof TrefoilError ? error.code : 'witness_unavailable');
    return null;
  }
  if (found === null) return null;
  // Both now, because a group may be written while the proof is made.
  const [size, head] = [committer.size(), committer.head()];
  if (found.size > size) {
    const message =
      `the witness ${witness.name} has a checkpoint that this log has signed and that is larger: the log was ` +
      'restored from an old copy, or its end was deleted';
    fail('log_rolled_back', message, { expected: found.size, actual: size });
  }
  const proof = await consistencyProof(hashesOf(source, size), found.size, size);
  const { root } = parseCheckpoint(openNote(head, [log]).text);
  if (!checkConsistency(found.size, size, found.root, root, proof)) {
    fail('log_forked', `the witness ${witness.name} has cosigned another tree of this log, signed by its key`);
  }
  return found;
}

/** Waits so many milliseconds, or until the signal is aborted. */
function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener('abort', end);
  });
}

function notCosigned(missing: ReadonlyMap<string, string>): TrefoilError {
  const reasons = [...missing].map(([name, code]) => `${name} (${code})`).join(', ');
  const message = 'too few witnesses have cosigned the checkpoint in time; the entries are in the log all the same';
  return new TrefoilError([
    { code: 'witness_missing', message: reasons === '' ? message : `${message}; missing: ${reasons}` },
  ]);
}
