/** A log in memory for tests of witnesses: its hashes are the recursive definitions of RFC 6962, section 2.1. */
import { createHash } from 'node:crypto';
import { newNoteKey, noteSigner, type Signer, signNote, type Verifier, verifierKey } from '../../../src/log.ts';

export const ORIGIN = 'log.example/2026';

const sha = (...parts: readonly Uint8Array[]): Uint8Array => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return Uint8Array.from(hash.digest());
};

/** The largest power of two smaller than n. */
function split(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

/** MTH of section 2.1. */
export function rootOf(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return sha();
  if (leaves.length === 1) return leaves[0]!;
  const k = split(leaves.length);
  return sha(Uint8Array.of(1), rootOf(leaves.slice(0, k)), rootOf(leaves.slice(k)));
}

/** PROOF of section 2.1.2. */
export function consistencyOf(leaves: readonly Uint8Array[], m: number): Uint8Array[] {
  if (m === 0 || m === leaves.length) return [];
  return subproof(leaves, m, true);
}

function subproof(leaves: readonly Uint8Array[], m: number, isWhole: boolean): Uint8Array[] {
  if (m === leaves.length) return isWhole ? [] : [rootOf(leaves)];
  const k = split(leaves.length);
  if (m <= k) return [...subproof(leaves.slice(0, k), m, isWhole), rootOf(leaves.slice(k))];
  return [...subproof(leaves.slice(k), m - k, false), rootOf(leaves.slice(0, k))];
}

/** The log of some entries. */
export interface SmallLog {
  readonly size: number;
  readonly checkpoint: string;
  readonly text: string;
  readonly proof: (from: number) => Uint8Array[];
}

/** The key of the log. */
export interface LogKey {
  readonly signer: Signer;
  readonly verifier: Verifier;
}

export function makeLogKey(origin: string = ORIGIN): LogKey {
  const key = newNoteKey(origin);
  return { signer: noteSigner(key.privateKey), verifier: verifierKey(key.verifierKey) };
}

/** A log of `size` entries. Logs of different `branch` differ from entry `fork` on. */
export async function smallLog(
  key: LogKey,
  size: number,
  { branch = '', fork = 0, extensions = '' }: { branch?: string; fork?: number; extensions?: string } = {},
): Promise<SmallLog> {
  const leaves = Array.from({ length: size }, (_, i) =>
    sha(Uint8Array.of(0), new TextEncoder().encode(`entry ${i}${i >= fork ? branch : ''}`)),
  );
  const text = `${key.signer.name}\n${size}\n${Buffer.from(rootOf(leaves)).toString('base64')}\n${extensions}`;
  return { size, text, checkpoint: await signNote(text, [key.signer]), proof: (from) => consistencyOf(leaves, from) };
}
