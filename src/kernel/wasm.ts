/**
 * A small assembler for WebAssembly, with what two modules of vector instructions need: the binary format of the core
 * specification, version 2.0 (https://www.w3.org/TR/wasm-core-2/), chapter 5.
 *
 * A module is assembled when it is needed for the first time, which takes 3 to 10 ms. The package does not contain its
 * bytes: so anyone can read what runs, and there is no build step or toolchain between the source and the code.
 */

/** The bytes of instructions. */
export type Code = readonly number[];

/** Unsigned LEB128 (section 5.2.2). */
function unsigned(value: number): number[] {
  const out: number[] = [];
  let rest = value;
  for (; rest > 127; rest >>>= 7) out.push((rest & 127) | 128);
  out.push(rest);
  return out;
}

/** Signed LEB128 (section 5.2.2). */
function signed(value: number): number[] {
  const out: number[] = [];
  let rest = value;
  for (; rest < -64 || rest > 63; rest >>= 7) out.push((rest & 127) | 128);
  out.push(rest & 127);
  return out;
}

/** The instructions that are used, by their names in the specification (section 5.4). */
export const localGet = (local: number): Code => [0x20, ...unsigned(local)];
export const localSet = (local: number): Code => [0x21, ...unsigned(local)];
export const localTee = (local: number): Code => [0x22, ...unsigned(local)];
/** Alignment hints are exponents of two. */
export const i32Load = (offset: number): Code => [0x28, 2, ...unsigned(offset)];
export const i32Load8U = (offset: number): Code => [0x2d, 0, ...unsigned(offset)];
export const i32Store = (offset: number): Code => [0x36, 2, ...unsigned(offset)];
export const i32Store8 = (offset: number): Code => [0x3a, 0, ...unsigned(offset)];
export const i32Const = (value: number): Code => [0x41, ...signed(value)];
export const I32_EQZ: Code = [0x45];
export const I32_NE: Code = [0x47];
export const I32_LT_S: Code = [0x48];
export const I32_LT_U: Code = [0x49];
export const I32_ADD: Code = [0x6a];
export const I32_SUB: Code = [0x6b];
export const I32_AND: Code = [0x71];
export const I32_OR: Code = [0x72];
export const I32_XOR: Code = [0x73];
export const I32_SHL: Code = [0x74];
export const I32_SHR_U: Code = [0x76];
export const I32_ROTL: Code = [0x77];
export const call = (index: number): Code => [0x10, ...unsigned(index)];
export const loop = (body: Code): Code => [0x03, 0x40, ...body, 0x0b];
export const ifThen = (body: Code): Code => [0x04, 0x40, ...body, 0x0b];
export const ifElse = (body: Code, other: Code): Code => [0x04, 0x40, ...body, 0x05, ...other, 0x0b];
/** Adds a constant to a local. */
export const addTo = (local: number, by: number): Code => [
  ...[...localGet(local), ...i32Const(by), ...I32_ADD, ...localSet(local)],
];
/** Repeats the body as long as the condition holds. */
export const whileDo = (condition: Code, body: Code): Code => loop([...condition, ...ifThen([...body, ...branch(1)])]);
export const branch = (depth: number): Code => [0x0c, depth];
export const branchIf = (depth: number): Code => [0x0d, depth];

const vector = (opcode: number, ...rest: number[]): Code => [0xfd, ...unsigned(opcode), ...rest];
/** The vector loads: sixteen bytes, or a word that is copied to all four lanes. Offsets are in bytes. */
export const v128Load = (offset: number): Code => vector(0, 4, ...unsigned(offset));
export const v128Load32Splat = (offset: number): Code => vector(9, 2, ...unsigned(offset));
export const v128Store = (offset: number): Code => vector(11, 4, ...unsigned(offset));
export const v128Const = (bytes: readonly number[]): Code => vector(12, ...bytes);
/**
 * Puts the bytes of a vector in another order. `i8x16.shuffle` would need the vector twice, `swizzle` needs it once.
 */
const swizzle = (places: readonly number[]): Code => [...v128Const(places), ...vector(14)];
export const I8X16_REVERSE: Code = /* @__PURE__ */ swizzle([15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
export const I64X2_SWAP: Code = /* @__PURE__ */ swizzle([8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7]);
export const V128_ANY_TRUE: Code = /* @__PURE__ */ vector(83);
export const I64X2_NEG: Code = /* @__PURE__ */ vector(193);
export const I64X2_SHL: Code = /* @__PURE__ */ vector(203);
export const I64X2_SHR_U: Code = /* @__PURE__ */ vector(205);
export const V128_AND: Code = /* @__PURE__ */ vector(78);
export const V128_OR: Code = /* @__PURE__ */ vector(80);
export const V128_XOR: Code = /* @__PURE__ */ vector(81);
export const I32X4_SHL: Code = /* @__PURE__ */ vector(171);
export const I32X4_SHR_U: Code = /* @__PURE__ */ vector(173);
export const I32X4_ADD: Code = /* @__PURE__ */ vector(174);

/** A function without a result. Its parameters are i32; they are followed by locals of i32 and then of v128. */
export interface Func {
  readonly parameters: number;
  readonly i32: number;
  readonly v128: number;
  readonly body: Code;
}

const TYPE_I32 = 0x7f;
const TYPE_V128 = 0x7b;

const list = (items: readonly Code[]): Code => [...unsigned(items.length), ...items.flat()];
const section = (id: number, body: Code): Code => [id, ...unsigned(body.length), ...body];
const sized = (body: Code): Code => [...unsigned(body.length), ...body];
const named = (text: string): Code => sized(Array.from(text, (c) => c.charCodeAt(0)));

/**
 * Assembles a module (section 5.5). It has one memory of `pages` pages of 64 KiB, which it exports as `memory`, and
 * exports its last function as `run`.
 */
export function assemble(pages: number, functions: readonly Func[]): Uint8Array {
  const types = functions.map(({ parameters }) => [0x60, ...list(Array(parameters).fill([TYPE_I32])), 0]);
  const codes = functions.map(({ i32, v128, body }) =>
    sized([
      ...list([
        [...unsigned(i32), TYPE_I32],
        [...unsigned(v128), TYPE_V128],
      ]),
      ...body,
      0x0b,
    ]),
  );
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, list(types)),
    ...section(3, list(functions.map((_, i) => unsigned(i)))),
    ...section(5, list([[0, ...unsigned(pages)]])),
    ...section(
      7,
      list([
        [...named('memory'), 2, 0],
        [...named('run'), 0, ...unsigned(functions.length - 1)],
      ]),
    ),
    ...section(10, list(codes)),
  ]);
}

/** The exports of a module that {@link assemble} made. */
export interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly run: (...parameters: number[]) => void;
}

/** The part of the global `WebAssembly` that is used. */
interface Runtime {
  readonly validate: (bytes: Uint8Array) => boolean;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: Exports };
}

/**
 * Compiles and instantiates a module. Returns `null` if the runtime has no WebAssembly, or none with vectors, or if a
 * content security policy forbids compiling.
 */
export function instantiate(bytes: () => Uint8Array): Exports | null {
  const runtime = (globalThis as unknown as { WebAssembly?: Runtime }).WebAssembly;
  if (typeof runtime?.validate !== 'function') return null;
  try {
    const module = bytes();
    return runtime.validate(module) ? new runtime.Instance(new runtime.Module(module)).exports : null;
  } catch {
    return null;
  }
}
