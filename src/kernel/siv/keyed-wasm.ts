/**
 * keyed-plain.ts in WebAssembly: the same steps of RFC 5297 and FIPS 197, with the blocks of 16 bytes as vectors.
 *
 * Measured for values of 16 bytes under keys of 32 bytes, a thousand at once: 0.7 µs to seal or open a value, against
 * 1.7 µs in plain TypeScript.
 */

import { MIXED } from '../aes/short-lived.ts';
import { AT_MIXED, encipher, expand } from '../aes/short-lived-wasm.ts';
import {
  addTo,
  assemble,
  type Code,
  call,
  type Exports,
  type Func,
  I8X16_REVERSE,
  I32_ADD,
  I32_AND,
  I32_EQZ,
  I32_LT_S,
  I32_LT_U,
  I32_NE,
  I32_OR,
  I32_ROTL,
  I32_SHL,
  I32_SUB,
  I64X2_NEG,
  I64X2_SHL,
  I64X2_SHR_U,
  I64X2_SWAP,
  i32Const,
  i32Load,
  i32Store,
  i32Store8,
  ifElse,
  ifThen,
  instantiate,
  localGet,
  localSet,
  localTee,
  V128_AND,
  V128_ANY_TRUE,
  V128_XOR,
  v128Const,
  v128Load,
  v128Store,
  whileDo,
} from '../wasm.ts';
import { SIV_LENGTH } from './columns.ts';
import { type KeyedValues, plainEngine, type SivEngine, type Texts } from './keyed-plain.ts';

/**
 * The layout of the module's memory after the tables of AES: where each part begins, in bytes. The round keys have the
 * space that AES-256 needs, fifteen blocks.
 */
const AT_S2V = AT_MIXED + 4 * MIXED.length;
const AT_CTR = AT_S2V + 240;
/** The subkeys of CMAC: for a last block that is whole, and for one that is not. */
const AT_WHOLE = AT_CTR + 240;
const AT_PADDED = AT_WHOLE + 16;
const AT_ZERO = AT_PADDED + 16;
const AT_D = AT_ZERO + 16;
/** The block that AES enciphers. */
const AT_X = AT_D + 16;
/**
 * A row for each value: the address of its key, address and size of the value and of its associated data, the verdict.
 */
const AT_ROWS = 8192;
const ROW = 24;
const ROWS = 1024;
const AT_BYTES = AT_ROWS + ROWS * ROW;
const PAGES = 8;
const END = PAGES * 65_536;

/** Makes the engine. Returns `null` if the runtime has no WebAssembly with vectors. */
export function wasmEngine(): SivEngine | null {
  const module = instantiate(() =>
    assemble(PAGES, [expand(), encipher(AT_X), double(), mac(), s2v(), counter(), runRows()]),
  );
  if (module === null) return null;
  const { buffer } = module.memory;
  new Int32Array(buffer, AT_MIXED, MIXED.length).set(MIXED);
  const own: Own = { run: module.run, bytes: new Uint8Array(buffer), rows: new Int32Array(buffer, AT_ROWS, ROWS * 6) };
  return {
    seal: (column, from, to) => runAll(own, column, from, to, null),
    open: (column, from, to, verdicts) => runAll(own, column, from, to, verdicts),
  };
}

/** The module and its memory. */
interface Own {
  readonly run: Exports['run'];
  readonly bytes: Uint8Array;
  readonly rows: Int32Array;
}

/** Runs as many values at once as fit in the memory. A value that does not fit is left to plain TypeScript. */
function runAll(own: Own, column: KeyedValues, from: number, to: number, verdicts: Uint8Array | null): void {
  for (let first = from; first < to; ) {
    let end = first;
    while (end < to && end - first < ROWS && AT_BYTES + bytesOf(column, first, end + 1) <= END) end++;
    // AES-192 has 12 rounds, for which there is no code in the module.
    if (end > first && column.keyLength !== 48) {
      runTogether(own, column, first, end, verdicts);
    } else {
      end = first + 1;
      if (verdicts === null) plainEngine.seal(column, first, end);
      else plainEngine.open(column, first, end, verdicts);
    }
    first = end;
  }
}

/** Returns where the space of a text ends: where the next text begins. */
function endOf({ bytes, starts }: Texts, i: number): number {
  return i < starts.length ? starts[i]! : bytes.length;
}

/** Returns how many bytes keys, values and associated data take. */
function bytesOf({ keyLength, values, data }: KeyedValues, first: number, end: number): number {
  const ofData = data === null ? 0 : endOf(data, end) - data.starts[first]!;
  return keyLength * (end - first) + endOf(values, end) - values.starts[first]! + ofData;
}

/** Runs values that fit in the memory together. */
function runTogether(own: Own, column: KeyedValues, first: number, end: number, verdicts: Uint8Array | null): void {
  const { keys, keyLength, values, data } = column;
  const { bytes, rows } = own;
  const atValues = AT_BYTES + keyLength * (end - first);
  const [valuesFrom, valuesTo] = [values.starts[first]!, endOf(values, end)];
  const atData = atValues + valuesTo - valuesFrom;
  const dataFrom = data === null ? 0 : data.starts[first]!;
  bytes.set(keys.subarray(keyLength * first, keyLength * end), AT_BYTES);
  bytes.set(values.bytes.subarray(valuesFrom, valuesTo), atValues);
  if (data !== null) bytes.set(data.bytes.subarray(dataFrom, endOf(data, end)), atData);
  for (let i = first, row = 0; i < end; i++, row += 6) {
    rows[row] = AT_BYTES + keyLength * (i - first);
    rows[row + 1] = atValues + values.starts[i]! - valuesFrom;
    rows[row + 2] = values.sizes[i]!;
    rows[row + 3] = data === null ? 0 : atData + data.starts[i]! - dataFrom;
    rows[row + 4] = data === null ? -1 : data.sizes[i]!;
  }
  own.run(end - first, keyLength / 2, verdicts === null ? 0 : 1);
  values.bytes.set(bytes.subarray(atValues, atData), valuesFrom);
  if (verdicts !== null) for (let i = first; i < end; i++) verdicts[i] = rows[6 * (i - first) + 5]!;
  // The memory lives as long as the process, so keys and values are wiped from it.
  bytes.fill(0, AT_S2V, AT_ROWS);
  bytes.fill(0, AT_BYTES, atData + (data === null ? 0 : endOf(data, end) - dataFrom));
}

/** The index of each function in the module. */
const EXPAND = 0;
const ENCIPHER = 1;
const DOUBLE = 2;
const MAC = 3;
const S2V = 4;
const COUNTER = 5;

/** RFC 5297, section 2.3: double(from, to) on addresses of blocks. */
function double(): Func {
  const [from, to, number] = [0, 1, 2] as const;
  return {
    parameters: 2,
    i32: 0,
    v128: 1,
    body: [
      ...[...localGet(to), ...localGet(from), ...v128Load(0), ...I8X16_REVERSE, ...localTee(number)],
      ...[...i32Const(1), ...I64X2_SHL],
      // The bit that each half loses: that of the lower half goes into the upper one, that of the upper one is 0x87.
      ...[...localGet(number), ...i32Const(63), ...I64X2_SHR_U, ...I64X2_NEG, ...I64X2_SWAP],
      ...[...v128Const([0x87, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]), ...V128_AND, ...V128_XOR],
      ...[...I8X16_REVERSE, ...v128Store(0)],
    ],
  };
}

const blockAt = (address: number): Code => [...i32Const(0), ...v128Load(address)];
const setBlock = (address: number, value: Code): Code => [...i32Const(0), ...value, ...v128Store(address)];

/** RFC 4493, section 2.4: mac(at, length, Nr * 16) writes the tag of bytes, which zeros follow, into the block. */
function mac(): Func {
  const [at, length, last, end, isPadded] = [0, 1, 2, 3, 4] as const;
  const step: Code = [...i32Const(AT_S2V), ...localGet(last), ...call(ENCIPHER)];
  const writeAfter = (byte: number): Code => [
    ...[...localGet(isPadded), ...ifThen([...localGet(at), ...i32Const(byte), ...i32Store8(0)])],
  ];
  return {
    parameters: 3,
    i32: 2,
    v128: 0,
    body: [
      // The last block begins at `end`. An empty message has one as well.
      ...[...localGet(length), ...i32Const(1), ...I32_SUB, ...i32Const(-16), ...I32_AND, ...localGet(at), ...I32_ADD],
      ...[...localSet(end), ...localGet(length), ...I32_EQZ, ...ifThen([...localGet(at), ...localSet(end)])],
      ...[...localGet(end), ...i32Const(16), ...I32_ADD, ...localGet(at), ...localGet(length), ...I32_ADD, ...I32_NE],
      ...localSet(isPadded),
      // From here on `length` is where the message begins, and `at` where it ends.
      ...[...localGet(at), ...localGet(at), ...localGet(length), ...I32_ADD, ...localSet(at), ...localSet(length)],
      ...writeAfter(0x80),
      ...setBlock(AT_X, v128Const(Array(16).fill(0))),
      ...whileDo(
        [...localGet(length), ...localGet(end), ...I32_LT_U],
        [
          ...setBlock(AT_X, [...blockAt(AT_X), ...localGet(length), ...v128Load(0), ...V128_XOR]),
          ...step,
          ...addTo(length, 16),
        ],
      ),
      ...setBlock(AT_X, [
        ...[...blockAt(AT_X), ...localGet(end), ...v128Load(0), ...V128_XOR],
        ...[...localGet(isPadded), ...i32Const(4), ...I32_SHL, ...v128Load(AT_WHOLE), ...V128_XOR],
      ]),
      ...step,
      ...writeAfter(0),
    ],
  };
}

/** Section 2.4: s2v(at, length, address of associated data, their length or -1, Nr * 16) writes V into the block. */
function s2v(): Func {
  const [at, length, dataAt, dataLength, last] = [0, 1, 2, 3, 4] as const;
  const doubleD: Code = [...i32Const(AT_D), ...i32Const(AT_D), ...call(DOUBLE)];
  const xorDInto = (offset: Code): Code => [
    ...[...localGet(at), ...offset, ...localGet(at), ...offset, ...v128Load(0), ...blockAt(AT_D), ...V128_XOR],
    ...v128Store(0),
  ];
  const writeAfter = (byte: number): Code => [
    ...[...localGet(at), ...localGet(length), ...I32_ADD, ...i32Const(byte), ...i32Store8(0)],
  ];
  const end: Code = [...localGet(length), ...I32_ADD, ...i32Const(16), ...I32_SUB];
  return {
    parameters: 5,
    i32: 0,
    v128: 0,
    body: [
      ...setBlock(AT_D, blockAt(AT_ZERO)),
      ...[...localGet(dataLength), ...i32Const(0), ...I32_LT_S, ...I32_EQZ],
      ...ifThen([
        // D = dbl(D) xor AES-CMAC(K, Si).
        ...[...localGet(dataAt), ...localGet(dataLength), ...localGet(last), ...call(MAC), ...doubleD],
        ...setBlock(AT_D, [...blockAt(AT_D), ...blockAt(AT_X), ...V128_XOR]),
      ]),
      ...[...localGet(length), ...i32Const(16), ...I32_LT_U],
      ...ifElse(
        [
          // T = dbl(D) xor pad(Sn).
          ...[...doubleD, ...writeAfter(0x80), ...xorDInto([])],
          ...[...localGet(at), ...i32Const(16), ...localGet(last), ...call(MAC)],
          ...[...xorDInto([]), ...writeAfter(0)],
        ],
        [
          // T = Sn xorend D.
          ...xorDInto(end),
          ...[...localGet(at), ...localGet(length), ...localGet(last), ...call(MAC)],
          ...xorDInto(end),
        ],
      ),
    ],
  };
}

/** Section 2.5: counter(address of V, length of the text after it, Nr * 16) XORs the key stream into the text. */
function counter(): Func {
  const [at, length, last, number, end, q] = [0, 1, 2, 3, 4, 5] as const;
  /** The word with its bytes in reverse order. */
  const swapped = (word: Code): Code => [
    ...[...word, ...i32Const(8), ...I32_ROTL, ...i32Const(0x00ff00ff), ...I32_AND],
    ...[...word, ...i32Const(24), ...I32_ROTL, ...i32Const(0xff00ff00 | 0), ...I32_AND, ...I32_OR],
  ];
  const mask = [255, 255, 255, 255, 255, 255, 255, 255, 0x7f, 255, 255, 255, 0x7f, 255, 255, 255];
  return {
    parameters: 3,
    i32: 2,
    v128: 1,
    body: [
      // Section 2.6: Q = V bitand (1^64 || 0^1 || 1^31 || 0^1 || 1^31), so that no carry leaves the last word.
      ...[...localGet(at), ...v128Load(0), ...v128Const(mask), ...V128_AND, ...localSet(q)],
      ...[...swapped([...localGet(at), ...i32Load(12)]), ...i32Const(0x7fffffff), ...I32_AND, ...localSet(number)],
      ...[...localGet(at), ...i32Const(SIV_LENGTH), ...I32_ADD, ...localTee(at)],
      ...[...localGet(length), ...I32_ADD, ...localSet(end)],
      ...whileDo(
        [...localGet(at), ...localGet(end), ...I32_LT_U],
        [
          ...setBlock(AT_X, localGet(q)),
          ...[...i32Const(0), ...swapped(localGet(number)), ...i32Store(AT_X + 12)],
          ...[...i32Const(AT_CTR), ...localGet(last), ...call(ENCIPHER)],
          ...[...localGet(at), ...localGet(at), ...v128Load(0), ...blockAt(AT_X), ...V128_XOR, ...v128Store(0)],
          ...addTo(at, 16),
          ...addTo(number, 1),
        ],
      ),
    ],
  };
}

/** run(rows, bytes of half a key, whether to open): key set-up, then section 2.6 or 2.7, for each row. */
function runRows(): Func {
  const [left, half, isOpen, row, last, at, size] = [0, 1, 2, 3, 4, 5, 6] as const;
  const field = (i: number): Code => [...localGet(row), ...i32Load(4 * i)];
  const vectorOf = [
    ...[...localGet(at), ...i32Const(SIV_LENGTH), ...I32_ADD, ...localGet(size), ...field(3), ...field(4)],
    ...[...localGet(last), ...call(S2V)],
  ];
  const stream = [...localGet(at), ...localGet(size), ...localGet(last), ...call(COUNTER)];
  const encipherX: Code = [...i32Const(AT_S2V), ...localGet(last), ...call(ENCIPHER)];
  return {
    parameters: 3,
    i32: 4,
    v128: 0,
    body: [
      // Nr * 16 = (Nk + 6) * 16.
      ...[...localGet(half), ...i32Const(2), ...I32_SHL, ...i32Const(96), ...I32_ADD, ...localSet(last)],
      ...[...i32Const(AT_ROWS), ...localSet(row)],
      ...whileDo(localGet(left), [
        // K1 = leftmost(K, len(K)/2), K2 = rightmost(K, len(K)/2).
        ...[...field(0), ...i32Const(AT_S2V), ...localGet(half), ...call(EXPAND)],
        ...[...field(0), ...localGet(half), ...I32_ADD, ...i32Const(AT_CTR), ...localGet(half), ...call(EXPAND)],
        ...[...setBlock(AT_X, v128Const(Array(16).fill(0))), ...encipherX],
        ...[...i32Const(AT_X), ...i32Const(AT_WHOLE), ...call(DOUBLE)],
        ...[...i32Const(AT_WHOLE), ...i32Const(AT_PADDED), ...call(DOUBLE)],
        // AES-CMAC of a message of one whole block of zeros.
        ...[...setBlock(AT_X, blockAt(AT_WHOLE)), ...encipherX, ...setBlock(AT_ZERO, blockAt(AT_X))],
        ...[...field(1), ...localSet(at), ...field(2), ...localSet(size)],
        ...localGet(isOpen),
        ...ifElse(
          [
            ...stream,
            // The zeros after the text, over which the key stream was XORed.
            ...[
              ...localGet(at),
              ...localGet(size),
              ...I32_ADD,
              ...v128Const(Array(16).fill(0)),
              ...v128Store(SIV_LENGTH),
            ],
            ...vectorOf,
            ...[...localGet(row), ...blockAt(AT_X), ...localGet(at), ...v128Load(0), ...V128_XOR, ...V128_ANY_TRUE],
            ...[...I32_EQZ, ...i32Store(20)],
          ],
          [...vectorOf, ...localGet(at), ...blockAt(AT_X), ...v128Store(0), ...stream],
        ),
        ...addTo(row, ROW),
        ...addTo(left, -1),
      ]),
    ],
  };
}
