/**
 * A slow reading of a log in a folder, by the definitions of RFC 6962 and tlog-tiles, without code of the library:
 * every entry is hashed, every tile that a tree of that size has is compared, and node:crypto verifies the signature.
 */
import { createHash, createPublicKey, verify } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const sha256 = (...parts: readonly Uint8Array[]): Buffer =>
  parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();

const ZERO = Uint8Array.of(0);
const ONE = Uint8Array.of(1);

/** MTH of section 2.1. */
export function treeHash(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 0) return sha256();
  if (leaves.length === 1) return leaves[0]!;
  let k = 1;
  while (2 * k < leaves.length) k *= 2;
  return sha256(ONE, treeHash(leaves.slice(0, k)), treeHash(leaves.slice(k)));
}

function tile(level: number | string, index: number, width: number): string {
  let text = String(index % 1000).padStart(3, '0');
  for (let n = Math.floor(index / 1000); n > 0; n = Math.floor(n / 1000)) {
    text = `x${String(n % 1000).padStart(3, '0')}/${text}`;
  }
  return `tile/${level}/${text}${width === 256 ? '' : `.p/${width}`}`;
}

export interface ReadLog {
  readonly size: number;
  readonly entries: readonly Buffer[];
  readonly root: Buffer;
}

/** Reads a checkpoint: a note with one Ed25519 signature by the key. */
export function readCheckpoint(note: string, verifierKey: string): { size: number; root: Buffer } {
  const [text, lines] = note.split('\n\n') as [string, string];
  const [name, hash, typed] = verifierKey.split(/\+(.{8})\+/) as [string, string, string];
  const x = Buffer.from(typed, 'base64').subarray(1).toString('base64url');
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  const signature = Buffer.from(lines.split('\n')[0]!.slice(`— ${name} `.length), 'base64');
  if (signature.subarray(0, 4).toString('hex') !== hash) throw new Error('another key has signed');
  if (!verify(null, Buffer.from(`${text}\n`), key, signature.subarray(4))) throw new Error('the signature is wrong');
  const [origin, size, root] = text.split('\n');
  if (origin !== name) throw new Error('another origin');
  return { size: Number(size), root: Buffer.from(root!, 'base64') };
}

/** Reads and verifies everything. It throws an `Error` that says what is wrong. */
export function readLog(folder: string, verifierKey: string): ReadLog {
  const { size, root } = readCheckpoint(readFileSync(join(folder, 'checkpoint'), 'utf8'), verifierKey);
  const entries: Buffer[] = [];
  for (let i = 0; i * 256 < size; i++) {
    const width = Math.min(256, size - 256 * i);
    const bundle = readFileSync(join(folder, tile('entries', i, width)));
    let at = 0;
    for (let k = 0; k < width; k++) {
      const end = at + 2 + bundle.readUInt16BE(at);
      entries.push(bundle.subarray(at + 2, end));
      at = end;
    }
    if (at !== bundle.length) throw new Error(`bundle ${i} has ${bundle.length} bytes and its entries ${at}`);
  }
  const leaves = entries.map((entry) => sha256(ZERO, entry));
  let row = leaves;
  for (let level = 0; row.length > 0; level++) {
    const above: Buffer[] = [];
    for (let i = 0; i * 256 < row.length; i++) {
      const part = row.slice(256 * i, 256 * (i + 1));
      const path = join(folder, tile(level, i, part.length));
      if (!existsSync(path)) throw new Error(`${path} is missing`);
      if (!readFileSync(path).equals(Buffer.concat(part))) throw new Error(`${path} is wrong`);
      if (part.length === 256) above.push(treeHash(part));
    }
    row = above;
  }
  if (!treeHash(leaves).equals(root)) throw new Error('the root is wrong');
  return { size, entries, root };
}
