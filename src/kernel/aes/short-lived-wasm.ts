/**
 * short-lived.ts in WebAssembly: FIPS 197 (https://doi.org/10.6028/NIST.FIPS.197-upd1) for keys of 16 and 32 bytes, as
 * functions for a module that has the table `MIXED` in its memory.
 */

import {
  addTo,
  type Code,
  type Func,
  I32_ADD,
  I32_AND,
  I32_EQZ,
  I32_LT_U,
  I32_NE,
  I32_OR,
  I32_SHL,
  I32_SHR_U,
  I32_SUB,
  I32_XOR,
  i32Const,
  i32Load,
  i32Load8U,
  i32Store,
  ifElse,
  ifThen,
  localGet,
  localSet,
  localTee,
  v128Load,
  v128Store,
  whileDo,
} from '../wasm.ts';

/** Where `MIXED` of short-lived.ts lies in the memory. */
export const AT_MIXED = 0;

/** Four times a byte of a local, which is the offset of its word in a table. */
function placeOf(local: number, byte: number): Code {
  const shift = byte === 0 ? [...i32Const(2), ...I32_SHL] : [...i32Const(8 * byte - 2), ...I32_SHR_U];
  return [...localGet(local), ...shift, ...i32Const(0x3fc), ...I32_AND];
}

/**
 * SBOX() of a byte of a local, as byte `to` of a word. It is read from the second byte of a word of the first table.
 */
function sBox(local: number, byte: number, to: number): Code {
  const found = [...placeOf(local, byte), ...i32Load8U(AT_MIXED + 1)];
  return to === 0 ? found : [...found, ...i32Const(8 * to), ...I32_SHL];
}

/** FIPS 197, section 5.2, `expandInto` of short-lived.ts: expand(key, schedule, length of the key). */
export function expand(): Func {
  const [key, to, length, end, j, rcon, temp] = [0, 1, 2, 3, 4, 5, 6] as const;
  const subWord = (turn: number): Code => [
    ...[0, 1, 2, 3].flatMap((i) => [...sBox(temp, (i + turn) % 4, i), ...(i === 0 ? [] : I32_OR)]),
  ];
  const copyKey = (half: number): Code => [
    ...[...localGet(to), ...localGet(key), ...v128Load(16 * half), ...v128Store(16 * half)],
  ];
  return {
    parameters: 3,
    i32: 4,
    v128: 0,
    body: [
      ...copyKey(0),
      ...[...localGet(length), ...i32Const(32), ...I32_LT_U, ...I32_EQZ, ...ifThen(copyKey(1))],
      // 4 * (Nk + 7) words.
      ...[...localGet(to), ...localGet(length), ...i32Const(2), ...I32_SHL, ...I32_ADD],
      ...[...i32Const(112), ...I32_ADD, ...localSet(end)],
      ...[...localGet(to), ...localGet(length), ...I32_ADD, ...localTee(to)],
      ...[...i32Const(4), ...I32_SUB, ...i32Load(0), ...localSet(temp)],
      ...[...i32Const(1), ...localSet(rcon)],
      ...whileDo(
        [...localGet(to), ...localGet(end), ...I32_LT_U],
        [
          ...localGet(j),
          ...I32_EQZ,
          ...ifElse(
            [
              ...[...subWord(1), ...localGet(rcon), ...I32_XOR, ...localSet(temp)],
              // XTIMES of section 4.2.
              ...[...localGet(rcon), ...i32Const(1), ...I32_SHL, ...i32Const(0), ...localGet(rcon)],
              ...[
                ...i32Const(7),
                ...I32_SHR_U,
                ...I32_SUB,
                ...i32Const(0x11b),
                ...I32_AND,
                ...I32_XOR,
                ...localSet(rcon),
              ],
            ],
            [
              ...[...localGet(j), ...i32Const(16), ...I32_XOR, ...I32_EQZ],
              ...ifThen([...subWord(0), ...localSet(temp)]),
            ],
          ),
          ...[...localGet(to), ...localGet(to), ...localGet(length), ...I32_SUB, ...i32Load(0)],
          ...[...localGet(temp), ...I32_XOR, ...localTee(temp), ...i32Store(0)],
          ...addTo(to, 4),
          ...addTo(j, 4),
          ...[...localGet(j), ...localGet(length), ...I32_NE, ...I32_EQZ, ...ifThen([...i32Const(0), ...localSet(j)])],
        ],
      ),
    ],
  };
}

/** FIPS 197, section 5.1: encipher(schedule, Nr * 16) enciphers the block at an address in place. */
export function encipher(atBlock: number): Func {
  const [schedule, last] = [0, 1] as const;
  const [s, t] = [
    [2, 3, 4, 5],
    [6, 7, 8, 9],
  ] as const;
  const column = (from: readonly number[], c: number): Code => [
    ...[0, 1, 2, 3].flatMap((r) => [
      ...[...placeOf(from[(c + r) % 4]!, r), ...i32Load(AT_MIXED + 1024 * r)],
      ...(r === 0 ? [] : I32_XOR),
    ]),
  ];
  const round = (r: number): Code => {
    const [from, to] = r % 2 === 1 ? [s, t] : [t, s];
    return [0, 1, 2, 3].flatMap((c) => [
      ...[...column(from, c), ...localGet(schedule), ...i32Load(16 * r + 4 * c), ...I32_XOR, ...localSet(to[c]!)],
    ]);
  };
  const rounds = (first: number, end: number): Code =>
    Array.from({ length: end - first }, (_, i) => round(first + i)).flat();
  return {
    parameters: 2,
    i32: 8,
    v128: 0,
    body: [
      ...[0, 1, 2, 3].flatMap((c) => [
        ...[...i32Const(0), ...i32Load(atBlock + 4 * c), ...localGet(schedule), ...i32Load(4 * c), ...I32_XOR],
        ...localSet(s[c]!),
      ]),
      ...rounds(1, 10),
      ...[...localGet(last), ...i32Const(160), ...I32_NE, ...ifThen(rounds(10, 14))],
      // The last round has no MIXCOLUMNS.
      ...[...localGet(schedule), ...localGet(last), ...I32_ADD, ...localSet(schedule)],
      ...[0, 1, 2, 3].flatMap((c) => [
        ...i32Const(0),
        ...[0, 1, 2, 3].flatMap((r) => [...sBox(t[(c + r) % 4]!, r, r), ...(r === 0 ? [] : I32_OR)]),
        ...[...localGet(schedule), ...i32Load(4 * c), ...I32_XOR, ...i32Store(atBlock + 4 * c)],
      ]),
    ],
  };
}
