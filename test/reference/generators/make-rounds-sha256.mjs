/**
 * Generates the 64 rounds of src/kernel/prf/sha256.ts (FIPS 180-4, section 6.2.2).
 * `node test/reference/generators/make-rounds-sha256.mjs` prints them, and test/kernel/prf/sha256.test.ts compares them
 * with the file.
 */

/** The first 64 primes; K is the first 32 bits of the fractional parts of their cube roots (section 4.2.2). */
const primes = [];
for (let n = 2; primes.length < 64; n++) if (primes.every((p) => n % p !== 0)) primes.push(n);

/** floor(cbrt(p) * 2^32) mod 2^32, exactly: the whole cube root of p * 2^96. */
export const K = primes.map((p) => {
  const target = BigInt(p) << 96n;
  let root = 0n;
  for (let bit = 36n; bit >= 0n; bit--) {
    const next = root | (1n << bit);
    if (next ** 3n <= target) root = next;
  }
  return Number(root & 0xffffffffn);
});

const rotate = (x, n) => `(${x} >>> ${n} | ${x} << ${32 - n})`;

/** The lines of the rounds, indented as in the file. */
export function rounds() {
  const lines = [];
  for (let t = 0; t < 64; t++) {
    const [a, b, c, d, e, f, g, h] = Array.from({ length: 8 }, (_, j) => 'abcdefgh'[(j - t + 64) % 8]);
    const w = `w${t % 16}`;
    if (t >= 16) {
      const x = `w${(t + 1) % 16}`;
      const y = `w${(t + 14) % 16}`;
      const sigma0 = `(${rotate(x, 7)} ^ ${rotate(x, 18)} ^ ${x} >>> 3)`;
      const sigma1 = `(${rotate(y, 17)} ^ ${rotate(y, 19)} ^ ${y} >>> 10)`;
      lines.push(`${w} = ${w} + w${(t + 9) % 16} + ${sigma0} + ${sigma1} | 0;`);
    }
    const sum1 = `(${rotate(e, 6)} ^ ${rotate(e, 11)} ^ ${rotate(e, 25)})`;
    const sum0 = `(${rotate(a, 2)} ^ ${rotate(a, 13)} ^ ${rotate(a, 22)})`;
    const k = `0x${K[t].toString(16).padStart(8, '0')}`;
    lines.push(`t = ${h} + ${sum1} + (${g} ^ ${e} & (${f} ^ ${g})) + ${k} + ${w} | 0;`);
    lines.push(`${d} = ${d} + t | 0;`);
    lines.push(`${h} = t + ${sum0} + (${a} & ${b} ^ ${c} & (${a} ^ ${b})) | 0;`);
  }
  return lines.map((line) => `  ${line}`).join('\n');
}

if (import.meta.filename === process.argv[1]) console.log(rounds());
