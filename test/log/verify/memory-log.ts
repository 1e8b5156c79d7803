/** A log in memory that is written honestly, and whose files a test may change. */
import { leafHash } from '../../../src/kernel/merkle.ts';
import type { LogSource } from '../../../src/log/tree/source.ts';
import {
  bundleBytes,
  cosigner,
  type LogPolicy,
  newNoteKey,
  noteSigner,
  parseLogPolicy,
  type Signer,
  signNote,
  type Tile,
  tilePath,
  treeEdge,
  writeCheckpoint,
} from '../../../src/log.ts';
import { timelessCosigner } from '../../helpers/timeless.ts';
import { random } from '../../reference/random.ts';

export type Files = Map<string, Uint8Array>;

export const ORIGIN = 'log.example/test';

/** Keys that are the same in every run. */
export const KEYS = keysOf(ORIGIN);

function keysOf(origin: string) {
  const bytes = random('keys of the log tests');
  const log = newNoteKey(origin, { random: (length) => bytes.bytes(length) });
  const other = newNoteKey(origin, { random: (length) => bytes.bytes(length) });
  const witnesses = ['one', 'two', 'three'].map((name) => ({
    name,
    ...newNoteKey(`${name}.witness.example`, { algorithm: 'cosignature/v1', random: (length) => bytes.bytes(length) }),
  }));
  return { log, other, witnesses };
}

export const logSigner: Signer = noteSigner(KEYS.log.privateKey);
export const otherSigner: Signer = noteSigner(KEYS.other.privateKey);

/** The cosigner of a witness. */
export function witnessSigner(index: number, time = 1_700_000_000): Signer {
  const { privateKey } = KEYS.witnesses[index]!;
  return time === 0 ? timelessCosigner(privateKey) : cosigner(privateKey, { now: () => time * 1000 });
}

/** A policy with the log, the witnesses and a quorum. */
export function policyOf(quorum: string, groups = ''): LogPolicy {
  const witnesses = KEYS.witnesses.map(
    ({ name, verifierKey }) => `witness ${name} ${verifierKey} https://${name}.witness.example/w/\n`,
  );
  return parseLogPolicy(`log ${KEYS.log.verifierKey}\n${witnesses.join('')}${groups}quorum ${quorum}\n`);
}

/** A log that is written. */
export interface MemoryLog {
  readonly files: Files;
  readonly entries: readonly Uint8Array[];
  readonly append: (entries: readonly Uint8Array[]) => void;
  /** The text of the checkpoint of the tree as it is. */
  readonly text: () => string;
  /** Writes all files of the tree, and the checkpoint with its signatures. Returns the checkpoint. */
  readonly publish: (signers?: readonly Signer[]) => Promise<string>;
}

export function memoryLog(origin: string = ORIGIN): MemoryLog {
  const files: Files = new Map();
  const entries: Uint8Array[] = [];
  const tree = treeEdge();
  // The first bundle that is not written yet, or is partial.
  let bundle = 0;
  const text = (): string => writeCheckpoint({ origin, size: tree.size, root: tree.root() });
  const write = ({ level, index, width, hashes }: Tile): void => {
    files.set(tilePath(level, index, width), hashes);
  };
  return {
    files,
    entries,
    append(more) {
      for (const entry of more) {
        entries.push(entry);
        tree.append(leafHash(entry));
      }
    },
    text,
    async publish(signers = [logSigner]) {
      tree.takeFullTiles().forEach(write);
      tree.partialTiles().forEach(write);
      for (; bundle * 256 < entries.length; bundle++) {
        const part = entries.slice(bundle * 256, bundle * 256 + 256);
        files.set(tilePath('entries', bundle, part.length), bundleBytes(part));
        if (part.length < 256) break;
      }
      const note = await signNote(text(), signers);
      files.set('checkpoint', new TextEncoder().encode(note));
      return note;
    },
  };
}

/** Reads from a map. Every answer is a copy. */
export function sourceOf(files: ReadonlyMap<string, Uint8Array>, asked: string[] = []): LogSource {
  return {
    async read(path) {
      asked.push(path);
      return files.get(path)?.slice() ?? null;
    },
  };
}
