/** Inputs that look unordered and are the same in every run, and the ways between text and numerals. */

/** Mulberry32: 32 bits a call, seeded; good enough to be no pattern for a branch predictor. */
export function random(seed) {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) % below;
  };
}

/** `length` bytes from a seed. */
export function bytes(length, seed) {
  const next = random(seed);
  return Uint8Array.from({ length }, () => next(256));
}

/** `count` different texts of one length over an alphabet. */
export function texts(count, length, alphabet, seed) {
  const next = random(seed);
  const made = new Set();
  while (made.size < count) {
    made.add(Array.from({ length }, () => alphabet[next(alphabet.length)]).join(''));
  }
  return [...made];
}

/** Text to numerals and back over an alphabet of ASCII characters: what noble needs, without any check. */
export function alphabetOf(alphabet) {
  const numeralOf = new Uint8Array(128).fill(255);
  const codeOf = new Uint8Array(alphabet.length);
  for (let i = 0; i < alphabet.length; i++) {
    codeOf[i] = alphabet.charCodeAt(i);
    numeralOf[codeOf[i]] = i;
  }
  return {
    numerals(text) {
      const out = new Array(text.length);
      for (let i = 0; i < out.length; i++) out[i] = numeralOf[text.charCodeAt(i)];
      return out;
    },
    text(numerals) {
      const codes = new Array(numerals.length);
      for (let i = 0; i < codes.length; i++) codes[i] = codeOf[numerals[i]];
      return String.fromCharCode.apply(null, codes);
    },
  };
}

/** A side that does one value a call and goes round a list, so that no call repeats the one before. */
export function oneByOne(values, work) {
  let next = 0;
  return {
    values: 1,
    run() {
      const value = values[next];
      next = next + 1 === values.length ? 0 : next + 1;
      return work(value);
    },
  };
}

/** A side that does a whole column a call; `part` makes one of its first values, for the guard's instruction count. */
export function wholeColumn(values, work) {
  const part = (count) => wholeColumn(values.slice(0, count), work);
  return { values: values.length, run: () => work(values), part };
}

/**
 * The rival's side of a column: it has no way to do a column but one value after the other, so a part of the column is
 * enough to know its time a value, and a round stays short.
 */
export function valueByValue(values, work, count = 100) {
  const part = values.slice(0, count);
  return { values: part.length, run: () => part.map(work) };
}
