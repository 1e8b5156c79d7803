/**
 * Asking the witnesses of a policy what they have cosigned, and holding the log against it
 * (https://c2sp.org/tlog-witness, "Monitor Retrieval Mechanism").
 */

import { equalBytes, utf8 } from '../../core/bytes.ts';
import { writeHex } from '../../core/hex.ts';
import { TrefoilError } from '../../errors.ts';
import { HASH_BYTES, sha256To } from '../../kernel/merkle.ts';
import { MOST_NOTE_BYTES } from '../../note/note-text.ts';
import { logAt } from '../tree/http.ts';
import { openCheckpoint } from '../tree/open-checkpoint.ts';
import type { LogPolicy, PolicyWitness } from '../tree/policy.ts';
import { CHECKPOINT_PATH } from '../tree/source.ts';

/**
 * Fetches the checkpoint that a witness serves for a log; `null` if it has none. If it throws, the witness counts as
 * silent.
 */
export type AskWitness = (witness: PolicyWitness, origin: string) => Promise<Uint8Array | string | null>;

/** A checkpoint that a witness serves: cosigned by it, and signed by the log. */
export interface WitnessView {
  readonly name: string;
  readonly size: number;
  readonly root: Uint8Array;
  /** When it cosigned, by its own clock, in seconds since 1970. */
  readonly time: number;
  /** The checkpoint with its signatures. */
  readonly note: string;
}

/**
 * Asks every witness by HTTP: GET <its address in the policy>/<SHA-256 of the origin>/checkpoint.
 *
 * @param timeout milliseconds for each witness.
 */
export function askByHttp(fetch: typeof globalThis.fetch | undefined, timeout: number): AskWitness {
  return async ({ url }, origin) => {
    if (url === null) throw new Error('the policy has no address of the witness');
    const hash = new Uint8Array(HASH_BYTES);
    sha256To(utf8(origin), hash, 0);
    const options = fetch === undefined ? { timeout } : { fetch, timeout };
    return logAt(`${url.replace(/\/+$/, '')}/${writeHex(hash)}`, options).read(CHECKPOINT_PATH, MOST_NOTE_BYTES);
  };
}

/** Asks every witness of a policy, side by side. Those that do not answer, or answer something else, are left out. */
export async function askWitnesses(ask: AskWitness, policy: LogPolicy, origin: string): Promise<WitnessView[]> {
  const views = await Promise.all(policy.witnesses.map((witness) => viewOf(ask, policy, witness, origin)));
  return views.filter((view) => view !== null);
}

/** The view of a witness; `null` if there is none that it and the log have signed. Anything else proves nothing. */
async function viewOf(
  ask: AskWitness,
  policy: LogPolicy,
  witness: PolicyWitness,
  origin: string,
): Promise<WitnessView | null> {
  const note = await ask(witness, origin).catch(() => null);
  if (note === null) return null;
  try {
    const opened = openCheckpoint(note, policy);
    const own = opened.witnesses.find(({ name }) => name === witness.name);
    if (own === undefined || opened.origin !== origin) return null;
    const text = typeof note === 'string' ? note : new TextDecoder().decode(note);
    return { name: witness.name, size: opened.size, root: opened.root, time: own.time, note: text };
  } catch (error) {
    if (error instanceof TrefoilError) return null;
    throw error;
  }
}

/** Whether two trees of one size are the same. */
export function isSameTree(
  a: { readonly size: number; readonly root: Uint8Array },
  b: { readonly size: number; readonly root: Uint8Array },
): boolean {
  return a.size === b.size && equalBytes(a.root, b.root);
}
