/**
 * The engine of a composed format: the secrets of all its members as one. Where all are numeral strings of one radix,
 * they are one numeral string; otherwise their indices are one number in mixed radix, the first most significant
 * (docs/spec/fpe-v1.md, "Composed formats").
 */

import { fail } from '../../errors.ts';
import {
  assembleIndex,
  type FormatEngine,
  type Index,
  type IndexParts,
  indexOf,
  type NumeralParts,
  type Parts,
  sizeOf,
} from '../engine.ts';
import { mix, product, unmix } from '../mixed-radix.ts';
import { commonRadix, type FormatMember, type MemberParts, type Side, withoutSecret } from './members.ts';
import type { Known } from './outline.ts';

/** Sizes are at most 2^4096, as the engines take them. */
const MAX_SIZE = 2n ** 4096n;

/** A value in its members. */
export interface Composed<Frame> {
  readonly shape: string;
  readonly clear: string;
  /** What stands around the secrets: enough to find their members and to write the value. */
  readonly frame: Frame;
  /** The parts of the enciphered members, in order. */
  readonly secrets: readonly MemberParts[];
}

/** How a composed format takes values apart. */
export interface Composition<Frame> {
  readonly read: (text: string, side: Side) => Composed<Frame>;
  readonly write: (frame: Frame, texts: readonly string[]) => string;
  /** The members that the secrets of a value belong to. */
  readonly membersOf: (frame: Frame) => readonly FormatMember[];
  /** A value of the smallest shape. */
  readonly sample: Composed<Frame>;
  /** All enciphered members that there are. */
  readonly secret: readonly FormatMember[];
  /** Whether some values have no secret. */
  readonly bare: boolean;
  readonly outlines: Readonly<Record<Side, Known>>;
}

type Facts = Pick<FormatEngine, 'descriptor' | 'smallest' | 'hasClear' | 'visible' | 'steady'>;

interface Layout<Frame> {
  readonly frame: Frame;
  /** The parts of the enciphered members without their secrets. */
  readonly kept: readonly MemberParts[];
}

/** Makes the engine. */
export function oneSpace<Frame>(facts: Facts, composition: Composition<Frame>): FormatEngine {
  const { read, write, membersOf, sample, secret, bare, outlines } = composition;
  const twoSided = secret.some(({ plain }) => plain.enciphered !== undefined);
  const all = { ...facts, outline: outlines.plain, bare };

  const radix = bare ? null : commonRadix(secret);
  if (radix !== null) {
    const numeralParts = ({ shape, clear, frame, secrets }: Composed<Frame>): NumeralParts => {
      const layout: Layout<Frame> = { frame, kept: secrets.map(withoutSecret) };
      let { numerals } = secrets[0] as NumeralParts;
      for (let i = 1; i < secrets.length; i++) numerals = numerals.concat((secrets[i] as NumeralParts).numerals);
      return { shape, clear, layout, numerals };
    };
    const face = (side: Side) => ({
      outline: outlines[side],
      split: (text: string) => numeralParts(read(text, side)),
      assemble(parts: Parts, numerals: readonly number[]) {
        const { frame, kept } = parts.layout as Layout<Frame>;
        let from = 0;
        const texts = membersOf(frame).map((member, i) => {
          const engine = member[side] as FormatEngine & { readonly kind: 'numerals' };
          const each = kept[i] as NumeralParts;
          const to = from + each.numerals.length;
          const text = engine.assemble(each, numerals.slice(from, to));
          from = to;
          return text;
        });
        return write(frame, texts);
      },
    });
    const sides = { ...face('plain'), ...(twoSided ? { enciphered: face('enciphered') } : {}) };
    return { ...all, kind: 'numerals', radix, sample: numeralParts(sample), ...sides };
  }

  const indexParts = ({ shape, clear, frame, secrets }: Composed<Frame>): IndexParts => {
    const layout: Layout<Frame> = { frame, kept: secrets.map(withoutSecret) };
    const members = membersOf(frame);
    const sizes = secrets.map((parts, i) => sizeOf(members[i]!.plain, parts));
    const size = product(sizes);
    if (typeof size === 'bigint' && size > MAX_SIZE) {
      fail('outside_format', 'the value is one of more than 2^4096; let fewer characters be enciphered');
    }
    const indices = secrets.map((parts, i) => indexOf(members[i]!.plain, parts));
    return { shape, clear, layout, size, index: mix(sizes, indices, size) };
  };
  const face = (side: Side) => ({
    outline: outlines[side],
    split: (text: string) => indexParts(read(text, side)),
    assemble(parts: Parts, index: Index) {
      const { frame, kept } = parts.layout as Layout<Frame>;
      const members = membersOf(frame);
      const sizes = kept.map((each, i) => sizeOf(members[i]!.plain, each));
      const indices = unmix(sizes, index);
      return write(
        frame,
        kept.map((each, i) => assembleIndex(members[i]![side], each, indices[i]!)),
      );
    },
  });
  const sides = { ...face('plain'), ...(twoSided ? { enciphered: face('enciphered') } : {}) };
  return { ...all, kind: 'index', sample: indexParts(sample), ...sides };
}
