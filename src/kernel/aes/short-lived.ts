/**
 * AES in the forward direction for short-lived keys, which encipher only a few blocks: FIPS 197
 * (https://doi.org/10.6028/NIST.FIPS.197-upd1), sections 5.1 and 5.2, on words.
 *
 * For such a key the schedule is most of the work. Measured for the schedule of a key of 16 bytes and for a block: 0.1
 * and 0.2 µs, against 1.7 and 0.3 µs with @noble/ciphers, which allocates a schedule for each key and has tables of 256
 * KiB. The tables here have 4 KiB and 256 bytes. They are not constant in time, and neither are noble's.
 */

/** A block as four words, one for each of its columns. The first byte of a column is the lowest of its word. */
export type BlockWords = Int32Array;

/** An expanded key (section 5.2): four words for each round key, in the byte order of {@link BlockWords}. */
export interface Schedule {
  readonly words: Int32Array;
  /** Nr of table 3: 10, 12 or 14. */
  rounds: number;
}

/** Allocates a schedule, which has space for a key of any length. */
export function makeSchedule(): Schedule {
  return { words: new Int32Array(60), rounds: 0 };
}

/** SBOX() of section 5.1.1: the inverse in GF(2^8), then the affine map of equation 5.3. */
const SBOX: Uint8Array = /* @__PURE__ */ (() => {
  const table = new Uint8Array(256);
  // Zero has no inverse, and is taken as its own.
  table[0] = 0x63;
  // p runs through all powers of the generator {03}, and q through those of its inverse {f6}.
  let p = 1;
  let q = 1;
  do {
    p ^= xTimes(p);
    q ^= q << 1;
    q ^= q << 2;
    q = (q ^ (q << 4)) & 0xff;
    if (q & 0x80) q ^= 0x09;
    const affine = q ^ (q << 1) ^ (q << 2) ^ (q << 3) ^ (q << 4);
    table[p] = affine ^ (affine >>> 8) ^ 0x63;
  } while (p !== 1);
  return table;
})();

/** XTIMES of section 4.2 on one byte. */
function xTimes(byte: number): number {
  return ((byte << 1) ^ (0x11b & -(byte >>> 7))) & 0xff;
}

/**
 * Table r is MIXCOLUMNS of a column with SBOX() of a byte in row r and zeros elsewhere. The four tables are one array.
 */
export const MIXED: Int32Array = /* @__PURE__ */ (() => {
  const mixed = new Int32Array(4 * 256);
  for (let byte = 0; byte < 256; byte++) {
    const s = SBOX[byte]!;
    const two = xTimes(s);
    const column = two | (s << 8) | (s << 16) | ((two ^ s) << 24);
    mixed[byte] = column;
    for (let r = 1; r < 4; r++) mixed[256 * r + byte] = (column << (8 * r)) | (column >>> (32 - 8 * r));
  }
  return mixed;
})();

/**
 * KEYEXPANSION (section 5.2, algorithm 2). The result is written into a schedule.
 *
 * @param length Bytes of the key from `at` on: 16, 24 or 32.
 */
export function expandInto(schedule: Schedule, key: DataView, at: number, length: number): void {
  const w = schedule.words;
  const nk = length >>> 2;
  schedule.rounds = nk + 6;
  for (let i = 0; i < nk; i++) w[i] = key.getInt32(at + 4 * i, true);
  const end = 4 * (nk + 7);
  // Rcon[i/Nk] = x^(i/Nk - 1).
  let rcon = 1;
  let temp = w[nk - 1]!;
  for (let i = nk, j = 0; i < end; i++) {
    if (j === 0) {
      // SUBWORD(ROTWORD(temp)) xor Rcon.
      temp = subWord((temp >>> 8) | (temp << 24)) ^ rcon;
      rcon = xTimes(rcon);
    } else if (nk > 6 && j === 4) {
      temp = subWord(temp);
    }
    temp ^= w[i - nk]!;
    w[i] = temp;
    if (++j === nk) j = 0;
  }
}

function subWord(word: number): number {
  return (
    SBOX[word & 255]! |
    (SBOX[(word >>> 8) & 255]! << 8) |
    (SBOX[(word >>> 16) & 255]! << 16) |
    (SBOX[word >>> 24]! << 24)
  );
}

// biome-ignore format: a column is one line
/**
 * CIPHER (section 5.1, algorithm 1) on a block, in place.
 *
 * A turn of the loop is two rounds, so that no column has to be moved in between. All columns are written out: as calls
 * of a function they are too many for V8 to inline, and that took twice as long (measured). SHIFTROWS: byte r of column
 * c comes from column c + r.
 */
export function encipher({ words: w, rounds }: Schedule, block: BlockWords): void {
  let s0 = block[0]! ^ w[0]!;
  let s1 = block[1]! ^ w[1]!;
  let s2 = block[2]! ^ w[2]!;
  let s3 = block[3]! ^ w[3]!;
  let t0 = 0;
  let t1 = 0;
  let t2 = 0;
  let t3 = 0;
  let k = 4;
  for (const last = 4 * rounds - 4; ; k += 8) {
    t0 = MIXED[s0 & 255]! ^ MIXED[256 | ((s1 >>> 8) & 255)]! ^ MIXED[512 | ((s2 >>> 16) & 255)]! ^ MIXED[768 | (s3 >>> 24)]! ^ w[k]!;
    t1 = MIXED[s1 & 255]! ^ MIXED[256 | ((s2 >>> 8) & 255)]! ^ MIXED[512 | ((s3 >>> 16) & 255)]! ^ MIXED[768 | (s0 >>> 24)]! ^ w[k + 1]!;
    t2 = MIXED[s2 & 255]! ^ MIXED[256 | ((s3 >>> 8) & 255)]! ^ MIXED[512 | ((s0 >>> 16) & 255)]! ^ MIXED[768 | (s1 >>> 24)]! ^ w[k + 2]!;
    t3 = MIXED[s3 & 255]! ^ MIXED[256 | ((s0 >>> 8) & 255)]! ^ MIXED[512 | ((s1 >>> 16) & 255)]! ^ MIXED[768 | (s2 >>> 24)]! ^ w[k + 3]!;
    if (k === last) break;
    s0 = MIXED[t0 & 255]! ^ MIXED[256 | ((t1 >>> 8) & 255)]! ^ MIXED[512 | ((t2 >>> 16) & 255)]! ^ MIXED[768 | (t3 >>> 24)]! ^ w[k + 4]!;
    s1 = MIXED[t1 & 255]! ^ MIXED[256 | ((t2 >>> 8) & 255)]! ^ MIXED[512 | ((t3 >>> 16) & 255)]! ^ MIXED[768 | (t0 >>> 24)]! ^ w[k + 5]!;
    s2 = MIXED[t2 & 255]! ^ MIXED[256 | ((t3 >>> 8) & 255)]! ^ MIXED[512 | ((t0 >>> 16) & 255)]! ^ MIXED[768 | (t1 >>> 24)]! ^ w[k + 6]!;
    s3 = MIXED[t3 & 255]! ^ MIXED[256 | ((t0 >>> 8) & 255)]! ^ MIXED[512 | ((t1 >>> 16) & 255)]! ^ MIXED[768 | (t2 >>> 24)]! ^ w[k + 7]!;
  }
  // The last round has no MIXCOLUMNS.
  block[0] = (SBOX[t0 & 255]! | (SBOX[(t1 >>> 8) & 255]! << 8) | (SBOX[(t2 >>> 16) & 255]! << 16) | (SBOX[t3 >>> 24]! << 24)) ^ w[k + 4]!;
  block[1] = (SBOX[t1 & 255]! | (SBOX[(t2 >>> 8) & 255]! << 8) | (SBOX[(t3 >>> 16) & 255]! << 16) | (SBOX[t0 >>> 24]! << 24)) ^ w[k + 5]!;
  block[2] = (SBOX[t2 & 255]! | (SBOX[(t3 >>> 8) & 255]! << 8) | (SBOX[(t0 >>> 16) & 255]! << 16) | (SBOX[t1 >>> 24]! << 24)) ^ w[k + 6]!;
  block[3] = (SBOX[t3 & 255]! | (SBOX[(t0 >>> 8) & 255]! << 8) | (SBOX[(t1 >>> 16) & 255]! << 16) | (SBOX[t2 >>> 24]! << 24)) ^ w[k + 7]!;
}
