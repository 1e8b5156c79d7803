/** Inputs that look random and are the same in every run, conversions between text and numerals, and sides of cases. */

/** Mulberry32: a seeded generator of 32 bits per call. A branch predictor finds no pattern in its output. */
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

/** Converts text to numerals and back over an alphabet of ASCII characters, without any check. noble needs this. */
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

/** A side that processes one value per call. It cycles through a list, so that no call repeats the one before. */
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

/**
 * A side that processes a whole column per call. `part` makes a shorter side, for the guard's count of instructions.
 */
export function wholeColumn(values, work) {
  const part = (count) => wholeColumn(values.slice(0, count), work);
  return { values: values.length, run: () => work(values), part };
}

/**
 * The rival's side of a column. A rival can only process a column value by value. So a part of the column is enough to
 * measure its time per value, and it keeps a round short.
 */
export function valueByValue(values, work, count = 100) {
  const part = values.slice(0, count);
  return { values: part.length, run: () => part.map(work) };
}
