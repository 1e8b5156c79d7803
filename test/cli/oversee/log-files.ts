/** Writes a log into a folder, with the tiles and bundles of https://c2sp.org/tlog-tiles: a slow writer for tests. */
import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { bundleBytes, type Signer, signNote, tilePath } from '../../../src/log.ts';
import { consistencyOf, rootOf } from '../../log/witness/small-log.ts';

/** A log that was written. */
export interface WrittenLog {
  readonly size: number;
  readonly text: string;
  /** The checkpoint with the signature of the log. */
  readonly note: string;
  readonly proof: (from: number) => Uint8Array[];
}

/** What the entries are. */
export interface Entries {
  /** Is added to the time of the entries from `fork` on, so that logs of two branches differ. */
  readonly branch?: number | string;
  readonly fork?: number;
  /** The text of an entry instead of a `beat` of log-v1. */
  readonly text?: (index: number) => string;
}

/** Writes a log of `size` entries. An older one in the folder is replaced. */
export async function logIn(folder: string, signer: Signer, size: number, options: Entries = {}): Promise<WrittenLog> {
  const { branch = 0, fork = 0, text = beat } = options;
  const entries = Array.from({ length: size }, (_, i) =>
    new TextEncoder().encode(options.text === undefined && i >= fork ? beat(i + Number(branch)) : text(i)),
  );
  rmSync(folder, { recursive: true, force: true });
  for (let i = 0; i * 256 < size; i++) {
    const some = entries.slice(i * 256, (i + 1) * 256);
    write(join(folder, tilePath('entries', i, some.length)), bundleBytes(some));
  }
  const leaves = entries.map((entry) => hash(Uint8Array.of(0), entry));
  let row = leaves;
  for (let level = 0; row.length > 0; level++) {
    const above: Uint8Array[] = [];
    for (let i = 0; i * 256 < row.length; i++) {
      const some = row.slice(i * 256, (i + 1) * 256);
      write(join(folder, tilePath(level, i, some.length)), Buffer.concat(some));
      if (some.length === 256) above.push(rootOf(some));
    }
    row = above;
  }
  const body = `${signer.name}\n${size}\n${Buffer.from(rootOf(leaves)).toString('base64')}\n`;
  const note = await signNote(body, [signer]);
  write(join(folder, 'checkpoint'), note);
  return { size, text: body, note, proof: (from) => consistencyOf(leaves, from) };
}

const beat = (at: number): string => JSON.stringify({ trefoil: 'log-v1', kind: 'beat', at });

function hash(...parts: readonly Uint8Array[]): Uint8Array {
  const digest = createHash('sha256');
  for (const part of parts) digest.update(part);
  return Uint8Array.from(digest.digest());
}

function write(path: string, bytes: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
}
