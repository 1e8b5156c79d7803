/**
 * AES-SIV (RFC 5297, https://www.rfc-editor.org/rfc/rfc5297) over columns of values that each have a key of their own.
 * It runs in WebAssembly if the runtime has it and enough values were seen, and in plain TypeScript if not. Both
 * compute the same bytes, and keyed-self-test.ts tests both while they run.
 */

import { copyTo, equalBytes } from '../../core/bytes.ts';
import { SIV_LENGTH } from './columns.ts';
import { type EachKeys, type KeyedValues, plainEngine, type SivEngine, type Texts } from './keyed-plain.ts';
import { compare, isTurn, mustNotOpen } from './keyed-self-test.ts';
import { wasmEngine } from './keyed-wasm.ts';
import { throwFault } from './self-test.ts';

export type { EachKeys } from './keyed-plain.ts';

/** The associated data of each value. `null` means no string at all, which is not the same as an empty one. */
export type EachData = readonly Uint8Array[] | null;

/** Seals each text under its key: Z = V || C. The results are views on one array. */
export function sealEach(
  { keys, keyLength }: EachKeys,
  texts: readonly Uint8Array[],
  data: EachData,
  engine: SivEngine = engineFor(texts.length),
): Uint8Array[] {
  const values = layOut(texts, 0, SIV_LENGTH);
  const column: KeyedValues = { keys, keyLength, values, data: data === null ? null : layOut(data, 0, 0) };
  engine.seal(column, 0, texts.length);
  return texts.map((text, i) => {
    const at = values.starts[i]!;
    const sealed = values.bytes.subarray(at, at + SIV_LENGTH + text.length);
    if (isTurn()) compare(keyOf(column, i), data?.[i] ?? null, text, sealed);
    return sealed;
  });
}

/**
 * Opens each sealed text under its key. A result is `null` if the text does not verify. The results are views on one
 * array.
 *
 * @param before How many bytes at the start of each text do not belong to it.
 */
export function openEach(
  { keys, keyLength }: EachKeys,
  sealed: readonly Uint8Array[],
  data: EachData,
  before = 0,
  engine: SivEngine = engineFor(sealed.length),
): (Uint8Array | null)[] {
  const values = layOut(sealed, before, 0);
  const { starts, sizes, bytes } = values;
  // A text that is too short for V is treated as an empty one here, and its result is `null` below.
  for (let i = 0; i < sizes.length; i++) sizes[i] = Math.max(0, sizes[i]! - SIV_LENGTH);
  const column: KeyedValues = { keys, keyLength, values, data: data === null ? null : layOut(data, 0, 0) };
  const verdicts = new Uint8Array(sealed.length);
  engine.open(column, 0, sealed.length, verdicts);
  return sealed.map((one, i) => {
    const from = starts[i]! + SIV_LENGTH;
    if (one.length < before + SIV_LENGTH) return null;
    const plaintext = bytes.subarray(from, from + sizes[i]!);
    const opens = verdicts[i] === 1;
    if (isTurn()) {
      const [key, associated] = [keyOf(column, i), data?.[i] ?? null];
      if (opens) compare(key, associated, plaintext, one.subarray(before));
      else mustNotOpen(key, associated, one.subarray(before));
    }
    return opens ? plaintext : null;
  });
}

function keyOf({ keys, keyLength }: EachKeys, i: number): Uint8Array {
  return keys.subarray(i * keyLength, (i + 1) * keyLength);
}

/**
 * Copies texts one after another into one array.
 *
 * @param skipped How many bytes at the start of each text are left out.
 * @param gap How many zeros there are before each text.
 */
function layOut(texts: readonly Uint8Array[], skipped: number, gap: number): Texts {
  const [starts, sizes] = [new Int32Array(texts.length), new Int32Array(texts.length)];
  let end = 0;
  for (let i = 0; i < texts.length; i++) {
    const size = Math.max(0, texts[i]!.length - skipped);
    starts[i] = end;
    sizes[i] = size;
    // Space for V even if the text is shorter than V, and a whole block of zeros.
    end += gap + Math.max(SIV_LENGTH, size) + 16;
  }
  const bytes = new Uint8Array(end);
  for (let i = 0; i < texts.length; i++) {
    if (sizes[i]! > 0) copyTo(texts[i]!, skipped, bytes, starts[i]! + gap);
  }
  return { bytes, starts, sizes };
}

/** Values after which the module is assembled. That takes some 10 ms, and saves 1 µs a value. */
const WORTH_IT = 16_384;

let seen = 0;
let fast: SivEngine | null | undefined;

function engineFor(count: number): SivEngine {
  if (seen < WORTH_IT) {
    seen += count;
    return plainEngine;
  }
  if (fast === undefined) {
    fast = wasmEngine();
    if (fast !== null) tryOut(fast);
  }
  return fast ?? plainEngine;
}

/** Compares an engine with noble, for both lengths of keys that a vault has, with and without associated data. */
function tryOut(engine: SivEngine): void {
  const texts = [0, 1, 15, 16, 17, 32, 100].map((length) => new Uint8Array(length).map((_, i) => 7 * i + length));
  for (const keyLength of [32, 64]) {
    const column = { keys: new Uint8Array(keyLength * texts.length).map((_, i) => 11 * i + keyLength), keyLength };
    for (const data of [null, texts]) {
      const sealed = sealEach(column, texts, data, engine);
      for (const [i, text] of texts.entries()) compare(keyOf(column, i), data?.[i] ?? null, text, sealed[i]!);
      const opened = openEach(column, sealed, data, 0, engine);
      if (opened.some((text, i) => text === null || !equalBytes(text, texts[i]!))) throwFault();
    }
  }
}
