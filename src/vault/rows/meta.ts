/**
 * The metadata of a store: which keys its rows are under. It is the store that says so and never the keyset's primary: two
 * processes with different primaries, during a roll-out, still find the same rows.
 */

import { encodeList, equalBytes } from '../../core/bytes.ts';
import { readHex, writeHex } from '../../core/hex.ts';
import { fail } from '../../errors.ts';
import type { Meta } from '../stores/store.ts';

/** What the metadata say. Shown ids of keys, the one that is written with first; the others are still looked under. */
export interface VaultMeta {
  readonly generation: number;
  readonly domain: string;
  readonly store: string;
  readonly outer: readonly string[];
  readonly inner: readonly string[];
  /** The key under which subjects are found. It never changes. */
  readonly subjects: string;
}

type MacOf = (outer: string) => (message: Uint8Array) => Uint8Array;

const FORMAT = 'vault-v1';

/** The text that a store keeps. */
export function writeMeta(meta: VaultMeta, macOf: MacOf): Meta {
  const { generation, domain, store, outer, inner, subjects } = meta;
  const mac = writeHex(macOf(outer[0]!)(messageOf(meta)));
  const text = JSON.stringify({ trefoil: FORMAT, domain, store, outer, inner, subjects, mac });
  return { generation, text };
}

/**
 * Reads it, and holds it against the key that wrote it.
 *
 * @param macOf throws `unknown_key` for a key that is not there.
 * @throws TrefoilError `store_version`, `store_broken`, `wrong_domain`.
 */
export function readMeta({ generation, text }: Meta, domain: string, store: string, macOf: MacOf): VaultMeta {
  let read: Record<string, unknown> | null = null;
  try {
    read = JSON.parse(text) as Record<string, unknown> | null;
  } catch {
    // Said below.
  }
  if (typeof read?.trefoil === 'string' && /^vault-v[0-9]+$/.test(read.trefoil) && read.trefoil !== FORMAT) {
    fail(
      'store_version',
      `the vault is of ${read.trefoil}, this version reads ${FORMAT}; use the version that made it`,
    );
  }
  if (read?.trefoil !== FORMAT || typeof read.mac !== 'string' || !isIds(read.outer) || !isIds(read.inner)) {
    fail('store_broken', 'the metadata of the vault cannot be read; restore them from a backup');
  }
  if (read.domain !== domain || read.store !== store) {
    fail('wrong_domain', 'the vault was made for another domain or under another name of a store');
  }
  const { outer, inner } = read;
  const meta: VaultMeta = { generation, domain, store, outer, inner, subjects: String(read.subjects) };
  const mac = readHex(read.mac, 32);
  if (mac === null || !equalBytes(mac, macOf(outer[0]!)(messageOf(meta)))) {
    fail('store_broken', 'the metadata of the vault were changed, or its keys are others');
  }
  return meta;
}

function messageOf({ generation, domain, store, outer, inner, subjects }: VaultMeta): Uint8Array {
  return encodeList([FORMAT, String(generation), domain, store, encodeList(outer), encodeList(inner), subjects]);
}

function isIds(value: unknown): value is string[] {
  return Array.isArray(value) && value.length > 0 && value.every((id) => typeof id === 'string' && id.length === 5);
}
