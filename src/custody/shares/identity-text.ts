/**
 * The text of an age identity, as the `age` command reads it: `AGE-SECRET-KEY-1…`, Bech32 of 32 bytes in upper case
 * (https://age-encryption.org/v1, "The X25519 recipient type"; Bech32 is BIP 173,
 * https://github.com/bitcoin/bips/blob/master/bip-0173.mediawiki). It is only written: an identity that is split is
 * always a new one.
 */

/** The symbols of Bech32 in the order of their values. */
const BECH32 = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';

/** The part before the separator `1`. */
const PREFIX = 'age-secret-key-';

/** What the bits that leave the register of the checksum add to it. */
const GENERATOR = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3] as const;

/** Writes an identity. */
export function identityText(secret: Uint8Array): string {
  const values = fivesOf(secret);
  const text = [...values, ...checksum(values)].map((value) => BECH32[value]!).join('');
  return `${PREFIX}1${text}`.toUpperCase();
}

/** The bits of bytes in numbers of five bits, the last filled with zeros. */
function fivesOf(bytes: Uint8Array): number[] {
  const out: number[] = [];
  let buffer = 0;
  let held = 0;
  for (const byte of bytes) {
    buffer = ((buffer << 8) | byte) & 0xfff;
    for (held += 8; held >= 5; ) {
      held -= 5;
      out.push((buffer >>> held) & 31);
    }
  }
  if (held > 0) out.push((buffer << (5 - held)) & 31);
  return out;
}

/** The six numbers of the checksum over the prefix and the values. */
function checksum(values: readonly number[]): number[] {
  const codes = Array.from(PREFIX, (character) => character.charCodeAt(0));
  const expanded = [...codes.map((code) => code >>> 5), 0, ...codes.map((code) => code & 31)];
  let register = 1;
  for (const value of [...expanded, ...values, 0, 0, 0, 0, 0, 0]) {
    const top = register >>> 25;
    register = ((register & 0x1ffffff) << 5) ^ value;
    for (const [bit, added] of GENERATOR.entries()) if ((top >>> bit) & 1) register ^= added;
  }
  register ^= 1;
  return Array.from({ length: 6 }, (_, i) => (register >>> (5 * (5 - i))) & 31);
}
