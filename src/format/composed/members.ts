/**
 * What `seq` and `oneOf` share: their members, and the two ways in which a value of a member is written, plain and
 * enciphered.
 */

import { badRange, badType, typeName } from '../../core/checks.ts';
import { fail, TrefoilError } from '../../errors.ts';
import {
  assembleIndex,
  type Format,
  type FormatEngine,
  formatEngine,
  type IndexParts,
  indexOf,
  listText,
  type NumeralParts,
} from '../engine.ts';
import { type ClearPart, checkLiteral, isClear } from './clear.ts';
import { type Known, literalOutline } from './outline.ts';

/** How deep formats may be nested, in code and in a file, so that what `JSON.stringify` writes can be read again. */
export const MAX_DEPTH = 8;

/** The most parts of a `seq`, and the most members of a `oneOf`. */
export const MAX_PARTS = 64;

/** Refuses parts that would make a format nested too deep. */
export function checkDepth(argument: string, parts: readonly unknown[]): void {
  if (1 + Math.max(0, ...parts.map(depthOf)) > MAX_DEPTH) {
    badRange(argument, `makes formats nested deeper than ${MAX_DEPTH}`);
  }
}

/** Number of levels below a part: 0 for a literal or a format that has no parts. */
function depthOf(part: unknown): number {
  if (typeof part !== 'object' || part === null) return 0;
  const { type, parts, formats, of } = part as {
    readonly type?: unknown;
    readonly parts?: readonly unknown[];
    readonly formats?: readonly unknown[];
    readonly of?: unknown;
  };
  if (type === 'seq' && Array.isArray(parts)) return 1 + Math.max(0, ...parts.map(depthOf));
  if (type === 'oneOf' && Array.isArray(formats)) return 1 + Math.max(0, ...formats.map(depthOf));
  return type === 'clear' ? 1 + depthOf(of) : 0;
}

/** The parts of one value of a member. */
export type MemberParts = NumeralParts | IndexParts;

/** The two ways in which a value is written. */
export type Side = 'plain' | 'enciphered';

/** A text that is always the same. */
export interface LiteralMember {
  readonly kind: 'literal';
  readonly literal: string;
  readonly outline: Known;
}

/** A format, enciphered or in clear. In clear, both sides are the plain one. */
export interface FormatMember {
  readonly kind: 'clear' | 'secret';
  readonly type: string;
  readonly plain: FormatEngine;
  /** The engine that reads and writes enciphered values. */
  readonly enciphered: FormatEngine;
}

/** A member of a composed format. */
export type Member = LiteralMember | FormatMember;

/** An engine of which some values may have no secret at all: a `oneOf` with a member in clear. */
export type MaybeBare = FormatEngine & { readonly bare?: boolean };

/** Reads a member that is not a literal text. `where` begins messages: `part 2: `. */
export function readMember(argument: string, value: Format | ClearPart, where: string): Member {
  if (isClear(value)) {
    const { of } = value;
    if (typeof of === 'string') return readLiteral(argument, of, where);
    const plain = formatEngine(argument, of);
    return { kind: 'clear', type: of.type, plain, enciphered: plain };
  }
  const plain = engineAt(argument, value, where);
  const type = `${where}${value.type}`;
  if (plain.own !== undefined) {
    badRange(
      argument,
      `${type} has a cipher of its own and cannot share a space with others: put it in clear, or in a field of its own` +
        (plain.own.name === 'ipcrypt-pfx' ? '; for addresses of both versions take the format ip' : ''),
    );
  }
  if (plain.blind !== undefined) {
    badRange(
      argument,
      `${type} replaces its clear part and cannot restore it, which works only in a field of its own: put it in one`,
    );
  }
  const enciphered = encipheredSide(plain);
  if (enciphered === null) {
    badRange(
      argument,
      `${type} writes enciphered values in another form, of which too little is known: put it in a field of its own`,
    );
  }
  return { kind: 'secret', type: value.type, plain, enciphered };
}

/** Reads a literal. */
export function readLiteral(argument: string, literal: string, where: string): LiteralMember {
  checkLiteral(argument, literal, where);
  return { kind: 'literal', literal, outline: literalOutline(literal) };
}

function engineAt(argument: string, value: unknown, where: string): FormatEngine {
  if (typeof value !== 'object' || value === null) {
    badType(argument, `${where}expected a format of trefoil/format, got ${typeName(value)}`);
  }
  try {
    return formatEngine(argument, value);
  } catch {
    badType(argument, `${where}expected a format of trefoil/format, got ${typeName(value)}`);
  }
}

/** The engine that splits and assembles enciphered values; `null` if they have another form without an outline. */
function encipheredSide(engine: FormatEngine): FormatEngine | null {
  if (engine.enciphered === undefined) return engine;
  const { outline } = engine.enciphered as { readonly outline?: Known };
  if (outline === undefined) return null;
  return engine.kind === 'numerals'
    ? { ...engine, split: engine.enciphered.split, assemble: engine.enciphered.assemble, outline }
    : { ...engine, split: engine.enciphered.split, assemble: engine.enciphered.assemble, outline };
}

/** Whether all values of one shape and layout have the same length. */
export function isSteady(engine: FormatEngine): boolean {
  const { kind, outline, enciphered, steady } = engine;
  return steady ?? (kind === 'numerals' || (outline.min === outline.max && enciphered === undefined));
}

/** The outline of a member, plain or enciphered. */
export function outlineOf(member: Member, side: Side): Known {
  return member.kind === 'literal' ? member.outline : member[side].outline;
}

/** The radix of members that are all numeral strings of one radix; `null` if they are not. */
export function commonRadix(members: readonly FormatMember[]): number | null {
  let radix: number | null = null;
  for (const member of members) {
    if (member.plain.kind !== 'numerals' || member.plain.radix !== (radix ?? member.plain.radix)) return null;
    radix = member.plain.radix;
  }
  return radix;
}

/** Splits the text of a member. The message of an error begins with the name of the member. */
export function splitMember(engine: FormatEngine, text: string, name: string): MemberParts {
  try {
    return engine.split(text);
  } catch (error) {
    if (!(error instanceof TrefoilError)) throw error;
    const { code, message, ...numbers } = error.issues[0]!;
    fail(code, `${name}: ${message}`, numbers);
  }
}

/** The public half of a member's parts: what `assemble` needs, and nothing secret. */
export function withoutSecret(parts: MemberParts): MemberParts {
  const { shape, clear, layout } = parts;
  if ('numerals' in parts) return { shape, clear, layout, numerals: zeros(parts.numerals.length) };
  return { shape, clear, layout, size: parts.size, index: typeof parts.size === 'number' ? 0 : 0n };
}

const ZEROS: (readonly number[])[] = [];

function zeros(length: number): readonly number[] {
  ZEROS[length] ??= Object.freeze(new Array<number>(length).fill(0));
  return ZEROS[length];
}

/** What a member in clear adds to the tweak: its clear part and its secret, without layout. */
export function clearOf(engine: FormatEngine, parts: MemberParts): string {
  return listText([parts.clear, `${indexOf(engine, parts)}`]);
}

/** The text of an engine's sample. */
export function sampleText(engine: FormatEngine): string {
  return assembleIndex(engine, engine.sample, indexOf(engine, engine.sample));
}

/**
 * A member as one text of the descriptor. Formats begin with a digit, other members with a word, so no two are alike.
 */
export function memberDescriptor(member: Member): string {
  if (member.kind === 'literal') return `literal:${member.literal}`;
  const descriptor = listText(member.plain.descriptor);
  return member.kind === 'clear' ? `clear:${descriptor}` : descriptor;
}
