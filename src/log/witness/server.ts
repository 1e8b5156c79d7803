/**
 * A witness: the server of https://c2sp.org/tlog-witness as a function from requests to responses, for any runtime. It
 * cosigns a checkpoint of a log only if it extends the one that it cosigned before. So a log that has shown one tree to
 * this witness cannot show another to somebody else who asks for its cosignature.
 *
 * `sign-subtree`, which is optional, does not exist here: cosignatures of Ed25519 have no subtrees.
 */

import { equalBytes } from '../../core/bytes.ts';
import { badRange, badType, checkOptions, typeName } from '../../core/checks.ts';
import { fail } from '../../errors.ts';
import { emptyRoot } from '../../kernel/merkle.ts';
import { openNote } from '../../note/open.ts';
import { parseNote } from '../../note/parse.ts';
import { signNote } from '../../note/sign.ts';
import type { Signer } from '../../note/signer.ts';
import { checkOf, type Verifier, verifierKey } from '../../note/verifier.ts';
import { type Checkpoint, parseCheckpoint } from '../tree/checkpoint.ts';
import { checkConsistency } from '../tree/proofs.ts';
import { readText, Unreadable } from './exchange.ts';
import { checkpointOf, checkpointPath, orNull } from './latest.ts';
import { type AddCheckpoint, readRequest } from './request.ts';
import type { WitnessState } from './state.ts';

/** The most bytes of a request: 63 hashes, and a checkpoint with many signatures. */
export const MOST_REQUEST_BYTES = 131_072;

/** The beginning of a checkpoint of size 0. */
const EMPTY_TREE = /^[^\n]+\n0\n[A-Za-z0-9+/]{43}=\n/;

/** How a request ended, for a log of the operator. It has no text of the client. */
export interface WitnessEvent {
  /** The HTTP status of the response. */
  readonly status: number;
  /** The origin of the log; `null` if the request names none that the witness knows. */
  readonly origin: string | null;
  /** How many entries the log has now, if its checkpoint was cosigned; else `null`. */
  readonly size: number | null;
  /**
   * The checkpoint, signed by the log, that does not extend the last one by the proof of the client (status 422); else
   * `null`, also if it has size and root of the last one. If it is larger, the proof alone may be wrong: it proves
   * nothing, and anybody can send it.
   */
  readonly disputed: string | null;
  /**
   * The checkpoint that was cosigned last, if it has the size of `disputed`; else `null`. The two prove that the log
   * has signed two trees.
   */
  readonly other: string | null;
  /** The error, if the witness itself has failed (status 500), such as one of its disk. */
  readonly error?: unknown;
}

/** Options of {@link witness}. */
export interface WitnessOptions {
  /** The key of the witness, from `cosigner`. */
  readonly signer: Signer;
  /** Where the witness remembers what it has cosigned. */
  readonly state: WitnessState;
  /** The keys of the logs that it cosigns. The name of a key is the origin of its log; a log may have several keys. */
  readonly logs: readonly Verifier[];
  /** The path before `/add-checkpoint`, such as `/witness`. Default: none. */
  readonly prefix?: string;
  /** Is told how each request ended. */
  readonly report?: (event: WitnessEvent) => void;
}

/** What a request is answered with. */
interface Reply {
  readonly status: number;
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly size?: number;
  readonly disputed?: string;
  readonly other?: string;
}

/** The request cannot be granted. Its message goes to the client, and never quotes the request. */
class Refusal extends Error {
  readonly reply: Reply;

  constructor(status: number, text: string, headers?: Readonly<Record<string, string>>) {
    super(text);
    this.reply = { status, text: `${text}\n`, ...(headers === undefined ? {} : { headers }) };
  }
}

/** What a witness knows of one log. */
interface KnownLog {
  readonly origin: string;
  readonly verifiers: Verifier[];
  /** Ends when the last request for this log has ended. Requests for one log are answered one after the other. */
  turn: Promise<unknown>;
}

/**
 * Makes a witness. It answers `POST PREFIX/add-checkpoint` and `GET PREFIX/ORIGIN-HASH/checkpoint`.
 *
 * Comparing with the state, verifying the proof, signing and keeping the new checkpoint are one step for each log: a
 * second request waits until the first has ended. The cosignature leaves only after `state.replace` has resolved, so a
 * process that is killed has never given out a cosignature which it does not remember.
 *
 * @throws TypeError, RangeError for options that do not fit: a signer that does not cosign, no log, a log whose key is
 *   one for cosignatures or that of the witness.
 *
 * @example
 * ```ts
 * import { cosigner, newNoteKey, verifierKey, witness, witnessMemory } from 'trefoil/log';
 *
 * const signer = cosigner(newNoteKey('witness.example', { algorithm: 'cosignature/v1' }).privateKey);
 * const log = verifierKey('example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k');
 * const handle = witness({ signer, state: witnessMemory(), logs: [log] });
 * (await handle(new Request('http://127.0.0.1/add-checkpoint'))).status; // → 405
 * ```
 */
export function witness(options: WitnessOptions): (request: Request) => Promise<Response> {
  const { signer, state, logs, prefix, report } = checkWitness(options);
  const known = new Map<string, KnownLog>();
  for (const verifier of logs) {
    const log = known.get(verifier.name) ?? { origin: verifier.name, verifiers: [], turn: Promise.resolve() };
    log.verifiers.push(verifier);
    known.set(log.origin, log);
  }
  const paths = new Map([...known.values()].map((log) => [`${prefix}${checkpointPath(log.origin)}`, log]));
  const desk: Desk = { signer, state, own: verifierKey(signer.verifierKey), known, paths, prefix };

  return async (request) => {
    const { reply, log, error } = await answer(desk, request);
    const { status, text, headers, size = null, disputed = null, other = null } = reply;
    const origin = log?.origin ?? null;
    report?.({ status, origin, size, disputed, other, ...(error === undefined ? {} : { error }) });
    const always = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' };
    return new Response(request.method === 'HEAD' ? null : text, { status, headers: { ...always, ...headers } });
  };
}

/** What all requests of one witness share. */
interface Desk {
  readonly signer: Signer;
  readonly state: WitnessState;
  /** The key of the witness. */
  readonly own: Verifier;
  /** The logs by their origin, and by the path of their checkpoint. */
  readonly known: ReadonlyMap<string, KnownLog>;
  readonly paths: ReadonlyMap<string, KnownLog>;
  readonly prefix: string;
}

/** The reply to a request, the log that it is about, and what made the witness fail. */
interface Answered {
  readonly reply: Reply;
  readonly log: KnownLog | null;
  readonly error?: unknown;
}

async function answer(desk: Desk, request: Request): Promise<Answered> {
  const { pathname } = new URL(request.url);
  const isAdd = pathname === `${desk.prefix}/add-checkpoint`;
  const found: { log: KnownLog | null } = { log: isAdd ? null : (desk.paths.get(pathname) ?? null) };
  try {
    const reply = isAdd ? await addCheckpoint(desk, request, found) : await serveLatest(desk, request, found.log);
    return { reply, log: found.log };
  } catch (error) {
    if (error instanceof Refusal) return { reply: error.reply, log: found.log };
    return { reply: { status: 500, text: 'the witness has failed\n' }, log: found.log, error };
  }
}

/** `GET PREFIX/ORIGIN-HASH/checkpoint`. */
async function serveLatest({ state, own }: Desk, request: Request, log: KnownLog | null): Promise<Reply> {
  if (log === null) throw new Refusal(404, 'there is nothing here');
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    throw new Refusal(405, 'expected GET', { allow: 'GET, HEAD' });
  }
  const last = await latestIn(state, own, log.origin);
  if (last === null) throw new Refusal(404, 'no checkpoint of this log was cosigned yet');
  return { status: 200, text: last.note };
}

/** `POST PREFIX/add-checkpoint`, with the checks in the order of the specification. */
async function addCheckpoint(desk: Desk, request: Request, found: { log: KnownLog | null }): Promise<Reply> {
  if (request.method !== 'POST') throw new Refusal(405, 'expected POST', { allow: 'POST' });
  const asked = readRequest(await bodyOf(request));
  if (typeof asked === 'string') throw new Refusal(400, asked);
  const note = orNull(() => parseNote(asked.checkpoint));
  if (note === null) throw new Refusal(400, 'the checkpoint is not a signed note');
  const log = desk.known.get(note.text.slice(0, note.text.indexOf('\n'))) ?? null;
  found.log = log;
  if (log === null) throw new Refusal(404, 'this witness does not know the origin of the checkpoint');
  const line = signatureLine(asked.checkpoint, log.verifiers);
  const checkpoint = checkpointOf(note.text);
  if (checkpoint === null) {
    // "A checkpoint of size zero MUST have the root hash of the empty tree", and the answer is 422 if it has not.
    if (EMPTY_TREE.test(note.text)) throw new Refusal(422, 'the root of size 0 is not that of the empty tree');
    throw new Refusal(400, 'the note is not a checkpoint');
  }
  if (asked.oldSize > checkpoint.size) throw new Refusal(400, 'the old size is larger than the checkpoint');
  return inTurn(log, ({ origin }) => cosignNext(desk, origin, asked, note.text, line));
}

/** Compares, verifies, cosigns and keeps. The caller sees to it that nothing else runs for this log. */
async function cosignNext(
  { signer, state, own }: Desk,
  origin: string,
  { oldSize, proof }: AddCheckpoint,
  text: string,
  line: string,
): Promise<Reply> {
  const next = parseCheckpoint(text);
  const last = await latestIn(state, own, origin);
  const size = last?.checkpoint.size ?? 0;
  if (oldSize !== size) {
    return { status: 409, text: `${size}\n`, headers: { 'content-type': 'text/x.tlog.size' } };
  }
  const before = last?.checkpoint.root ?? emptyRoot();
  if (!isExtension(size, before, next, proof)) {
    const refused = { status: 422, text: 'the checkpoint does not extend the last one\n' };
    if (size === next.size && equalBytes(before, next.root)) return refused;
    const disputed = `${text}\n${line}\n`;
    return last !== null && size === next.size ? { ...refused, disputed, other: last.note } : { ...refused, disputed };
  }
  const signed = parseNote(await signNote(text, [signer])).signatures[0]!.line;
  if (!(await state.replace(origin, last?.note ?? null, `${text}\n${line}\n${signed}\n`))) {
    fail('witness_state_broken', 'another process has written the state of the witness; only one may run on it');
  }
  return { status: 200, text: `${signed}\n`, size: next.size };
}

/**
 * The checkpoint that was cosigned last. It is verified under the key of the witness, because nothing else may decide
 * what is cosigned next.
 *
 * @throws TrefoilError `witness_state_broken`; what the state throws.
 */
export async function latestIn(
  state: WitnessState,
  own: Verifier,
  origin: string,
): Promise<{ readonly note: string; readonly checkpoint: Checkpoint } | null> {
  const note = await state.latest(origin);
  if (note === null) return null;
  const text = orNull(() => openNote(note, [own]).text);
  const checkpoint = text === null ? null : checkpointOf(text);
  if (checkpoint === null || checkpoint.origin !== origin) {
    return fail('witness_state_broken', 'the state of the witness was changed, or is of a witness with another key');
  }
  return { note, checkpoint };
}

/** Does something when all that came before it for this log has ended. */
function inTurn<T>(log: KnownLog, act: (log: KnownLog) => Promise<T>): Promise<T> {
  const done = log.turn.then(() => act(log));
  log.turn = done.catch(() => {});
  return done;
}

/** Whether a checkpoint extends the last one. A proof from size 0, or to the same size, is empty. */
function isExtension(size: number, root: Uint8Array, next: Checkpoint, proof: readonly Uint8Array[]): boolean {
  if (size === 0) return proof.length === 0;
  return checkConsistency(size, next.size, root, next.root, proof);
}

/**
 * The line of a signature by a key of the log.
 *
 * @throws Refusal 403 if there is none, or if one does not verify.
 */
function signatureLine(note: string, verifiers: readonly Verifier[]): string {
  const opened = orNull(() => openNote(note, verifiers));
  if (opened === null)
    throw new Refusal(403, 'no signature of the checkpoint is by a key of this log, or one is wrong');
  const { name, keyHash } = opened.signatures[0]!.verifier;
  return parseNote(note).signatures.find((line) => line.name === name && line.keyHash === keyHash)!.line;
}

async function bodyOf(request: Request): Promise<string> {
  const encoding = request.headers.get('content-encoding') ?? 'identity';
  if (encoding !== 'identity') throw new Refusal(415, 'the request must not be compressed');
  try {
    return await readText(request.body, MOST_REQUEST_BYTES);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw new Refusal(400, 'the request ended before its end');
    throw error.reason === 'too long'
      ? new Refusal(413, `the request is longer than ${MOST_REQUEST_BYTES} bytes`, { connection: 'close' })
      : new Refusal(400, 'the request is not UTF-8');
  }
}

function checkWitness(
  given: WitnessOptions,
): Required<Omit<WitnessOptions, 'report'>> & Pick<WitnessOptions, 'report'> {
  const known = ['signer', 'state', 'logs', 'prefix', 'report'];
  const { signer, state, logs, prefix = '', report } = checkOptions<WitnessOptions>('options', given, known);
  if (typeof signer !== 'object' || signer === null || typeof signer.sign !== 'function') {
    badType('signer', `expected a signer, got ${typeName(signer)}`);
  }
  const own = verifierKey(signer.verifierKey);
  if (own.algorithm !== 'cosignature/v1') badRange('signer', 'expected a signer that cosigner makes');
  if (typeof state?.latest !== 'function' || typeof state.replace !== 'function') {
    badType('state', `expected a state, got ${typeName(state)}`);
  }
  const list: Verifier[] = Array.isArray(logs) ? Array.from(logs) : [];
  if (!Array.isArray(logs) || list.some((log) => checkOf(log) === null)) {
    badType('logs', 'expected an array of verifiers, as verifierKey makes them');
  }
  if (list.length === 0) badRange('logs', 'expected at least one log');
  if (list.some((log) => publicKeyOf(log) === publicKeyOf(own))) {
    badRange('logs', 'has the key of the witness itself; a log cannot be its own witness');
  }
  if (list.some((log) => log.algorithm !== 'ed25519')) {
    badRange('logs', 'has a key for cosignatures (type 4), and a log needs a key of type 1');
  }
  if (typeof prefix !== 'string') badType('prefix', `expected text, got ${typeName(prefix)}`);
  if (!/^(\/[A-Za-z0-9._~-]+)*$/.test(prefix)) {
    badRange('prefix', 'expected a path such as /witness, without a slash at its end');
  }
  if (report !== undefined && typeof report !== 'function') badType('report', 'expected a function');
  return { signer, state, logs: list, prefix, ...(report === undefined ? {} : { report }) };
}

/** The public key in base64, without the byte of its type, so that one key for two uses is found. */
export function publicKeyOf({ text, name, keyHash }: Verifier): string {
  return atob(text.slice(name.length + keyHash.length + 2)).slice(1);
}
