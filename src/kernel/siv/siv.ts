/**
 * AES-SIV: RFC 5297 (https://www.rfc-editor.org/rfc/rfc5297), deterministic authenticated encryption with one string of
 * associated data. The algorithm is in columns.ts, and self-test.ts tests it while it runs.
 */

import { bareRows, bareSiv, SIV_LENGTH, type SivRows, type Under } from './columns.ts';
import { checkedRows, checkedValues } from './self-test.ts';

export { type Data, SIV_LENGTH, type SivRows, type SivValues, SLOTS, type Values } from './columns.ts';

/** AES-SIV under one key. */
export interface Siv {
  /** Seals a plaintext: Z = V || C. */
  readonly seal: (plaintext: Uint8Array, associatedData: Uint8Array) => Uint8Array;
  /** Returns the plaintext, or `null` if the synthetic IV does not verify. */
  readonly open: (sealed: Uint8Array, associatedData: Uint8Array) => Uint8Array | null;
  /** Prepares one string of associated data for many values. The bytes are copied. */
  readonly under: Under;
}

/**
 * Key set-up.
 *
 * @param key K1 || K2: 32, 48 or 64 bytes (section 2.2). The bytes are copied.
 */
export function aesSiv(key: Uint8Array): Siv {
  const own = Uint8Array.from(key);
  const bare = bareSiv(own);
  return verbs((associatedData) => {
    const data = Uint8Array.from(associatedData);
    return checkedValues(bare(data), own, data);
  });
}

/**
 * Key set-up for values that each have associated data of their own.
 *
 * @param key K1 || K2: 32, 48 or 64 bytes (section 2.2). The bytes are copied.
 */
export function aesSivRows(key: Uint8Array): SivRows {
  const own = Uint8Array.from(key);
  return checkedRows(bareRows(own), own);
}

/** Makes the two verbs for any associated data and any length. */
export function verbs(under: Under): Siv {
  /** Copies a text, or V and a text, into a column of one value, with the space that it needs. */
  const columnOf = (text: Uint8Array, at: number) => {
    const bytes = new Uint8Array(at + text.length + 16);
    bytes.set(text, at);
    const length = bytes.length - 16 - SIV_LENGTH;
    return { bytes, values: { view: new DataView(bytes.buffer), at: 0, stride: 0, length, count: 1 } };
  };
  return {
    under,
    seal(plaintext, associatedData) {
      const { bytes, values } = columnOf(plaintext, SIV_LENGTH);
      under(associatedData).seal(values);
      return bytes.slice(0, SIV_LENGTH + plaintext.length);
    },
    open(sealed, associatedData) {
      if (sealed.length < SIV_LENGTH) return null;
      const { bytes, values } = columnOf(sealed, 0);
      const verdicts = new Uint8Array(1);
      under(associatedData).open(values, verdicts);
      return verdicts[0] === 1 ? bytes.slice(SIV_LENGTH, sealed.length) : null;
    },
  };
}
