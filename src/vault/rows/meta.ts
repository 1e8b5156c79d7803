/**
 * The metadata of a store, which say under which keys its rows are. The store decides this, not the primary key of the
 * keyset: during a roll-out, two processes with different primary keys still find the same rows.
 */

import { encodeList, equalBytes } from '../../core/bytes.ts';
import { readHex, writeHex } from '../../core/hex.ts';
import { fail } from '../../errors.ts';
import { ID_LENGTH } from '../../wire/labelled-token.ts';
import type { Meta } from '../stores/store.ts';

/** The metadata. Keys are named by their shown ids. */
export interface VaultMeta {
  readonly generation: number;
  readonly domain: string;
  readonly store: string;
  /** Keys of the outer layer: new rows are written under the first; rows are looked up under all. */
  readonly outer: readonly string[];
  /** Keys of the inner layer, in the same way. */
  readonly inner: readonly string[];
  /** The key from which the indexes of subjects are derived. It never changes. */
  readonly subjects: string;
}

type MacOf = (outer: string) => (message: Uint8Array) => Uint8Array;

const FORMAT = 'vault-v1';

/** Returns the text that a store keeps. */
export function writeMeta(meta: VaultMeta, macOf: MacOf): Meta {
  const { generation, domain, store, outer, inner, subjects } = meta;
  const mac = writeHex(macOf(outer[0]!)(messageOf(meta)));
  const text = JSON.stringify({ trefoil: FORMAT, domain, store, outer, inner, subjects, mac });
  return { generation, text };
}

/**
 * Reads that text and checks its MAC.
 *
 * @param macOf throws `unknown_key` for a key that the keyset does not have.
 * @throws TrefoilError `store_version`, `store_broken`, `wrong_domain`.
 */
export function readMeta({ generation, text }: Meta, domain: string, store: string, macOf: MacOf): VaultMeta {
  const read = parseObject(text);
  if (typeof read?.trefoil === 'string' && /^vault-v[0-9]+$/.test(read.trefoil) && read.trefoil !== FORMAT) {
    const message = `the vault has the version ${read.trefoil}, but this version of trefoil reads ${FORMAT}`;
    fail('store_version', `${message}; use the version of trefoil that made it`);
  }
  if (read?.trefoil !== FORMAT || typeof read.mac !== 'string' || !isIds(read.outer) || !isIds(read.inner)) {
    fail('store_broken', 'the metadata of the vault cannot be read; restore them from a backup');
  }
  if (read.domain !== domain || read.store !== store) {
    fail('wrong_domain', 'the vault was made for another domain, or under another store name; check both');
  }
  const { outer, inner } = read;
  const meta: VaultMeta = { generation, domain, store, outer, inner, subjects: String(read.subjects) };
  const mac = readHex(read.mac, 32);
  if (mac === null || !equalBytes(mac, macOf(outer[0]!)(messageOf(meta)))) {
    fail('store_broken', 'the metadata of the vault do not verify: they were changed, or they belong to other keys');
  }
  return meta;
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    return JSON.parse(text) as Record<string, unknown> | null;
  } catch {
    return null;
  }
}

function messageOf({ generation, domain, store, outer, inner, subjects }: VaultMeta): Uint8Array {
  return encodeList([FORMAT, String(generation), domain, store, encodeList(outer), encodeList(inner), subjects]);
}

function isIds(value: unknown): value is string[] {
  const isId = (id: unknown) => typeof id === 'string' && id.length === ID_LENGTH;
  return Array.isArray(value) && value.length > 0 && value.every(isId);
}
